//! Works a compiled filter out on one line.

use std::borrow::Cow;
use std::cell::RefCell;

use jaq_core::ops::Math;
use json_fields::{Field, Kind, Outline};

use super::compute;
use super::copy;
use super::expression::{Expression, Key, Stream};
use super::patterns::Pattern;
use super::value::Value;
use crate::failure::Failure;
use crate::results::Results;
use crate::write::{write_float, write_integer, write_text};

/// Why there is no value.
#[derive(Debug)]
pub enum No {
    /// The filter gives nothing here, as `empty` does.
    Result,
    /// This is an error in jq, or something rare: jq must do the whole line.
    Idea,
    /// The line gives more than it may.
    More(Box<Failure>),
}

/// The line and where its fields are.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub line: &'a [u8],
    pub fields: &'a [Option<Field>],
    pub outlines: &'a RefCell<Vec<Outline>>,
    pub patterns: &'a [Pattern],
    /// Numbers are computed as decimals.
    pub exact: bool,
}

/// What the names in an expression stand for.
#[derive(Clone, Copy, Default)]
pub struct Scope<'s, 'a> {
    input: Option<&'s Value<'a>>,
    bound: Option<&'s Bound<'s, 'a>>,
}

struct Bound<'s, 'a> {
    value: Value<'a>,
    outer: Option<&'s Bound<'s, 'a>>,
}

impl<'s, 'a> Scope<'s, 'a> {
    #[inline]
    pub fn with_input<'t>(self, input: &'t Value<'a>) -> Scope<'t, 'a>
    where
        's: 't,
    {
        Scope { input: Some(input), bound: self.bound }
    }

    fn variable(self, index: usize) -> Option<&'s Value<'a>> {
        let mut bound = self.bound?;
        for _ in 0..index {
            bound = bound.outer?;
        }
        Some(&bound.value)
    }
}

/// Where the results of a stream go.
pub enum Sink<'r> {
    Results(&'r mut Results),
    /// The elements of a new array, with whether there is one already.
    Array(&'r mut Vec<u8>, bool),
    /// Whether one of them was true, and whether one was `true`, `false` or null.
    Truth(bool, bool),
}

/// No value is an end of this branch alone.
#[inline]
fn nothing_is_fine(result: Result<(), No>) -> Result<(), No> {
    match result {
        Err(No::Result) => Ok(()),
        other => other,
    }
}

impl<'a> Context<'a> {
    /// For what does not depend on a line.
    pub fn of_nothing(outlines: &'a RefCell<Vec<Outline>>) -> Context<'a> {
        Context { line: b"", fields: &[], outlines, patterns: &[], exact: false }
    }

    /// # Errors
    /// `No::Result` is none: the stream has ended.
    pub fn stream(self, stream: &'a Stream, scope: Scope<'_, 'a>, sink: &mut Sink<'_>) -> Result<(), No> {
        match stream {
            Stream::Nothing => Ok(()),
            Stream::One(expression) => self.sink(expression, scope, sink),
            Stream::Both(first, second) => {
                nothing_is_fine(self.stream(first, scope, sink))?;
                self.stream(second, scope, sink)
            }
            Stream::If(condition, then, otherwise) => match self.value(condition, scope)?.is_true() {
                true => self.stream(then, scope, sink),
                false => self.stream(otherwise, scope, sink),
            },
            Stream::Then(expression, rest) => {
                let input = self.value(expression, scope)?;
                self.stream(rest, scope.with_input(&input), sink)
            }
            Stream::Bind(expression, rest) => {
                let bound = Bound { value: self.value(expression, scope)?, outer: scope.bound };
                self.stream(rest, Scope { bound: Some(&bound), ..scope }, sink)
            }
            Stream::Each(expression, rest) => self.each(expression, rest, scope, sink),
            Stream::Scan(expression, pattern, rest) => {
                let input = self.value(expression, scope)?;
                self.scan(input, *pattern, |text| nothing_is_fine(self.stream(rest, scope.with_input(&text), sink)))
            }
        }
    }

    fn each(
        self,
        expression: &'a Expression,
        rest: &'a Stream,
        scope: Scope<'_, 'a>,
        sink: &mut Sink<'_>,
    ) -> Result<(), No> {
        let (json, array) = match self.value(expression, scope)? {
            Value::Pieces(pieces) => {
                return pieces.each(|text| nothing_is_fine(self.stream(rest, scope.with_input(&text), sink)));
            }
            Value::Array(json) => (json, true),
            Value::Object(json) => (json, false),
            _ => return Err(No::Idea),
        };
        copy::with_outline(self.outlines, &json, |outline| {
            if !array {
                copy::no_repeats(outline, &json)?;
            }
            let tokens = outline.tokens();
            let mut at = 1;
            while at < tokens.len() {
                at += usize::from(!array);
                let value = Value::inside(&json, tokens[at].field)?;
                nothing_is_fine(self.stream(rest, scope.with_input(&value), sink))?;
                at = tokens[at].next;
            }
            Ok(())
        })
    }

    #[inline]
    fn sink(self, expression: &'a Expression, scope: Scope<'_, 'a>, sink: &mut Sink<'_>) -> Result<(), No> {
        match sink {
            Sink::Results(results) => {
                let start = results.bytes.len();
                match self.write(expression, scope, &mut results.bytes) {
                    Ok(()) => results.end().map_err(|failure| No::More(Box::new(failure))),
                    Err(no) => {
                        results.bytes.truncate(start);
                        Err(no)
                    }
                }
            }
            Sink::Array(out, some) => {
                let start = out.len();
                if *some {
                    out.push(b',');
                }
                match self.write(expression, scope, out) {
                    Ok(()) => *some = true,
                    Err(no) => {
                        out.truncate(start);
                        return Err(no);
                    }
                }
                Ok(())
            }
            Sink::Truth(truth, decides) => {
                let value = self.value(expression, scope)?;
                *truth |= value.is_true();
                *decides |= matches!(value, Value::Bool(_) | Value::Null);
                Ok(())
            }
        }
    }

    /// The expression's value.
    ///
    /// # Errors
    /// Why there is none.
    #[inline]
    pub fn value(self, expression: &'a Expression, scope: Scope<'_, 'a>) -> Result<Value<'a>, No> {
        match expression {
            Expression::Field(slot, steps) => match self.fields[*slot] {
                Some(field) => Value::at(field, self.line),
                None if steps.len() == 1 => Ok(Value::Null),
                None => self.down(Value::Object(Cow::Borrowed(self.line)), steps),
            },
            Expression::Constant(value, _) => Ok(value.borrowed()),
            // jq works out the right side first: where it gives nothing, the left one may fail.
            Expression::Compare(left, cmp, right) => {
                let right = self.value(right, scope)?;
                let left = self.value(left, scope)?;
                Ok(Value::Bool(self.holds(&left, *cmp, &right)?))
            }
            Expression::Math(left, math, right) => {
                let right = self.value(right, scope)?;
                self.math(self.value(left, scope)?, *math, right)
            }
            _ => self.other_value(expression, scope),
        }
    }

    fn other_value(self, expression: &'a Expression, scope: Scope<'_, 'a>) -> Result<Value<'a>, No> {
        match expression {
            Expression::Empty => Err(No::Result),
            Expression::Unknown => Err(No::Idea),
            Expression::Has(slot) => Ok(Value::Bool(self.fields[*slot].is_some())),
            Expression::Input => scope.input.cloned().ok_or(No::Idea),
            Expression::Line => Ok(Value::Object(Cow::Borrowed(self.line))),
            Expression::Variable(index) => scope.variable(*index).cloned().ok_or(No::Idea),
            Expression::Get(from, steps) => self.down(self.value(from, scope)?, steps),
            Expression::Negative(of) => compute::negative(self.value(of, scope)?),
            Expression::Logic(left, stop, right) => match self.value(left, scope)?.is_true() == *stop {
                true => Ok(Value::Bool(*stop)),
                false => Ok(Value::Bool(self.value(right, scope)?.is_true())),
            },
            Expression::Alternative(left, right) => match self.value(left, scope) {
                Ok(value) if value.is_true() => Ok(value),
                Ok(_) | Err(No::Result) => self.value(right, scope),
                other => other,
            },
            Expression::If(condition, then, otherwise) => match self.value(condition, scope)?.is_true() {
                true => self.value(then, scope),
                false => self.value(otherwise, scope),
            },
            Expression::Then(first, rest) => {
                let input = self.value(first, scope)?;
                self.value(rest, scope.with_input(&input))
            }
            Expression::Join(parts) => self.join(parts, scope),
            Expression::Search(search, input, pattern) => {
                let input = self.value(input, scope)?;
                self.search(search, input, *pattern, scope)
            }
            Expression::Index(from, index) => {
                // jq works out the index first, on the same input.
                let (from, index) = (self.value(from, scope)?, self.value(index, scope)?);
                self.index(from, &index)
            }
            Expression::In(input, set) => self.is_in(&self.value(input, scope)?, set, scope),
            Expression::Call(function, input, arguments) => self.call(*function, input, arguments, scope),
            Expression::Slice(of, from, to) => self.slice(self.value(of, scope)?, *from, *to),
            Expression::Object(_) | Expression::Edit(..) => {
                let mut json = Vec::new();
                self.write(expression, scope, &mut json)?;
                Ok(Value::Object(Cow::Owned(json)))
            }
            Expression::Array(_) => {
                let mut json = Vec::new();
                self.write(expression, scope, &mut json)?;
                Ok(Value::Array(Cow::Owned(json)))
            }
            Expression::Field(..) | Expression::Constant(..) | Expression::Compare(..) | Expression::Math(..) => {
                self.value(expression, scope)
            }
        }
    }

    /// Appends the expression's value as JSON; what stands there after an error is for the caller to take away.
    ///
    /// # Errors
    /// Why there is none.
    #[inline]
    pub fn write(self, expression: &'a Expression, scope: Scope<'_, 'a>, out: &mut Vec<u8>) -> Result<(), No> {
        match expression {
            Expression::Field(slot, _) => match self.fields[*slot] {
                Some(field) => self.copy(field, out),
                None => self.write_value(&self.value(expression, scope)?, out),
            },
            Expression::Object(members) => self.object(members, scope, out),
            Expression::Constant(_, json) => {
                out.extend_from_slice(json);
                Ok(())
            }
            Expression::Line => copy::json(self.outlines, self.line, out),
            Expression::If(condition, then, otherwise) => match self.value(condition, scope)?.is_true() {
                true => self.write(then, scope, out),
                false => self.write(otherwise, scope, out),
            },
            Expression::Then(first, rest) => {
                let input = self.value(first, scope)?;
                self.write(rest, scope.with_input(&input), out)
            }
            Expression::Array(stream) => {
                out.push(b'[');
                nothing_is_fine(self.stream(stream, scope, &mut Sink::Array(out, false)))?;
                out.push(b']');
                Ok(())
            }
            Expression::Edit(of, changes) => self.edit(self.value(of, scope)?, changes, scope, out),
            Expression::Math(left, Math::Add, right) => {
                let right = self.value(right, scope)?;
                let left = self.value(left, scope)?;
                if let (Value::Object(left), Value::Object(right)) = (&left, &right) {
                    return self.merge(left, right, out);
                }
                self.write_value(&self.math(left, Math::Add, right)?, out)
            }
            _ => self.write_value(&self.value(expression, scope)?, out),
        }
    }

    /// A field as it stands, where it stands as jq would write it.
    #[inline]
    fn copy(self, field: Field, out: &mut Vec<u8>) -> Result<(), No> {
        let text = field.text(self.line);
        match field.kind {
            Kind::Object | Kind::Array => return copy::json(self.outlines, text, out),
            _ => copy::scalar(text, field.escaped, out),
        }
        Ok(())
    }

    #[inline]
    pub fn write_value(self, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), No> {
        match value {
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
                return copy::json(self.outlines, json, out);
            }
            Value::Array(Cow::Owned(json)) | Value::Object(Cow::Owned(json)) => out.extend_from_slice(json),
        }
        Ok(())
    }

    #[inline]
    fn object(self, members: &'a [(Key, Expression)], scope: Scope<'_, 'a>, out: &mut Vec<u8>) -> Result<(), No> {
        let mut computed: Vec<Vec<u8>> = Vec::new();
        let mut before = b'{';
        for (key, value) in members {
            out.push(before);
            before = b',';
            match key {
                Key::Known(_, json) => out.extend_from_slice(json),
                Key::Computed(key) => {
                    let text = self.value(key, scope)?.into_text()?;
                    let known = |(key, _): &(Key, _)| matches!(key, Key::Known(known, _) if **known == *text);
                    if members.iter().any(known) || computed.iter().any(|other| **other == *text) {
                        return Err(No::Idea);
                    }
                    write_text(&text, out);
                    out.push(b':');
                    computed.push(text.into_owned());
                }
            }
            self.write(value, scope, out)?;
        }
        if members.is_empty() {
            out.push(b'{');
        }
        out.push(b'}');
        Ok(())
    }
}
