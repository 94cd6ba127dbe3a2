//! Down into values.

use super::expression::Step;
use super::no_value::NoValue;
use super::outlines::{Outlines, element, member};
use super::value::Value;

/// Goes some steps down.
pub fn down<'a>(outlines: &Outlines, value: Value<'a>, steps: &[Step]) -> Result<Value<'a>, NoValue> {
    steps.iter().try_fold(value, |value, step| get(outlines, value, step))
}

/// Goes one step down, by a value.
pub fn index<'a>(outlines: &Outlines, from: Value<'a>, index: &Value<'a>) -> Result<Value<'a>, NoValue> {
    match index {
        Value::Text(key) => {
            let key = std::str::from_utf8(key).map_err(|_| NoValue::LeftToJaq)?;
            get(outlines, from, &Step::Key(key.to_owned()))
        }
        Value::Integer(index) if !matches!(from, Value::Object(_)) => get(outlines, from, &Step::Index(*index)),
        _ => Err(NoValue::LeftToJaq),
    }
}

/// Goes one step down.
fn get<'a>(outlines: &Outlines, value: Value<'a>, step: &Step) -> Result<Value<'a>, NoValue> {
    let value = match (value, step) {
        (Value::Pieces(pieces), Step::Index(index)) => return Ok(pieces.get(*index).map_or(Value::Null, Value::Text)),
        (value, _) => value,
    };
    let json = match (&value, step) {
        (Value::Null, _) => return Ok(Value::Null),
        (Value::Object(json), Step::Key(_)) | (Value::Array(json), Step::Index(_)) => json,
        _ => return Err(NoValue::LeftToJaq),
    };
    outlines.read(json, |outline| {
        let found = match step {
            Step::Key(key) => member(outline, json, key.as_bytes()),
            Step::Index(index) => element(outline, *index),
        };
        found.map_or(Ok(Value::Null), |field| Value::inside(json, field))
    })
}
