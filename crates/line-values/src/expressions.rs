//! Several expressions, as one flag's value.

use std::fmt;
use std::str::FromStr;

use protocol::{LineKeys, ReadKey};

use crate::expression::{Expression, WrongExpression};
use crate::reader::LineValues;

/// A list of expressions, as flags take it: see [`Expression::parse_list`].
#[derive(Clone, Debug, PartialEq)]
pub struct Expressions(pub Vec<Expression>);

impl FromStr for Expressions {
    type Err = WrongExpression;

    fn from_str(list: &str) -> Result<Expressions, WrongExpression> {
        Expression::parse_list(list).map(Expressions)
    }
}

/// As a user would write it, without names: what a state depends on.
impl fmt::Display for Expressions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, expression) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{expression}")?;
        }
        Ok(())
    }
}

impl LineKeys for Expressions {
    fn reader(&self) -> ReadKey {
        let (mut values, parts) = (LineValues::new(&self.0), 0..self.0.len());
        let mut key = Vec::new();
        Box::new(move |line| {
            let found = values.read(line).ok()?;
            key.clear();
            found.write_key(parts.clone(), &mut key);
            Some(String::from_utf8_lossy(&key).into_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_shown_without_names() {
        let list: Expressions = "user,day=.at[:10]".parse().unwrap();
        assert_eq!(list.to_string(), ".user,.at[:10]");
        assert!("user,".parse::<Expressions>().is_err());
    }

    #[test]
    fn the_key_of_a_line_is_read_as_the_texts_of_its_parts() {
        let list: Expressions = "user,day=.at[:10]".parse().unwrap();
        let mut read = list.reader();
        let line = br#"{"at":"2026-01-01T00:00:00Z","user":1.0}"#;
        assert_eq!(read(line).as_deref(), Some("1\n\"2026-01-01\""));
        assert_eq!((read(b"nonsense"), read(b"{}").as_deref()), (None, Some("null\nnull")));
    }
}
