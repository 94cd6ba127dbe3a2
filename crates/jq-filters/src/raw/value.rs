//! A value on its way through a filter.

use std::borrow::Cow;
use std::cmp::Ordering;

use json_fields::{Field, Kind, decode_string};

use super::copy;
use super::no_value::NoValue;
use super::number::{self, Number};
use super::outlines::Outlines;
use super::pieces::Pieces;
use crate::decimal::Small;
use crate::write::{write_float, write_integer, write_text};

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
    pub fn at(field: Field, json: &'a [u8]) -> Result<Value<'a>, NoValue> {
        let text = field.text(json);
        Ok(match field.kind {
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Number => Value::of_number(text)?,
            Kind::String if field.escaped => Value::Text(Cow::Owned(decode_string(text).into_owned().into_bytes())),
            Kind::String => Value::Text(Cow::Borrowed(field.string_body(json))),
            Kind::Array => Value::Array(Cow::Borrowed(text)),
            Kind::Object => Value::Object(Cow::Borrowed(text)),
        })
    }

    /// A number's JSON text as a value. An integer of more than 64 bits is beyond us.
    #[inline]
    pub fn of_number(text: &'a [u8]) -> Result<Value<'a>, NoValue> {
        match number::integer(text) {
            Some(integer) => Ok(Value::Integer(integer)),
            None if text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => {
                Ok(Value::Decimal(Cow::Borrowed(text)))
            }
            None => Err(NoValue::LeftToJaq),
        }
    }

    /// Returns a number of things as a value.
    #[inline]
    pub fn count(count: usize) -> Result<Value<'a>, NoValue> {
        i64::try_from(count).map(Value::Integer).map_err(|_| NoValue::LeftToJaq)
    }

    /// The value at a place of an array or object. What is inside of a new one is copied out of it.
    pub fn inside(json: &Cow<'a, [u8]>, field: Field) -> Result<Value<'a>, NoValue> {
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
    /// Two arrays, or two objects, are left to jaq.
    #[inline]
    pub fn compare(&self, other: &Value<'_>) -> Result<Ordering, NoValue> {
        match (self, other) {
            (Value::Integer(a), Value::Integer(b)) => Ok(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
            (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
            (Value::Object(_), Value::Object(_)) => Err(NoValue::LeftToJaq),
            _ if self.rank() == 4 && other.rank() == 4 => Err(NoValue::LeftToJaq),
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

    pub fn text(&self) -> Result<&[u8], NoValue> {
        match self {
            Value::Text(text) => Ok(text),
            _ => Err(NoValue::LeftToJaq),
        }
    }

    pub fn into_text(self) -> Result<Cow<'a, [u8]>, NoValue> {
        match self {
            Value::Text(text) => Ok(text),
            _ => Err(NoValue::LeftToJaq),
        }
    }

    /// Appends the value as JSON.
    ///
    /// # Errors
    /// Where jq would write what is borrowed in another way.
    #[inline]
    pub fn write(&self, outlines: &Outlines, out: &mut Vec<u8>) -> Result<(), NoValue> {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::Integer(integer) => write_integer(*integer, out),
            Value::Float(float) => write_float(*float, out),
            Value::Decimal(text) => out.extend_from_slice(text),
            Value::Exact(small) => small.write(out),
            Value::Pieces(pieces) => pieces.write(out),
            Value::Text(text) => write_text(text, out),
            Value::Array(Cow::Borrowed(json)) | Value::Object(Cow::Borrowed(json)) => {
                return copy::json(outlines, json, out);
            }
            Value::Array(Cow::Owned(json)) | Value::Object(Cow::Owned(json)) => out.extend_from_slice(json),
        }
        Ok(())
    }
}

impl From<Number> for Value<'_> {
    #[inline]
    fn from(number: Number) -> Self {
        match number {
            Number::Integer(integer) => Value::Integer(integer),
            Number::Float(float) => Value::Float(float),
        }
    }
}
