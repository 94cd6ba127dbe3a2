//! Calls of jq's functions, as raw expressions.

use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Part, Path};

use super::compile::{Compiler, Input, Leaf, Rest, down};
use super::evaluate::Context;
use super::expression::{Expression, Search, Step, Stream};
use super::functions::Function;
use super::outlines::Outlines;
use super::patterns::Pattern;
use super::scope::Scope;
use super::terms::{constant, json_constant};
use super::value::Value;
use crate::syntax::constant_text;

impl<'t> Compiler<'t> {
    pub fn call(&mut self, name: &str, arguments: &[Term<&str>], input: &Input, rest: Rest<'_, 't>) -> Option<Stream> {
        match (name, arguments) {
            ("empty", []) => Some(Stream::Nothing),
            ("select", [condition]) => {
                let condition = self.expression(condition, input)?;
                Some(Stream::If(condition, Box::new(rest(self, input.leaf())?), Box::new(Stream::Nothing)))
            }
            ("values", []) => {
                let null = Box::new(constant(Value::Null));
                let condition = Expression::Compare(Box::new(self.leaf(input.leaf())?), Cmp::Ne, null);
                Some(Stream::If(condition, Box::new(rest(self, input.leaf())?), Box::new(Stream::Nothing)))
            }
            ("first", []) => rest(self, down(input.leaf(), Step::Index(0))),
            ("last", []) => rest(self, down(input.leaf(), Step::Index(-1))),
            ("scan", [pattern, flags @ ..]) if flags.len() <= 1 => {
                let pattern = self.pattern(pattern, flags, "g")?;
                if self.patterns[pattern].has_groups() {
                    return None;
                }
                let of = self.leaf(input.leaf())?;
                Some(Stream::Scan(of, pattern, Box::new(rest(self, Leaf::Value(Expression::Input))?)))
            }
            _ => {
                let value = self.function(name, arguments, input)?;
                rest(self, Leaf::Value(value))
            }
        }
    }

    fn function(&mut self, name: &str, arguments: &[Term<&str>], input: &Input) -> Option<Expression> {
        match (name, arguments) {
            ("true", []) => return Some(constant(Value::Bool(true))),
            ("false", []) => return Some(constant(Value::Bool(false))),
            ("null", []) => return Some(constant(Value::Null)),
            // jaq has the message.
            ("error", [] | [_]) => return Some(Expression::Unknown),
            ("map", [each]) => {
                let of = self.leaf(input.leaf())?;
                let each = self.stream(each, &Input::Value, &mut Compiler::result)?;
                return Some(Expression::Array(Box::new(Stream::Each(of, Box::new(each)))));
            }
            ("del", [paths]) => return self.delete(paths, input),
            ("IN", [set]) => {
                let mut all = Vec::new();
                self.set(set, &mut all)?;
                return Some(Expression::In(Box::new(self.leaf(input.leaf())?), all));
            }
            ("test" | "capture" | "sub" | "gsub", _) => return self.search(name, arguments, input),
            _ => (),
        }
        let function = Function::named(name, arguments.len())?;
        let of = self.leaf(input.leaf())?;
        if let (Function::Has, Expression::Line, Some(key)) = (function, &of, arguments.first().and_then(constant_text))
        {
            return match self.field(vec![Step::Key(key)])? {
                Expression::Field(slot, _) => Some(Expression::Has(slot)),
                _ => None,
            };
        }
        let arguments = arguments.iter().map(|argument| self.expression(argument, input)).collect::<Option<_>>()?;
        Some(Expression::Call(function, Box::new(of), arguments))
    }

    /// `[scan(x)] | length` and `indices(x) | length`, where nobody wants to see the array.
    pub fn counted(&mut self, first: &Term<&str>, second: &Term<&str>, input: &Input) -> Option<Option<Expression>> {
        let Term::Call("length", none) = second else { return None };
        if !none.is_empty() {
            return None;
        }
        if let Term::Call("indices", of) = first {
            let text = of.first().and_then(constant_text).filter(|text| text.len() == 1)?;
            let text = constant(Value::Text(text.into_bytes().into()));
            return Some(
                self.leaf(input.leaf()).map(|of| Expression::Call(Function::Occurrences, Box::new(of), vec![text])),
            );
        }
        let Term::Arr(Some(all)) = first else { return None };
        let mut last = &**all;
        while let Term::BinOp(_, BinaryOp::Pipe(None), next) = last {
            last = next;
        }
        let Term::Call("scan", _) = last else { return None };
        let Stream::Scan(of, pattern, rest) = self.stream(all, input, &mut Compiler::result)? else { return None };
        matches!(*rest, Stream::One(Expression::Input))
            .then(|| Some(Expression::Search(Search::Count, Box::new(of), pattern)))
    }

    fn search(&mut self, name: &str, arguments: &[Term<&str>], input: &Input) -> Option<Expression> {
        let (search, pattern) = match (name, arguments) {
            ("test", [pattern, flags @ ..]) if flags.len() <= 1 => (Search::Test, self.pattern(pattern, flags, "")?),
            ("capture", [pattern, flags @ ..]) if flags.len() <= 1 => {
                let pattern = self.pattern(pattern, flags, "")?;
                // With that there could be many.
                if self.patterns[pattern].is_global() {
                    return None;
                }
                (Search::Capture, pattern)
            }
            ("sub" | "gsub", [pattern, by, flags @ ..]) if flags.len() <= 1 => {
                let pattern = self.pattern(pattern, flags, if name == "gsub" { "g" } else { "" })?;
                (Search::Replace(Box::new(self.expression(by, &Input::Value)?)), pattern)
            }
            _ => return None,
        };
        Some(Expression::Search(search, Box::new(self.leaf(input.leaf())?), pattern))
    }

    /// The number of a pattern that is known now.
    fn pattern(&mut self, pattern: &Term<&str>, flags: &[Term<&str>], more_flags: &str) -> Option<usize> {
        let mut text = |term: &Term<&str>| match self.expression(term, &Input::LINE)? {
            Expression::Constant(Value::Text(text), _) => String::from_utf8(text.into_owned()).ok(),
            _ => None,
        };
        let pattern = text(pattern)?;
        let flags = match flags {
            [flags] => text(flags)?,
            _ => String::new(),
        };
        self.patterns.push(Pattern::new(&pattern, &format!("{more_flags}{flags}"))?);
        Some(self.patterns.len() - 1)
    }

    /// The values of `a, b, $x[]`, each worked out on the same input.
    fn set(&mut self, set: &Term<&str>, all: &mut Vec<Expression>) -> Option<()> {
        if let Term::BinOp(first, BinaryOp::Comma, second) = set {
            self.set(first, all)?;
            return self.set(second, all);
        }
        if let Term::Path(of, path) = set
            && let Some(((Part::Range(None, None), _), before)) = path.0.split_last()
            && let Some(json) = self.constant_array(&Term::Path(of.clone(), Path(before.to_vec())))
        {
            let items: Vec<Box<serde_json::value::RawValue>> = serde_json::from_slice(&json).ok()?;
            for item in items {
                all.push(json_constant(item.get())?);
            }
            return Some(());
        }
        all.push(self.expression(set, &Input::Value)?);
        Some(())
    }

    fn constant_array(&mut self, term: &Term<&str>) -> Option<Vec<u8>> {
        let expression = self.expression(term, &Input::Value)?;
        let constant = match &expression {
            Expression::Get(from, _) => &**from,
            other => other,
        };
        let Expression::Constant(..) = constant else { return None };
        match Context::of_nothing(&Outlines::default()).value(&expression, Scope::default()) {
            Ok(Value::Array(json)) => Some(json.into_owned()),
            _ => None,
        }
    }
}
