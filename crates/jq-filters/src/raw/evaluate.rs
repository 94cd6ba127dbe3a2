//! Works a compiled filter out on one line.
//!
//! An expression has expressions in it, and streams, so all that calls itself is here. What the modules below do, they do on values.

use std::borrow::Cow;

use jaq_core::ops::Math;
use json_fields::Field;

use super::access;
use super::compute;
use super::copy;
use super::destination::{Destination, NewArray};
use super::edit::{self, Old};
use super::expression::{ChangeKind, Expression, Key, Search, Stream};
use super::functions::{self, Function};
use super::members;
use super::no_value::{NoValue, or_nothing};
use super::outlines::{Outlines, no_repeats};
use super::patterns::{Match, Pattern};
use super::pieces::part;
use super::scope::Scope;
use super::value::Value;
use crate::numbers::Numbers;
use crate::write::write_text;

/// The line and where its fields are, and what else a filter is worked out with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub(super) line: &'a [u8],
    pub(super) fields: &'a [Option<Field>],
    pub(super) outlines: &'a Outlines,
    pub(super) patterns: &'a [Pattern],
    pub(super) numbers: Numbers,
}

impl<'a> Context<'a> {
    /// For what does not depend on a line.
    pub fn of_nothing(outlines: &'a Outlines) -> Context<'a> {
        Context { line: b"", fields: &[], outlines, patterns: &[], numbers: Numbers::Doubles }
    }

    /// Passes on the results of the stream.
    ///
    /// # Errors
    /// `NoValue::Empty` is none: the stream has ended.
    pub fn stream(self, stream: &'a Stream, scope: Scope<'_, 'a>, to: &mut Destination<'_>) -> Result<(), NoValue> {
        match stream {
            Stream::Nothing => Ok(()),
            Stream::One(expression) => self.end(expression, scope, to),
            Stream::Both(first, second) => {
                or_nothing(self.stream(first, scope, to))?;
                self.stream(second, scope, to)
            }
            Stream::If(condition, then, otherwise) => match self.value(condition, scope)?.is_true() {
                true => self.stream(then, scope, to),
                false => self.stream(otherwise, scope, to),
            },
            Stream::Then(expression, rest) => {
                let input = self.value(expression, scope)?;
                self.stream(rest, scope.with_input(&input), to)
            }
            Stream::Bind(expression, rest) => {
                let bound = scope.bind(self.value(expression, scope)?);
                self.stream(rest, scope.with_variable(&bound), to)
            }
            Stream::Each(expression, rest) => self.each(expression, rest, scope, to),
            Stream::Scan(expression, pattern, rest) => {
                let text = self.value(expression, scope)?.into_text()?;
                self.patterns[*pattern]
                    .scan(text, |found| or_nothing(self.stream(rest, scope.with_input(&Value::Text(found)), to)))
            }
        }
    }

    fn each(
        self,
        expression: &'a Expression,
        rest: &'a Stream,
        scope: Scope<'_, 'a>,
        to: &mut Destination<'_>,
    ) -> Result<(), NoValue> {
        let (json, array) = match self.value(expression, scope)? {
            Value::Pieces(pieces) => {
                return pieces.each(|text| or_nothing(self.stream(rest, scope.with_input(&Value::Text(text)), to)));
            }
            Value::Array(json) => (json, true),
            Value::Object(json) => (json, false),
            _ => return Err(NoValue::LeftToJaq),
        };
        self.outlines.read(&json, |outline| {
            if !array {
                no_repeats(outline, &json)?;
            }
            let tokens = outline.tokens();
            let mut at = 1;
            while at < tokens.len() {
                at += usize::from(!array);
                let value = Value::inside(&json, tokens[at].field)?;
                or_nothing(self.stream(rest, scope.with_input(&value), to))?;
                at = tokens[at].next;
            }
            Ok(())
        })
    }

    /// Passes on the value of the expression, which is a result.
    #[inline]
    fn end(self, expression: &'a Expression, scope: Scope<'_, 'a>, to: &mut Destination<'_>) -> Result<(), NoValue> {
        match to {
            Destination::Results(results) => results.append(|out| self.write(expression, scope, out)),
            Destination::Array(array) => array.append(|out| self.write(expression, scope, out)),
            Destination::Truth(truth) => {
                let value = self.value(expression, scope)?;
                truth.add(value.is_true(), matches!(value, Value::Bool(_) | Value::Null));
                Ok(())
            }
        }
    }

    /// The expression's value.
    ///
    /// # Errors
    /// Why there is none.
    #[inline]
    pub fn value(self, expression: &'a Expression, scope: Scope<'_, 'a>) -> Result<Value<'a>, NoValue> {
        match expression {
            Expression::Field(slot, steps) => match self.fields[*slot] {
                Some(field) => Value::at(field, self.line),
                None if steps.len() == 1 => Ok(Value::Null),
                None => access::down(self.outlines, Value::Object(Cow::Borrowed(self.line)), steps),
            },
            Expression::Constant(value, _) => Ok(value.borrowed()),
            // jq works out the right side first: where it gives nothing, the left one may fail.
            Expression::Compare(left, cmp, right) => {
                let right = self.value(right, scope)?;
                let left = self.value(left, scope)?;
                Ok(Value::Bool(compute::holds(self.numbers, &left, *cmp, &right)?))
            }
            Expression::Math(left, math, right) => {
                let right = self.value(right, scope)?;
                self.math(self.value(left, scope)?, *math, right)
            }
            _ => self.other_value(expression, scope),
        }
    }

    fn other_value(self, expression: &'a Expression, scope: Scope<'_, 'a>) -> Result<Value<'a>, NoValue> {
        match expression {
            Expression::Empty => Err(NoValue::Empty),
            Expression::Unknown => Err(NoValue::LeftToJaq),
            Expression::Has(slot) => Ok(Value::Bool(self.fields[*slot].is_some())),
            Expression::Input => scope.input().cloned().ok_or(NoValue::LeftToJaq),
            Expression::Line => Ok(Value::Object(Cow::Borrowed(self.line))),
            Expression::Variable(index) => scope.variable(*index).cloned().ok_or(NoValue::LeftToJaq),
            Expression::Get(from, steps) => access::down(self.outlines, self.value(from, scope)?, steps),
            Expression::Negative(of) => compute::negative(self.value(of, scope)?),
            Expression::Logic(left, stop, right) => match self.value(left, scope)?.is_true() == *stop {
                true => Ok(Value::Bool(*stop)),
                false => Ok(Value::Bool(self.value(right, scope)?.is_true())),
            },
            Expression::Alternative(left, right) => match self.value(left, scope) {
                Ok(value) if value.is_true() => Ok(value),
                Ok(_) | Err(NoValue::Empty) => self.value(right, scope),
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
                access::index(self.outlines, from, &index)
            }
            Expression::In(input, set) => self.is_in(&self.value(input, scope)?, set, scope),
            Expression::Call(function, input, arguments) => self.call(*function, input, arguments, scope),
            Expression::Slice(of, from, to) => functions::slice(self.value(of, scope)?, *from, *to),
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
    pub fn write(self, expression: &'a Expression, scope: Scope<'_, 'a>, out: &mut Vec<u8>) -> Result<(), NoValue> {
        match expression {
            Expression::Field(slot, _) => match self.fields[*slot] {
                Some(field) => copy::field(self.outlines, field, self.line, out),
                None => self.value(expression, scope)?.write(self.outlines, out),
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
                or_nothing(self.stream(stream, scope, &mut Destination::Array(NewArray::new(out))))?;
                out.push(b']');
                Ok(())
            }
            Expression::Edit(of, changes) => {
                edit::edit(self.outlines, &self.value(of, scope)?, changes, out, |kind, old, out| {
                    self.change(kind, old, scope, out)
                })
            }
            Expression::Math(left, Math::Add, right) => {
                let right = self.value(right, scope)?;
                let left = self.value(left, scope)?;
                if let (Value::Object(left), Value::Object(right)) = (&left, &right) {
                    return members::merge(self.outlines, left, right, out);
                }
                self.math(left, Math::Add, right)?.write(self.outlines, out)
            }
            _ => self.value(expression, scope)?.write(self.outlines, out),
        }
    }

    #[inline]
    fn object(self, members: &'a [(Key, Expression)], scope: Scope<'_, 'a>, out: &mut Vec<u8>) -> Result<(), NoValue> {
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
                        return Err(NoValue::LeftToJaq);
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

    #[inline]
    fn math(self, left: Value<'a>, math: Math, right: Value<'a>) -> Result<Value<'a>, NoValue> {
        compute::math(self.numbers, self.outlines, left, math, right)
    }

    fn call(
        self,
        function: Function,
        input: &'a Expression,
        arguments: &'a [Expression],
        scope: Scope<'_, 'a>,
    ) -> Result<Value<'a>, NoValue> {
        let input = self.value(input, scope)?;
        match arguments {
            [] => function.call(self.numbers, self.outlines, input),
            // jq looks at the argument with the function's input.
            [argument, ..] => function.call_with(self.outlines, input, self.value(argument, scope)?),
        }
    }

    /// `"…\(…)…"`
    fn join(self, parts: &'a [Expression], scope: Scope<'_, 'a>) -> Result<Value<'a>, NoValue> {
        let mut all = Vec::new();
        for part in parts {
            all.extend_from_slice(&functions::to_text(self.value(part, scope)?)?);
        }
        Ok(Value::Text(Cow::Owned(all)))
    }

    /// Whether one of the set is equal to the value; those behind it are not looked at.
    fn is_in(self, value: &Value<'a>, set: &'a [Expression], scope: Scope<'_, 'a>) -> Result<Value<'a>, NoValue> {
        for other in set {
            match self.value(other, scope.with_input(value)) {
                Ok(other) if compute::compare(self.numbers, value, &other)?.is_eq() => return Ok(Value::Bool(true)),
                Ok(_) | Err(NoValue::Empty) => (),
                Err(why) => return Err(why),
            }
        }
        Ok(Value::Bool(false))
    }

    /// Returns what a search gives on the input.
    fn search(
        self,
        search: &'a Search,
        input: Value<'a>,
        pattern: usize,
        scope: Scope<'_, 'a>,
    ) -> Result<Value<'a>, NoValue> {
        let pattern = &self.patterns[pattern];
        let text = input.text()?;
        Ok(match search {
            Search::Test => Value::Bool(pattern.is_match(text)?),
            Search::Count => Value::count(pattern.count(text)?)?,
            Search::Capture => Value::Object(Cow::Owned(pattern.first(text)?.named())),
            Search::Group(group) => match pattern.first(text)?.group(*group) {
                Some(found) => Value::Text(part(input.into_text()?, found)),
                None => Value::Null,
            },
            Search::Replace(by) => {
                Value::Text(Cow::Owned(pattern.replace(text, |found, out| self.replacement(by, found, scope, out))?))
            }
        })
    }

    /// Appends what stands in the place of a match.
    fn replacement(
        self,
        by: &'a Expression,
        found: &Match<'_, '_>,
        scope: Scope<'_, 'a>,
        out: &mut Vec<u8>,
    ) -> Result<(), NoValue> {
        let groups = match by {
            Expression::Constant(..) => Value::Null,
            _ => Value::Object(Cow::Owned(found.named())),
        };
        match self.value(by, scope.with_input(&groups)) {
            Ok(by) => out.extend_from_slice(by.text()?),
            // Without a replacement jq gives nothing, or worse.
            Err(NoValue::Empty) => return Err(NoValue::LeftToJaq),
            Err(why) => return Err(why),
        }
        Ok(())
    }

    /// Appends a member's new value.
    fn change(
        self,
        kind: &'a ChangeKind,
        old: Old<'_, 'a>,
        scope: Scope<'_, 'a>,
        out: &mut Vec<u8>,
    ) -> Result<(), NoValue> {
        match kind {
            ChangeKind::Assign(value) => self.write(value, scope, out),
            ChangeKind::Update(value) => self.write(value, scope.with_input(&old.value()?), out),
            ChangeKind::Math(math, value) => {
                let value = self.value(value, scope)?;
                self.math(old.value()?, *math, value)?.write(self.outlines, out)
            }
            ChangeKind::Alternative(value) => {
                let value = self.value(value, scope)?;
                let old = old.value()?;
                if old.is_true() { &old } else { &value }.write(self.outlines, out)
            }
            ChangeKind::Delete => Err(NoValue::Empty),
        }
    }
}
