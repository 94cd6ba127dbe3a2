//! The raw way: a filter worked out on the bytes of a line.
//!
//! `compile` turns jaq's syntax tree into a [`expression::Stream`], or gives up on the filter; `evaluate` works it out on a
//! line, or gives up on the line. Whatever is not certain to be what jaq would do is given up.

mod access;
mod calls;
mod compile;
mod compute;
mod copy;
mod destination;
mod edit;
mod evaluate;
mod expression;
mod functions;
mod members;
mod no_value;
mod number;
mod outlines;
mod patterns;
mod pieces;
mod scope;
mod terms;
mod value;

use std::sync::Arc;

use jaq_core::load::parse::Term;
use json_fields::Scanner;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::numbers::Numbers;
use crate::results::Results;
use crate::truth::Truth;
use compile::Compiled;
use destination::Destination;
use evaluate::Context;
use no_value::NoValue;
use outlines::Outlines;
use patterns::Pattern;
use scope::Scope;

/// What of a filter can be done raw.
#[derive(Debug)]
pub enum Plan {
    /// All of it.
    Whole(Compiled),
    /// A `select` in front of the rest: where it lets nothing through, there are no results.
    Guard(Compiled),
    Nothing,
}

impl Plan {
    pub fn new(term: &Term<&str>, arguments: &Arguments) -> Plan {
        if let Some(whole) = compile::whole(term, arguments) {
            return Plan::Whole(whole);
        }
        compile::guard(term, arguments).map_or(Plan::Nothing, Plan::Guard)
    }
}

/// A plan with what one thread needs to carry it out.
pub struct Raw {
    plan: Arc<Plan>,
    scanner: Scanner,
    /// Of its own, so that threads do not share their buffers.
    patterns: Vec<Pattern>,
    numbers: Numbers,
    outlines: Outlines,
}

impl Raw {
    pub fn new(plan: &Arc<Plan>, numbers: Numbers) -> Option<Raw> {
        let (Plan::Whole(compiled) | Plan::Guard(compiled)) = &**plan else { return None };
        Some(Raw {
            plan: Arc::clone(plan),
            scanner: Scanner::exact(&compiled.paths),
            patterns: compiled.patterns.clone(),
            numbers,
            outlines: Outlines::default(),
        })
    }

    /// Writes the results of the line; none when jaq must do it, whatever has been written.
    ///
    /// # Errors
    /// When the line is not JSON, or gives too much.
    #[inline]
    pub fn run(&mut self, line: &[u8], results: &mut Results) -> Result<Option<()>, Failure> {
        let Plan::Whole(_) = *self.plan else {
            // A guard says something only when nothing gets through.
            return Ok(self.truth(line)?.filter(|truth| !truth.passes).map(|_| ()));
        };
        self.stream(line, &mut Destination::Results(results))
    }

    /// Whether one of the results is true; none when jaq must say it.
    ///
    /// # Errors
    /// When the line is not JSON.
    #[inline]
    pub fn passes(&mut self, line: &[u8]) -> Result<Option<Truth>, Failure> {
        let whole = matches!(*self.plan, Plan::Whole(_));
        Ok(self.truth(line)?.filter(|truth| whole || !truth.passes))
    }

    fn truth(&mut self, line: &[u8]) -> Result<Option<Truth>, Failure> {
        let mut truth = Truth::default();
        let known = self.stream(line, &mut Destination::Truth(&mut truth))?;
        Ok(known.map(|()| truth))
    }

    #[inline]
    fn stream(&mut self, line: &[u8], to: &mut Destination<'_>) -> Result<Option<()>, Failure> {
        let (Plan::Whole(compiled) | Plan::Guard(compiled)) = &*self.plan else { return Ok(None) };
        let fields = self.scanner.scan(line).map_err(Failure::line)?;
        if fields.object().is_none() {
            return Ok(None);
        }
        let context = Context {
            line,
            fields: fields.as_slice(),
            outlines: &self.outlines,
            patterns: &self.patterns,
            numbers: self.numbers,
        };
        match context.stream(&compiled.stream, Scope::default(), to) {
            Ok(()) | Err(NoValue::Empty) => Ok(Some(())),
            Err(NoValue::LeftToJaq) => Ok(None),
            Err(NoValue::TooLong(failure)) => Err(*failure),
        }
    }
}
