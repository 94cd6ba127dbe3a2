//! What can be wrong with a filter, and with a line.

use thiserror::Error;

/// A text that is no filter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Wrong {
    /// Where and why, in one line.
    pub message: String,
    /// The line of the filter, and under it a mark at the place; nothing where there is no place.
    pub hint: Option<String>,
}

/// Why there are no results.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// This line is not JSON, or the filter fails on it, with jq's message.
    #[error("{0}")]
    Line(String),
    /// The filter called `halt` with this status: no line is to be worked on any more.
    #[error("the filter halted with status {0}")]
    Halt(i32),
}

impl Failure {
    pub(crate) fn line(why: impl std::fmt::Display) -> Failure {
        Failure::Line(why.to_string())
    }
}
