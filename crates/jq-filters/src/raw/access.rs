//! Down into values, and among them.

use super::copy;
use super::evaluate::{Context, No, Scope};
use super::expression::{Expression, Step};
use super::value::Value;

impl<'a> Context<'a> {
    pub fn down(self, value: Value<'a>, steps: &[Step]) -> Result<Value<'a>, No> {
        steps.iter().try_fold(value, |value, step| self.get(value, step))
    }

    pub fn index(self, from: Value<'a>, index: &Value<'a>) -> Result<Value<'a>, No> {
        match index {
            Value::Text(key) => {
                let key = std::str::from_utf8(key).map_err(|_| No::Idea)?;
                self.get(from, &Step::Key(key.to_owned()))
            }
            Value::Integer(index) if !matches!(from, Value::Object(_)) => self.get(from, &Step::Index(*index)),
            _ => Err(No::Idea),
        }
    }

    /// Whether one of the set is equal to the value; those behind it are not looked at.
    pub fn is_in(self, value: &Value<'a>, set: &'a [Expression], scope: Scope<'_, 'a>) -> Result<Value<'a>, No> {
        for other in set {
            match self.value(other, scope.with_input(value)) {
                Ok(other) if self.compare(value, &other)?.is_eq() => return Ok(Value::Bool(true)),
                Ok(_) | Err(No::Result) => (),
                Err(no) => return Err(no),
            }
        }
        Ok(Value::Bool(false))
    }

    /// One step down.
    fn get(self, value: Value<'a>, step: &Step) -> Result<Value<'a>, No> {
        let value = match (value, step) {
            (Value::Pieces(pieces), Step::Index(index)) => return Ok(pieces.get(*index)),
            (value, _) => value,
        };
        let json = match (&value, step) {
            (Value::Null, _) => return Ok(Value::Null),
            (Value::Object(json), Step::Key(_)) | (Value::Array(json), Step::Index(_)) => json,
            _ => return Err(No::Idea),
        };
        copy::with_outline(self.outlines, json, |outline| {
            let found = match step {
                Step::Key(key) => copy::member(outline, json, key.as_bytes()),
                Step::Index(index) => copy::element(outline, *index),
            };
            found.map_or(Ok(Value::Null), |field| Value::inside(json, field))
        })
    }
}
