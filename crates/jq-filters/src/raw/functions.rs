//! The functions of jq that are known on raw values.

use std::borrow::Cow;

use jaq_json::Num;
use memchr::{memchr_iter, memmem};

use super::compute;
use super::no_value::NoValue;
use super::number;
use super::outlines::{Outlines, elements, member, no_repeats};
use super::pieces::{Pieces, part};
use super::value::Value;
use crate::decimal::Rounding;
use crate::numbers::Numbers;
use crate::write::is_json_number;

/// A function that gives one value for each input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Not,
    Length,
    Type,
    Downcase,
    Upcase,
    ToString,
    ToNumber,
    Floor,
    Round,
    Ceil,
    Abs,
    ByteLength,
    IsNumber,
    IsString,
    IsBoolean,
    IsArray,
    IsObject,
    StartsWith,
    EndsWith,
    Contains,
    TrimStart,
    TrimEnd,
    Split,
    Has,
    Join,
    /// `indices(x) | length`
    Occurrences,
}

impl Function {
    /// The function that jq calls so, with so many arguments.
    pub fn named(name: &str, arguments: usize) -> Option<Function> {
        Some(match (name, arguments) {
            ("not", 0) => Function::Not,
            ("length", 0) => Function::Length,
            ("type", 0) => Function::Type,
            ("ascii_downcase", 0) => Function::Downcase,
            ("ascii_upcase", 0) => Function::Upcase,
            ("tostring", 0) => Function::ToString,
            ("tonumber", 0) => Function::ToNumber,
            ("floor", 0) => Function::Floor,
            ("round", 0) => Function::Round,
            ("ceil", 0) => Function::Ceil,
            ("abs", 0) => Function::Abs,
            ("utf8bytelength", 0) => Function::ByteLength,
            ("isnumber", 0) => Function::IsNumber,
            ("isstring", 0) => Function::IsString,
            ("isboolean", 0) => Function::IsBoolean,
            ("isarray", 0) => Function::IsArray,
            ("isobject", 0) => Function::IsObject,
            ("startswith", 1) => Function::StartsWith,
            ("endswith", 1) => Function::EndsWith,
            ("contains", 1) => Function::Contains,
            ("ltrimstr", 1) => Function::TrimStart,
            ("rtrimstr", 1) => Function::TrimEnd,
            ("split", 1) => Function::Split,
            ("has", 1) => Function::Has,
            ("join", 1) => Function::Join,
            _ => return None,
        })
    }

    /// Returns what it gives on an input, without arguments.
    pub fn call<'a>(self, numbers: Numbers, outlines: &Outlines, input: Value<'a>) -> Result<Value<'a>, NoValue> {
        Ok(match self {
            Function::Not => Value::Bool(!input.is_true()),
            Function::Length => length(outlines, &input)?,
            Function::Type => Value::Text(Cow::Borrowed(input.kind().as_bytes())),
            Function::Downcase => Value::Text(Cow::Owned(input.text()?.to_ascii_lowercase())),
            Function::Upcase => Value::Text(Cow::Owned(input.text()?.to_ascii_uppercase())),
            Function::ToString => Value::Text(to_text(input)?),
            Function::ToNumber => to_number(input)?,
            Function::Floor => compute::rounded(numbers, input, Rounding::Floor)?,
            Function::Round => compute::rounded(numbers, input, Rounding::Round)?,
            Function::Ceil => compute::rounded(numbers, input, Rounding::Ceil)?,
            Function::Abs => match compute::compare(numbers, &input, &Value::Integer(0)) {
                _ if input.number().is_none() => return Err(NoValue::LeftToJaq),
                Err(why) => return Err(why),
                Ok(std::cmp::Ordering::Less) => compute::negative(input)?,
                _ => input,
            },
            Function::ByteLength => Value::count(input.text()?.len())?,
            Function::IsNumber => Value::Bool(input.kind() == "number"),
            Function::IsString => Value::Bool(input.kind() == "string"),
            Function::IsBoolean => Value::Bool(input.kind() == "boolean"),
            Function::IsArray => Value::Bool(input.kind() == "array"),
            Function::IsObject => Value::Bool(input.kind() == "object"),
            _ => return Err(NoValue::LeftToJaq),
        })
    }

    /// Returns what it gives on an input, with an argument.
    pub fn call_with<'a>(
        self,
        outlines: &Outlines,
        input: Value<'a>,
        argument: Value<'a>,
    ) -> Result<Value<'a>, NoValue> {
        if self == Function::Has {
            return has(outlines, &input, &argument);
        }
        if self == Function::Join {
            return join_array(outlines, &input, argument.text()?);
        }
        if self == Function::Split {
            return Ok(Value::Pieces(Pieces::new(input.into_text()?, argument.into_text()?)?));
        }
        let argument = argument.text()?;
        match self {
            Function::StartsWith => Ok(Value::Bool(input.text()?.starts_with(argument))),
            Function::EndsWith => Ok(Value::Bool(input.text()?.ends_with(argument))),
            Function::Contains => Ok(Value::Bool(memmem::find(input.text()?, argument).is_some())),
            Function::Occurrences => match argument {
                [byte @ 0..=0x7f] => Value::count(memchr_iter(*byte, input.text()?).count()),
                _ => Err(NoValue::LeftToJaq),
            },
            Function::TrimStart => input.into_text().map(|text| {
                let start = if text.starts_with(argument) { argument.len() } else { 0 };
                let end = text.len();
                Value::Text(part(text, start..end))
            }),
            Function::TrimEnd => input.into_text().map(|text| {
                let end = text.strip_suffix(argument).map_or(text.len(), <[u8]>::len);
                Value::Text(part(text, 0..end))
            }),
            _ => Err(NoValue::LeftToJaq),
        }
    }
}

fn length<'a>(outlines: &Outlines, value: &Value<'a>) -> Result<Value<'a>, NoValue> {
    match value {
        Value::Null => Ok(Value::Integer(0)),
        Value::Integer(integer) => integer.checked_abs().map(Value::Integer).ok_or(NoValue::LeftToJaq),
        Value::Float(float) => Ok(Value::Float(float.abs())),
        Value::Decimal(text) => Ok(Value::Float(number::float(text).abs())),
        // Bytes that go on with a character are none of their own.
        Value::Text(text) => Value::count(text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()),
        Value::Array(json) => outlines.read(json, |outline| Value::count(elements(outline))),
        Value::Object(json) => outlines.read(json, |outline| {
            no_repeats(outline, json)?;
            Value::count(elements(outline) / 2)
        }),
        Value::Pieces(pieces) => Value::count(pieces.count()),
        Value::Bool(_) | Value::Exact(_) => Err(NoValue::LeftToJaq),
    }
}

fn has<'a>(outlines: &Outlines, value: &Value<'a>, key: &Value<'a>) -> Result<Value<'a>, NoValue> {
    match (value, key) {
        (Value::Object(json), Value::Text(key)) => {
            outlines.read(json, |outline| Ok(Value::Bool(member(outline, json, key).is_some())))
        }
        _ => Err(NoValue::LeftToJaq),
    }
}

/// `join` of an array.
fn join_array<'a>(outlines: &Outlines, array: &Value<'a>, by: &[u8]) -> Result<Value<'a>, NoValue> {
    let mut all = Vec::new();
    let mut first = true;
    let mut append = |value: Value<'_>| {
        if !std::mem::take(&mut first) {
            all.extend_from_slice(by);
        }
        // Null is no text between two separators.
        if !matches!(value, Value::Null) {
            all.extend_from_slice(&to_text(value)?);
        }
        Ok(())
    };
    match array {
        Value::Pieces(pieces) => pieces.each(|text| append(Value::Text(text)))?,
        Value::Array(json) => outlines.read(json, |outline| {
            let tokens = outline.tokens();
            let mut at = 1;
            while at < tokens.len() {
                append(Value::at(tokens[at].field, json)?)?;
                at = tokens[at].next;
            }
            Ok(())
        })?,
        _ => return Err(NoValue::LeftToJaq),
    }
    Ok(Value::Text(Cow::Owned(all)))
}

/// `.[from:to]` of a text, whose characters are what is counted, or of null.
pub fn slice<'a>(value: Value<'a>, from: Option<i64>, to: Option<i64>) -> Result<Value<'a>, NoValue> {
    if let Value::Null = value {
        return Ok(Value::Null);
    }
    let text = value.into_text()?;
    if !text.is_ascii() {
        return Err(NoValue::LeftToJaq);
    }
    let len = text.len();
    let place = |bound: i64| {
        let distance = usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX);
        if bound < 0 { len.saturating_sub(distance) } else { distance.min(len) }
    };
    let from = from.map_or(0, place);
    let to = to.map_or(len, place).max(from);
    Ok(Value::Text(part(text, from..to)))
}

/// jq's `tostring`; arrays and objects are jq's.
#[inline]
pub fn to_text(value: Value<'_>) -> Result<Cow<'_, [u8]>, NoValue> {
    Ok(match value {
        Value::Text(text) | Value::Decimal(text) => text,
        Value::Null => Cow::Borrowed(b"null"),
        Value::Bool(true) => Cow::Borrowed(b"true"),
        Value::Bool(false) => Cow::Borrowed(b"false"),
        Value::Integer(integer) => Cow::Owned(integer.to_string().into_bytes()),
        Value::Float(float) => Cow::Owned(Num::Float(float).to_string().into_bytes()),
        Value::Exact(small) => {
            let mut text = Vec::new();
            small.write(&mut text);
            Cow::Owned(text)
        }
        Value::Array(_) | Value::Pieces(_) | Value::Object(_) => return Err(NoValue::LeftToJaq),
    })
}

fn to_number(value: Value<'_>) -> Result<Value<'_>, NoValue> {
    match value {
        // jaq takes zeros in front.
        Value::Text(text) if (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) => {
            Ok(Value::Integer(text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))))
        }
        Value::Text(text) => {
            let is_number = std::str::from_utf8(&text).is_ok_and(is_json_number);
            match text {
                Cow::Borrowed(text) if is_number => Value::of_number(text.trim_ascii()),
                Cow::Owned(text) if is_number => match Value::of_number(text.trim_ascii())? {
                    Value::Integer(integer) => Ok(Value::Integer(integer)),
                    _ => Ok(Value::Decimal(Cow::Owned(text.trim_ascii().to_vec()))),
                },
                _ => Err(NoValue::LeftToJaq),
            }
        }
        value if value.kind() == "number" => Ok(value),
        _ => Err(NoValue::LeftToJaq),
    }
}
