//! What makes a line better than another.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use json_fields::split_outside;
use line_values::Expression;
use values::key::{cells, compare_cells};

/// Expressions, the most important first, each with its direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub expressions: Vec<Expression>,
    /// The largest value is best.
    descending: Vec<bool>,
}

impl Order {
    /// Which of two lines is better, by the canonical texts of their values: `Less` for the first.
    #[must_use]
    pub fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        if a == b {
            return Ordering::Equal;
        }
        let pairs = self.descending.iter().zip(cells(a).zip(cells(b)));
        pairs
            .map(|(descending, (a, b))| compare_values(*descending, a, b))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// Null is worst in both directions.
fn compare_values(descending: bool, a: &[u8], b: &[u8]) -> Ordering {
    match (a, b) {
        (b"null", b"null") => Ordering::Equal,
        (b"null", _) => Ordering::Greater,
        (_, b"null") => Ordering::Less,
        _ if descending => compare_cells(b, a),
        _ => compare_cells(a, b),
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Order, String> {
        let (mut expressions, mut descending) = (Vec::new(), Vec::new());
        for part in split_outside(text, ',') {
            let (expression, is_descending) = match part.trim().rsplit_once(':') {
                Some((expression, "desc")) => (expression, true),
                Some((expression, "asc")) => (expression, false),
                _ => {
                    return Err(format!(
                        "{part:?} has no direction: say {0}:desc (the largest is best) or {0}:asc",
                        part.trim()
                    ));
                }
            };
            expressions.push(expression.parse().map_err(|wrong: line_values::WrongExpression| wrong.to_string())?);
            descending.push(is_descending);
        }
        Ok(Order { expressions, descending })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (expression, descending)) in self.expressions.iter().zip(&self.descending).enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{expression}:{}", if *descending { "desc" } else { "asc" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_kind_and_value_and_null_is_worst() {
        let order: Order = "a:desc,b:asc".parse().unwrap();
        let best_first =
            ["\"b\"\n1", "\"a\"\n1", "10\n-1", "10\n9.5", "10\n10", "10\nnull", "9.99\n0", "true\n0", "null\n0"];
        for (a, better) in best_first.iter().enumerate() {
            for (b, worse) in best_first.iter().enumerate() {
                assert_eq!(order.compare(better.as_bytes(), worse.as_bytes()), a.cmp(&b), "{better:?} {worse:?}");
            }
        }
    }

    #[test]
    fn a_direction_is_never_guessed() {
        assert_eq!("price:desc, .t[11:13]:asc".parse::<Order>().unwrap().to_string(), ".price:desc,.t[11:13]:asc");
        let error = "price".parse::<Order>().unwrap_err();
        assert_eq!(error, "\"price\" has no direction: say price:desc (the largest is best) or price:asc");
        assert!(
            "price:up".parse::<Order>().is_err() && "".parse::<Order>().is_err() && ":asc".parse::<Order>().is_err()
        );
    }
}
