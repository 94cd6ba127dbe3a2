//! What a function is of, and where a spec is cut into its parts.

use std::fmt;
use std::str::FromStr;

use json_fields::{FieldPath, PathError};

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

    /// What is no path is an expression.
    ///
    /// # Errors
    /// A text that is empty.
    fn from_str(text: &str) -> Result<Argument, PathError> {
        match text.trim().parse() {
            Ok(path) => Ok(Argument::Path(path)),
            Err(PathError::Empty) => Err(PathError::Empty),
            Err(_) => Ok(Argument::Expression(text.trim().to_owned())),
        }
    }
}

/// Splits at the first such character that stands in no brackets and no quotes.
pub(crate) fn split_outside(text: &str, at: char) -> Option<(&str, &str)> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (place, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ if char == at && depth == 0 => return Some((&text[..place], &text[place + char.len_utf8()..])),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_quotes_or_brackets_is_not_cut() {
        assert_eq!(split_outside("sum:v?.a?", '?'), Some(("sum:v", ".a?")));
        assert_eq!(split_outside(r#"sum:."a?\"?"?.b"#, '?'), Some((r#"sum:."a?\"?""#, ".b")));
        assert_eq!(split_outside("max:(.a?)[1:2]", '?'), None);
        assert_eq!(split_outside(".t[11:16]:.b", ':'), Some((".t[11:16]", ".b")));
    }

    #[test]
    fn what_is_no_path_is_an_expression() {
        assert_eq!("a.b".parse(), Ok(Argument::Path(".a.b".parse().unwrap())));
        assert_eq!(".t[:10]".parse(), Ok(Argument::Expression(".t[:10]".into())));
        assert_eq!(" ".parse::<Argument>(), Err(PathError::Empty));
    }
}
