//! What a function is of.

use std::fmt;
use std::str::FromStr;

use json_fields::{FieldPath, PathError, may_be_difference};

/// A field path, or an expression of a language that the caller knows: then it computes the value of each line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Path(FieldPath),
    Expression(String),
}

impl Argument {
    /// What a message calls it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Argument::Path(path) => path.name(),
            Argument::Expression(text) => text.clone(),
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Path(path) => path.fmt(f),
            Argument::Expression(text) => f.write_str(text),
        }
    }
}

impl FromStr for Argument {
    type Err = PathError;

    /// What is no path, or means something else to jq, is an expression.
    ///
    /// # Errors
    /// A text that is empty.
    fn from_str(text: &str) -> Result<Argument, PathError> {
        let text = text.trim();
        match text.parse() {
            Ok(path) if !may_be_difference(text) => Ok(Argument::Path(path)),
            Err(PathError::Empty) => Err(PathError::Empty),
            _ => Ok(Argument::Expression(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_an_expression() {
        assert_eq!("a.b".parse(), Ok(Argument::Path(".a.b".parse().unwrap())));
        assert_eq!(".t[:10]".parse(), Ok(Argument::Expression(".t[:10]".into())));
        assert_eq!(" .a-.b ".parse(), Ok(Argument::Expression(".a-.b".into())));
        assert_eq!("a-b".parse(), Ok(Argument::Path(FieldPath::key("a-b"))));
        assert_eq!(".\"a-b\"".parse(), Ok(Argument::Path(FieldPath::key("a-b"))));
        assert_eq!(" ".parse::<Argument>(), Err(PathError::Empty));
    }
}
