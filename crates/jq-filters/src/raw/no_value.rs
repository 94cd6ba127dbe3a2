//! Why an expression has no value on a line.

use crate::failure::Failure;

/// Why there is no value.
#[derive(Debug)]
pub enum NoValue {
    /// The filter gives nothing here, as `empty` does.
    Empty,
    /// This is an error in jq, or something rare: jaq must do the whole line.
    LeftToJaq,
    /// The line gives more than it may.
    TooLong(Box<Failure>),
}

impl From<Failure> for NoValue {
    fn from(failure: Failure) -> Self {
        NoValue::TooLong(Box::new(failure))
    }
}

/// Makes of no value an end of this branch alone.
#[inline]
pub fn or_nothing(result: Result<(), NoValue>) -> Result<(), NoValue> {
    match result {
        Err(NoValue::Empty) => Ok(()),
        other => other,
    }
}
