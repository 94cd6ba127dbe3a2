//! The raw way: a filter worked out on the bytes of a line.
//!
//! `compile` turns jaq's syntax tree into a [`stream::Stream`], or gives up on the filter; `evaluate` works it out on a
//! line, or gives up on the line. Whatever is not certain to be what jaq would do is given up.

mod access;
mod calls;
mod compile;
mod compute;
mod copy;
mod edit;
mod evaluate;
mod expression;
mod functions;
mod number;
mod patterns;
mod pieces;
mod terms;
mod value;

use std::cell::RefCell;
use std::sync::Arc;

use jaq_core::load::parse::Term;
use json_fields::{FieldPath, Scanner};

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::numbers::Numbers;
use crate::results::Results;
use crate::truth::Truth;
use evaluate::{Context, No, Scope, Sink};
use expression::Stream;
use patterns::Pattern;

/// What of a filter can be done raw.
#[derive(Debug)]
pub enum Plan {
    /// All of it.
    Whole(Compiled),
    /// A `select` in front of the rest: where it lets nothing through, there are no results.
    Guard(Compiled),
    Nothing,
}

/// A filter, or a part of one, with the fields of the line that it wants.
#[derive(Debug)]
pub struct Compiled {
    stream: Stream,
    paths: Vec<FieldPath>,
    patterns: Vec<Pattern>,
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
    exact: bool,
    outlines: RefCell<Vec<json_fields::Outline>>,
}

impl Raw {
    pub fn new(plan: &Arc<Plan>, numbers: Numbers) -> Option<Raw> {
        let (Plan::Whole(compiled) | Plan::Guard(compiled)) = &**plan else { return None };
        Some(Raw {
            plan: Arc::clone(plan),
            scanner: Scanner::exact(&compiled.paths),
            patterns: compiled.patterns.clone(),
            exact: numbers == Numbers::Decimals,
            outlines: RefCell::default(),
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
        self.stream(line, &mut Sink::Results(results))
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
        let mut truth = Sink::Truth(false, false);
        let known = self.stream(line, &mut truth)?;
        let Sink::Truth(passes, decides) = truth else { return Ok(None) };
        Ok(known.map(|()| Truth { passes, decides }))
    }

    #[inline]
    fn stream(&mut self, line: &[u8], sink: &mut Sink<'_>) -> Result<Option<()>, Failure> {
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
            exact: self.exact,
        };
        match context.stream(&compiled.stream, Scope::default(), sink) {
            Ok(()) | Err(No::Result) => Ok(Some(())),
            Err(No::Idea) => Ok(None),
            Err(No::More(failure)) => Err(*failure),
        }
    }
}
