//! `--on`: which row belongs to a line.

use std::fmt;
use std::str::FromStr;

use json_fields::split_outside;
use line_values::{Expression, WrongExpression};

/// Values of a line, and the columns that they are equal to.
#[derive(Clone, Debug, PartialEq)]
pub struct On {
    pub left: Vec<Expression>,
    pub right: Vec<Expression>,
}

impl FromStr for On {
    type Err = String;

    fn from_str(text: &str) -> Result<On, String> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for part in split_outside(text, ',') {
            // The last `=` of them; an expression may have a `==`.
            let column = split_outside(part, '=').last().copied().unwrap_or_default();
            let Some(expression) = part[..part.len() - column.len()].strip_suffix('=') else {
                return Err(format!("{part:?} has no column: say EXPRESSION = COLUMN, as in '.user = id'"));
            };
            let parse = |text: &str| text.parse::<Expression>().map_err(|wrong: WrongExpression| wrong.to_string());
            left.push(parse(expression)?);
            right.push(parse(column)?);
        }
        Ok(On { left, right })
    }
}

impl On {
    /// For each part of the key, how `shard --by` may say it.
    pub fn texts(&self) -> Vec<Vec<String>> {
        self.left.iter().zip(&self.right).map(|(left, right)| line_values::texts_of_either(left, right)).collect()
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (left, right)) in self.left.iter().zip(&self.right).enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}{left} = {right}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_stands_on_the_left_and_a_column_on_the_right() {
        for (text, shown) in [
            ("user=id", ".user = .id"),
            (".auction % 10000 = key", ".auction % 10000 = .key"),
            (".a == 1 = flag, .b[:2] = .\"two letters\"", ".a == 1 = .flag, .b[:2] = .\"two letters\""),
            ("[.a, \"=,\"] = x", "[.a, \"=,\"] = .x"),
        ] {
            assert_eq!(text.parse::<On>().unwrap().to_string(), shown);
        }
        assert!("user".parse::<On>().unwrap_err().contains("\"user\" has no column"));
        assert!(".a == .b".parse::<On>().is_err() && "a=".parse::<On>().is_err() && "=b".parse::<On>().is_err());
    }
}
