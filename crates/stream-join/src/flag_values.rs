//! What the flags of a join take.

use std::str::FromStr;

use json_fields::split_outside;
use line_values::Expression;
use units::{QuantityError, SignedDurationMs};

use crate::side::Side;

/// `--on`: `seller=id,.item % 10=slot,user`.
#[derive(Clone, Debug, PartialEq)]
pub struct On(pub Vec<(Expression, Expression)>);

impl FromStr for On {
    type Err = String;

    fn from_str(text: &str) -> Result<On, String> {
        let pair = |text: &str| -> Result<(Expression, Expression), String> {
            let (left, right) = split_equal(text).unwrap_or((text, text));
            Ok((expression(left)?, expression(right)?))
        };
        split_outside(text, ',').into_iter().map(pair).collect::<Result<_, _>>().map(On)
    }
}

fn expression(text: &str) -> Result<Expression, String> {
    text.parse().map_err(|wrong: line_values::WrongExpression| wrong.to_string())
}

/// At the `=` that stands alone: that of `==`, `!=`, `<=`, `|=` and their like belongs to its expression.
fn split_equal(text: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for part in split_outside(text, '=') {
        let end = at + part.len();
        let (before, behind) = (&text[..end], text.get(end + 1..)?);
        let is_part = before.ends_with(['=', '!', '<', '>', '|', '+', '-', '*', '/', '%']) || behind.starts_with('=');
        if !is_part {
            return Some((before, behind));
        }
        at = end + 1;
    }
    None
}

/// `--within`: `-5m..10m`, or `10m` for as much to both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    pub from_ms: i64,
    pub to_ms: i64,
}

impl FromStr for Within {
    type Err = String;

    fn from_str(text: &str) -> Result<Within, String> {
        let duration = |text: &str| text.parse::<SignedDurationMs>().map_err(|error: QuantityError| error.to_string());
        let within = match text.split_once("..") {
            Some((from, to)) => Within { from_ms: duration(from)?.0, to_ms: duration(to)?.0 },
            None => {
                let SignedDurationMs(to_ms) = duration(text)?;
                Within { from_ms: -to_ms, to_ms }
            }
        };
        if within.from_ms > within.to_ms { Err(format!("{text:?} ends before it begins")) } else { Ok(within) }
    }
}

/// `--between`: `right:date_time..expires`.
#[derive(Clone, Debug, PartialEq)]
pub struct Between {
    pub side: Side,
    pub from: Expression,
    pub to: Expression,
}

impl FromStr for Between {
    type Err = String;

    fn from_str(text: &str) -> Result<Between, String> {
        let wrong =
            || format!("{text:?} is not like right:date_time..expires, which says whose lines have the two fields");
        let (side, fields) = match text.split_once(':').ok_or_else(wrong)? {
            ("left", fields) => (Side::Left, fields),
            ("right", fields) => (Side::Right, fields),
            _ => return Err(wrong()),
        };
        let (from, to) = fields.split_once("..").ok_or_else(wrong)?;
        Ok(Between { side, from: expression(from)?, to: expression(to)? })
    }
}

/// `--left-fields`: `id,price,when=date_time,.a + .b` with a name for each that is no path.
#[derive(Clone, Debug, PartialEq)]
pub struct Members(pub Vec<Expression>);

impl FromStr for Members {
    type Err = String;

    fn from_str(text: &str) -> Result<Members, String> {
        let members = Expression::parse_list(text).map_err(|wrong| wrong.to_string())?;
        for (at, member) in members.iter().enumerate() {
            if !member.has_name() {
                return Err(format!("{member} has no name: say NAME={member}"));
            }
            if members[..at].iter().any(|other| other.name() == member.name()) {
                return Err(format!("two members would be named {:?}", member.name()));
            }
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_split_at_the_equal_sign_that_stands_alone() {
        let shown = |text: &str| -> Vec<(String, String)> {
            let On(pairs) = text.parse().unwrap();
            pairs.iter().map(|(left, right)| (left.to_string(), right.to_string())).collect()
        };
        let pair = |left: &str, right: &str| (left.to_owned(), right.to_owned());
        assert_eq!(shown("seller=id"), [pair(".seller", ".id")]);
        assert_eq!(shown("user"), [pair(".user", ".user")]);
        assert_eq!(shown("a.b = c,user"), [pair(".a.b", ".c"), pair(".user", ".user")]);
        assert_eq!(shown(".auction % 10000=key"), [pair(".auction % 10000", ".key")]);
        assert_eq!(shown(".a == 1=.b != .c"), [pair(".a == 1", ".b != .c")]);
        assert_eq!(shown(r#"(.a|test("=,"))=b"#), [pair(r#"(.a|test("=,"))"#, ".b")]);
        assert!("a=".parse::<On>().is_err() && "a,,b".parse::<On>().is_err());
    }

    #[test]
    fn bounds_are_signed_and_in_order() {
        let within = |text: &str| text.parse::<Within>().map(|within| (within.from_ms, within.to_ms));
        assert_eq!(within("-5m..10m"), Ok((-300_000, 600_000)));
        assert_eq!(within("10s"), Ok((-10_000, 10_000)));
        assert_eq!(within("0s..1s"), Ok((0, 1000)));
        assert_eq!(within("1s..2s"), Ok((1000, 2000)));
        assert!(within("1s..0s").is_err() && within("-1s").is_err() && within("5").is_err());
    }

    #[test]
    fn it_is_said_whose_fields_are_the_bounds() {
        let between: Between = "right:.date_time...expires".parse().unwrap();
        assert_eq!((between.side, between.from.to_string().as_str()), (Side::Right, ".date_time"));
        assert_eq!(between.to.to_string(), ".expires");
        assert!("date_time..expires".parse::<Between>().is_err() && "right:a".parse::<Between>().is_err());
    }

    #[test]
    fn members_have_names_of_their_own() {
        let Members(members) = "id,at=date_time,sum=.a + .b".parse().unwrap();
        assert_eq!(members.iter().map(Expression::name).collect::<Vec<_>>(), ["id", "at", "sum"]);
        assert!(".a + .b".parse::<Members>().is_err() && "a,a=b".parse::<Members>().is_err());
    }
}
