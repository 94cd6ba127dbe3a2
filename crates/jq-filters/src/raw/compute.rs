//! Operators: arithmetic and comparisons, in jq's numbers or exact.

use std::borrow::Cow;
use std::cmp::Ordering;

use jaq_core::ops::{Cmp, Math};

use super::members::merge;
use super::no_value::NoValue;
use super::number::Number;
use super::outlines::Outlines;
use super::pieces::Pieces;
use super::value::Value;
use crate::decimal::{Rounding, Small, compute_small};
use crate::numbers::Numbers;
use crate::products::BYTES_MAX;

/// Computes `left OP right`.
#[inline]
pub fn math<'a>(
    numbers: Numbers,
    outlines: &Outlines,
    left: Value<'a>,
    math: Math,
    right: Value<'a>,
) -> Result<Value<'a>, NoValue> {
    if let (Some(a), Some(b)) = (left.number(), right.number()) {
        if numbers == Numbers::Doubles
            || matches!(
                (a, b, math),
                (Number::Integer(_), Number::Integer(_), Math::Add | Math::Sub | Math::Mul | Math::Rem)
            )
        {
            return Ok(a.compute(math, b)?.into());
        }
        return exactly(&left, math, &right);
    }
    match (left, math, right) {
        (Value::Null, Math::Add, value) | (value, Math::Add, Value::Null) => Ok(value),
        (Value::Text(left), Math::Add, Value::Text(right)) => {
            // jaq says what is wrong.
            if left.len() + right.len() > BYTES_MAX {
                return Err(NoValue::LeftToJaq);
            }
            let mut both = left.into_owned();
            both.extend_from_slice(&right);
            Ok(Value::Text(Cow::Owned(both)))
        }
        (Value::Object(left), Math::Add, Value::Object(right)) => {
            let mut json = Vec::new();
            merge(outlines, &left, &right, &mut json)?;
            Ok(Value::Object(Cow::Owned(json)))
        }
        (Value::Text(text), Math::Div, Value::Text(by)) => Ok(Value::Pieces(Pieces::new(text, by)?)),
        _ => Err(NoValue::LeftToJaq),
    }
}

/// jq's order.
#[inline]
pub fn compare(numbers: Numbers, left: &Value<'_>, right: &Value<'_>) -> Result<Ordering, NoValue> {
    match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => Ok(a.cmp(b)),
        _ if numbers == Numbers::Decimals && left.number().is_some() && right.number().is_some() => {
            small(left)?.compare(small(right)?).ok_or(NoValue::LeftToJaq)
        }
        _ => left.compare(right),
    }
}

/// Tells whether `left CMP right` holds.
#[inline]
pub fn holds(numbers: Numbers, left: &Value<'_>, cmp: Cmp, right: &Value<'_>) -> Result<bool, NoValue> {
    let order = compare(numbers, left, right)?;
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
pub fn rounded<'a>(numbers: Numbers, value: Value<'a>, rounding: Rounding) -> Result<Value<'a>, NoValue> {
    match value.number().ok_or(NoValue::LeftToJaq)? {
        Number::Integer(integer) => Ok(Value::Integer(integer)),
        Number::Float(_) if numbers == Numbers::Decimals => {
            Ok(exact(small(&value)?.rounded(rounding).ok_or(NoValue::LeftToJaq)?))
        }
        Number::Float(float) => {
            let float = match rounding {
                Rounding::Floor => float.floor(),
                Rounding::Ceil => float.ceil(),
                Rounding::Round => float.round(),
                Rounding::Trunc => float.trunc(),
            };
            let fits = float >= i64::MIN as f64 && float <= i64::MAX as f64;
            if fits { Ok(Value::Integer(float as i64)) } else { Err(NoValue::LeftToJaq) }
        }
    }
}

#[inline(never)]
fn exactly<'a>(left: &Value<'_>, math: Math, right: &Value<'_>) -> Result<Value<'a>, NoValue> {
    Ok(exact(compute_small(small(left)?, math, small(right)?).ok_or(NoValue::LeftToJaq)?))
}

/// A number to compute with exactly. Those of more than 128 bits are jaq's, and floats, which no exact computation gives.
#[inline]
fn small(value: &Value<'_>) -> Result<Small, NoValue> {
    match value {
        Value::Integer(integer) => Ok(Small::integer(*integer)),
        Value::Decimal(text) => Small::parse(text).ok_or(NoValue::LeftToJaq),
        Value::Exact(small) => Ok(*small),
        _ => Err(NoValue::LeftToJaq),
    }
}

#[inline]
fn exact<'a>(small: Small) -> Value<'a> {
    small.as_integer().map_or(Value::Exact(small), Value::Integer)
}

/// `-value`: a number that was not computed with keeps its digits.
pub fn negative(value: Value<'_>) -> Result<Value<'_>, NoValue> {
    match value {
        Value::Integer(integer) => integer.checked_neg().map(Value::Integer).ok_or(NoValue::LeftToJaq),
        Value::Float(float) => Ok(Value::Float(-float)),
        Value::Decimal(text) => Ok(Value::Decimal(match text.strip_prefix(b"-") {
            Some(positive) => Cow::Owned(positive.to_vec()),
            None => Cow::Owned([b"-", &*text].concat()),
        })),
        Value::Exact(small) => small.negative().map(exact).ok_or(NoValue::LeftToJaq),
        _ => Err(NoValue::LeftToJaq),
    }
}
