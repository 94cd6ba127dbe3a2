//! Operators: arithmetic and comparisons, in jq's numbers or exact.

use std::borrow::Cow;
use std::cmp::Ordering;

use jaq_core::ops::{Cmp, Math};

use super::evaluate::{Context, No};
use super::number::{self, Number};
use super::pieces::Pieces;
use super::value::Value;
use crate::decimal::{Rounding, Small, compute_small};
use crate::products::BYTES_MAX;

impl<'a> Context<'a> {
    /// `left OP right`
    #[inline]
    pub fn math(self, left: Value<'a>, math: Math, right: Value<'a>) -> Result<Value<'a>, No> {
        if let (Some(a), Some(b)) = (left.number(), right.number()) {
            if !self.exact
                || matches!(
                    (a, b, math),
                    (Number::Integer(_), Number::Integer(_), Math::Add | Math::Sub | Math::Mul | Math::Rem)
                )
            {
                return Ok(a.compute(math, b)?.value());
            }
            return exactly(&left, math, &right);
        }
        match (left, math, right) {
            (Value::Null, Math::Add, value) | (value, Math::Add, Value::Null) => Ok(value),
            (Value::Text(left), Math::Add, Value::Text(right)) => {
                // jaq says what is wrong.
                if left.len() + right.len() > BYTES_MAX {
                    return Err(No::Idea);
                }
                let mut both = left.into_owned();
                both.extend_from_slice(&right);
                Ok(Value::Text(Cow::Owned(both)))
            }
            (Value::Object(left), Math::Add, Value::Object(right)) => {
                let mut json = Vec::new();
                self.merge(&left, &right, &mut json)?;
                Ok(Value::Object(Cow::Owned(json)))
            }
            (Value::Text(text), Math::Div, Value::Text(by)) => Ok(Value::Pieces(Pieces::new(text, by)?)),
            _ => Err(No::Idea),
        }
    }

    /// jq's order.
    #[inline]
    pub fn compare(self, left: &Value<'_>, right: &Value<'_>) -> Result<Ordering, No> {
        match (left, right) {
            (Value::Integer(a), Value::Integer(b)) => Ok(a.cmp(b)),
            _ if self.exact && left.number().is_some() && right.number().is_some() => {
                small(left)?.compare(small(right)?).ok_or(No::Idea)
            }
            _ => left.compare(right),
        }
    }

    #[inline]
    pub fn holds(self, left: &Value<'_>, cmp: Cmp, right: &Value<'_>) -> Result<bool, No> {
        let order = self.compare(left, right)?;
        Ok(match cmp {
            Cmp::Lt => order.is_lt(),
            Cmp::Le => order.is_le(),
            Cmp::Gt => order.is_gt(),
            Cmp::Ge => order.is_ge(),
            Cmp::Eq => order.is_eq(),
            Cmp::Ne => order.is_ne(),
        })
    }

    /// jq's `floor` and its like.
    pub fn rounded(self, value: Value<'a>, rounding: Rounding) -> Result<Value<'a>, No> {
        match value.number().ok_or(No::Idea)? {
            Number::Integer(integer) => Ok(Value::Integer(integer)),
            Number::Float(_) if self.exact => Ok(exact(small(&value)?.rounded(rounding).ok_or(No::Idea)?)),
            Number::Float(float) => {
                let float = match rounding {
                    Rounding::Floor => float.floor(),
                    Rounding::Ceil => float.ceil(),
                    Rounding::Round => float.round(),
                    Rounding::Trunc => float.trunc(),
                };
                let fits = float >= i64::MIN as f64 && float <= i64::MAX as f64;
                if fits { Ok(Value::Integer(float as i64)) } else { Err(No::Idea) }
            }
        }
    }
}

#[inline(never)]
fn exactly<'a>(left: &Value<'_>, math: Math, right: &Value<'_>) -> Result<Value<'a>, No> {
    Ok(exact(compute_small(small(left)?, math, small(right)?).ok_or(No::Idea)?))
}

/// A number to compute with exactly. Those of more than 128 bits are jaq's, and floats, which no exact computation gives.
#[inline]
fn small(value: &Value<'_>) -> Result<Small, No> {
    match value {
        Value::Integer(integer) => Ok(Small::integer(*integer)),
        Value::Decimal(text) => Small::parse(text).ok_or(No::Idea),
        Value::Exact(small) => Ok(*small),
        _ => Err(No::Idea),
    }
}

#[inline]
fn exact<'a>(small: Small) -> Value<'a> {
    small.as_integer().map_or(Value::Exact(small), Value::Integer)
}

/// `-value`: a number that was not computed with keeps its digits.
pub fn negative(value: Value<'_>) -> Result<Value<'_>, No> {
    match value {
        Value::Exact(small) => small.negative().map(exact).ok_or(No::Idea),
        value => number::negative(value),
    }
}
