//! Several expressions, as one flag's value.

use std::fmt;
use std::str::FromStr;

use crate::expression::{Expression, WrongExpression};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_shown_without_names() {
        let list: Expressions = "user,day=.at[:10]".parse().unwrap();
        assert_eq!(list.to_string(), ".user,.at[:10]");
        assert!("user,".parse::<Expressions>().is_err());
    }
}
