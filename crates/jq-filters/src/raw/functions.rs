//! The functions of jq that are known on raw values.

use std::borrow::Cow;

use jaq_json::Num;
use memchr::{memchr_iter, memmem};

use super::compute;
use super::copy;
use super::evaluate::{Context, No, Scope};
use super::expression::Expression;
use super::number;
use super::pieces::Pieces;
use super::value::Value;
use crate::decimal::Rounding;
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
}

impl<'a> Context<'a> {
    pub fn call(
        self,
        function: Function,
        input: &'a Expression,
        arguments: &'a [Expression],
        scope: Scope<'_, 'a>,
    ) -> Result<Value<'a>, No> {
        let input = self.value(input, scope)?;
        match arguments {
            [] => self.of_one(function, input),
            [argument, ..] => {
                // jq looks at the argument with the function's input.
                let argument = self.value(argument, scope)?;
                self.of_two(function, input, argument)
            }
        }
    }

    fn of_one(self, function: Function, input: Value<'a>) -> Result<Value<'a>, No> {
        Ok(match function {
            Function::Not => Value::Bool(!input.is_true()),
            Function::Length => self.length(&input)?,
            Function::Type => Value::Text(Cow::Borrowed(input.kind().as_bytes())),
            Function::Downcase => Value::Text(Cow::Owned(input.text()?.to_ascii_lowercase())),
            Function::Upcase => Value::Text(Cow::Owned(input.text()?.to_ascii_uppercase())),
            Function::ToString => Value::Text(to_text(input)?),
            Function::ToNumber => to_number(input)?,
            Function::Floor => self.rounded(input, Rounding::Floor)?,
            Function::Round => self.rounded(input, Rounding::Round)?,
            Function::Ceil => self.rounded(input, Rounding::Ceil)?,
            Function::Abs => match self.compare(&input, &Value::Integer(0)) {
                _ if input.number().is_none() => return Err(No::Idea),
                Err(no) => return Err(no),
                Ok(std::cmp::Ordering::Less) => compute::negative(input)?,
                _ => input,
            },
            Function::ByteLength => count(input.text()?.len())?,
            Function::IsNumber => Value::Bool(input.kind() == "number"),
            Function::IsString => Value::Bool(input.kind() == "string"),
            Function::IsBoolean => Value::Bool(input.kind() == "boolean"),
            Function::IsArray => Value::Bool(input.kind() == "array"),
            Function::IsObject => Value::Bool(input.kind() == "object"),
            _ => return Err(No::Idea),
        })
    }

    fn of_two(self, function: Function, input: Value<'a>, argument: Value<'a>) -> Result<Value<'a>, No> {
        if function == Function::Has {
            return self.has(&input, &argument);
        }
        if function == Function::Join {
            return self.join_array(&input, argument.text()?);
        }
        if function == Function::Split {
            return Ok(Value::Pieces(Pieces::new(input.into_text()?, argument.into_text()?)?));
        }
        let argument = argument.text()?;
        match function {
            Function::StartsWith => Ok(Value::Bool(input.text()?.starts_with(argument))),
            Function::EndsWith => Ok(Value::Bool(input.text()?.ends_with(argument))),
            Function::Contains => Ok(Value::Bool(memmem::find(input.text()?, argument).is_some())),
            Function::Occurrences => match argument {
                [byte @ 0..=0x7f] => count(memchr_iter(*byte, input.text()?).count()),
                _ => Err(No::Idea),
            },
            Function::TrimStart => input.into_text().map(|text| {
                let end = text.len();
                Value::Text(part(text, |text| text.strip_prefix(argument).map_or(0..end, |rest| end - rest.len()..end)))
            }),
            Function::TrimEnd => input.into_text().map(|text| {
                let end = text.len();
                Value::Text(part(text, |text| 0..text.strip_suffix(argument).map_or(end, <[u8]>::len)))
            }),
            _ => Err(No::Idea),
        }
    }

    fn length(self, value: &Value<'a>) -> Result<Value<'a>, No> {
        match value {
            Value::Null => Ok(Value::Integer(0)),
            Value::Integer(integer) => integer.checked_abs().map(Value::Integer).ok_or(No::Idea),
            Value::Float(float) => Ok(Value::Float(float.abs())),
            Value::Decimal(text) => Ok(Value::Float(number::float(text).abs())),
            // Bytes that go on with a character are none of their own.
            Value::Text(text) => count(text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()),
            Value::Array(json) => copy::with_outline(self.outlines, json, |outline| count(copy::elements(outline))),
            Value::Object(json) => copy::with_outline(self.outlines, json, |outline| {
                copy::no_repeats(outline, json)?;
                count(copy::elements(outline) / 2)
            }),
            Value::Pieces(pieces) => count(pieces.count()),
            Value::Bool(_) | Value::Exact(_) => Err(No::Idea),
        }
    }

    fn has(self, value: &Value<'a>, key: &Value<'a>) -> Result<Value<'a>, No> {
        match (value, key) {
            (Value::Object(json), Value::Text(key)) => copy::with_outline(self.outlines, json, |outline| {
                Ok(Value::Bool(copy::member(outline, json, key).is_some()))
            }),
            _ => Err(No::Idea),
        }
    }

    /// `join` of an array.
    fn join_array(self, array: &Value<'a>, by: &[u8]) -> Result<Value<'a>, No> {
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
            Value::Pieces(pieces) => pieces.each(append)?,
            Value::Array(json) => copy::with_outline(self.outlines, json, |outline| {
                let tokens = outline.tokens();
                let mut at = 1;
                while at < tokens.len() {
                    append(Value::at(tokens[at].field, json)?)?;
                    at = tokens[at].next;
                }
                Ok(())
            })?,
            _ => return Err(No::Idea),
        }
        Ok(Value::Text(Cow::Owned(all)))
    }

    /// `"…\(…)…"`
    pub fn join(self, parts: &'a [Expression], scope: Scope<'_, 'a>) -> Result<Value<'a>, No> {
        let mut all = Vec::new();
        for part in parts {
            all.extend_from_slice(&to_text(self.value(part, scope)?)?);
        }
        Ok(Value::Text(Cow::Owned(all)))
    }

    /// `.[from:to]` of a text, whose characters are what is counted, or of null.
    pub fn slice(self, value: Value<'a>, from: Option<i64>, to: Option<i64>) -> Result<Value<'a>, No> {
        if let Value::Null = value {
            return Ok(Value::Null);
        }
        let text = value.into_text()?;
        if !text.is_ascii() {
            return Err(No::Idea);
        }
        let len = text.len();
        let place = |bound: i64| {
            let distance = usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX);
            if bound < 0 { len.saturating_sub(distance) } else { distance.min(len) }
        };
        let from = from.map_or(0, place);
        let to = to.map_or(len, place).max(from);
        Ok(Value::Text(part(text, |_| from..to)))
    }
}

fn part<'a>(text: Cow<'a, [u8]>, range: impl FnOnce(&[u8]) -> std::ops::Range<usize>) -> Cow<'a, [u8]> {
    let range = range(&text);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_vec()),
    }
}

fn count<'a>(count: usize) -> Result<Value<'a>, No> {
    i64::try_from(count).map(Value::Integer).map_err(|_| No::Idea)
}

/// jq's `tostring`; arrays and objects are jq's.
fn to_text(value: Value<'_>) -> Result<Cow<'_, [u8]>, No> {
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
        Value::Array(_) | Value::Pieces(_) | Value::Object(_) => return Err(No::Idea),
    })
}

fn to_number(value: Value<'_>) -> Result<Value<'_>, No> {
    match value {
        // jaq takes zeros in front.
        Value::Text(text) if (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) => {
            Ok(Value::Integer(text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))))
        }
        Value::Text(text) => {
            let is_number = std::str::from_utf8(&text).is_ok_and(is_json_number);
            match text {
                Cow::Borrowed(text) if is_number => number::read(text.trim_ascii()),
                Cow::Owned(text) if is_number => match number::read(text.trim_ascii())? {
                    Value::Integer(integer) => Ok(Value::Integer(integer)),
                    _ => Ok(Value::Decimal(Cow::Owned(text.trim_ascii().to_vec()))),
                },
                _ => Err(No::Idea),
            }
        }
        value if value.kind() == "number" => Ok(value),
        _ => Err(No::Idea),
    }
}
