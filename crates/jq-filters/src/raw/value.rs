//! A value on its way through a filter.

use std::borrow::Cow;
use std::cmp::Ordering;

use json_fields::{Field, Kind, decode_string};

use super::evaluate::No;
use super::number::{self, Number};
use super::pieces::Pieces;
use crate::decimal::Small;

/// A value; what comes from the line is borrowed from it.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that was computed.
    Float(f64),
    /// A number's JSON text, of one that is no integer of 64 bits.
    Decimal(Cow<'a, [u8]>),
    /// A number that was computed exactly, and is no integer of 64 bits.
    Exact(Small),
    /// A string's text, in UTF-8.
    Text(Cow<'a, [u8]>),
    /// JSON, as it stands in the line; what is owned is as it is to be written.
    Array(Cow<'a, [u8]>),
    /// An array of texts.
    Pieces(Pieces<'a>),
    /// The same.
    Object(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// The value at a place of a JSON text that has been checked.
    #[inline]
    pub fn at(field: Field, json: &'a [u8]) -> Result<Value<'a>, No> {
        let text = field.text(json);
        Ok(match field.kind {
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Number => number::read(text)?,
            Kind::String if field.escaped => Value::Text(Cow::Owned(decode_string(text).into_owned().into_bytes())),
            Kind::String => Value::Text(Cow::Borrowed(field.string_body(json))),
            Kind::Array => Value::Array(Cow::Borrowed(text)),
            Kind::Object => Value::Object(Cow::Borrowed(text)),
        })
    }

    /// The value at a place of an array or object. What is inside of a new one is copied out of it.
    pub fn inside(json: &Cow<'a, [u8]>, field: Field) -> Result<Value<'a>, No> {
        match json {
            Cow::Borrowed(json) => Value::at(field, json),
            Cow::Owned(json) => Ok(Value::at(field, json)?.into_owned()),
        }
    }

    /// The same value with nothing borrowed.
    pub fn into_owned<'b>(self) -> Value<'b> {
        let own = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        match self {
            Value::Null => Value::Null,
            Value::Bool(truth) => Value::Bool(truth),
            Value::Integer(integer) => Value::Integer(integer),
            Value::Float(float) => Value::Float(float),
            Value::Decimal(text) => Value::Decimal(own(text)),
            Value::Exact(small) => Value::Exact(small),
            Value::Text(text) => Value::Text(own(text)),
            Value::Array(json) => Value::Array(own(json)),
            Value::Pieces(pieces) => Value::Pieces(pieces.into_owned()),
            Value::Object(json) => Value::Object(own(json)),
        }
    }

    /// The same value, borrowed from this one.
    #[inline]
    pub fn borrowed(&'a self) -> Value<'a> {
        match self {
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::Decimal(text) => Value::Decimal(Cow::Borrowed(text)),
            Value::Integer(integer) => Value::Integer(*integer),
            Value::Array(json) => Value::Array(Cow::Borrowed(json)),
            Value::Object(json) => Value::Object(Cow::Borrowed(json)),
            other => other.clone(),
        }
    }

    #[inline]
    pub fn is_true(&self) -> bool {
        !matches!(self, Value::Null | Value::Bool(false))
    }

    /// jq's order of kinds.
    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Integer(_) | Value::Float(_) | Value::Decimal(_) | Value::Exact(_) => 2,
            Value::Text(_) => 3,
            Value::Array(_) | Value::Pieces(_) => 4,
            Value::Object(_) => 5,
        }
    }

    /// jq's order.
    ///
    /// # Errors
    /// Two arrays, two objects: no idea.
    #[inline]
    pub fn compare(&self, other: &Value<'_>) -> Result<Ordering, No> {
        match (self, other) {
            (Value::Integer(a), Value::Integer(b)) => Ok(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
            (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
            (Value::Object(_), Value::Object(_)) => Err(No::Idea),
            _ if self.rank() == 4 && other.rank() == 4 => Err(No::Idea),
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => Ok(a.compare(b)),
                _ => Ok(self.rank().cmp(&other.rank())),
            },
        }
    }

    /// As jq computes with it.
    #[inline]
    pub fn number(&self) -> Option<Number> {
        match self {
            Value::Integer(integer) => Some(Number::Integer(*integer)),
            Value::Float(float) => Some(Number::Float(*float)),
            Value::Decimal(text) => Some(Number::Float(number::float(text))),
            // Exact numbers are computed with elsewhere: this says that it is one.
            Value::Exact(_) => Some(Number::Float(f64::NAN)),
            _ => None,
        }
    }

    /// jq's `type`.
    pub fn kind(&self) -> &'static str {
        ["null", "boolean", "number", "string", "array", "object"][usize::from(self.rank())]
    }

    pub fn text(&self) -> Result<&[u8], No> {
        match self {
            Value::Text(text) => Ok(text),
            _ => Err(No::Idea),
        }
    }

    pub fn into_text(self) -> Result<Cow<'a, [u8]>, No> {
        match self {
            Value::Text(text) => Ok(text),
            _ => Err(No::Idea),
        }
    }
}
