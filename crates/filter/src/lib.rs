//! `filter`: lets lines pass for which a jq filter is true.
//!
//! **Lines.** A line passes as it came, to the byte, when one of the filter's results is true for jq, which all are
//! but `false` and `null`; so `filter F` is `jq 'select(F)'` that prints nothing anew. With `--not` the others pass. A
//! line that does not pass is counted as left out.
//!
//! **Bad lines.** What is not JSON, and a line on which the filter fails, even behind a true result.
//!
//! **State.** None: each line stands by itself, so the output does not depend on the number of jobs, and nothing is
//! late. Marks pass in their place.
//!
//! **Memory.** One line and the values that jaq makes of it, for each job; with more than one job two batches for
//! each and their output.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod seen;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use jq_filters::{Failure, Program};
use millpipe::{Error, Fault, MAP_STACK_USABLE_BYTES, Map, Out};

pub use seen::Seen;

/// Which lines are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    True,
    /// Those for which the filter is not true.
    Others,
}

/// A filter with what one worker needs to run it.
pub struct Filter {
    filter: RefCell<jq_filters::Filter>,
    keeps: Keeps,
    lines: Cell<u64>,
    passed: Cell<u64>,
    is_condition: Cell<bool>,
    seen: Arc<Seen>,
}

impl Filter {
    #[must_use]
    pub fn new(program: &Program, keeps: Keeps) -> Filter {
        Filter {
            filter: RefCell::new(program.filter(usize::MAX).with_stack(MAP_STACK_USABLE_BYTES)),
            keeps,
            lines: Cell::new(0),
            passed: Cell::new(0),
            is_condition: Cell::new(false),
            seen: Arc::default(),
        }
    }

    /// The same filter, which adds to what has been seen when it ends.
    #[must_use]
    pub fn reporting(mut self, seen: &Arc<Seen>) -> Filter {
        self.seen = Arc::clone(seen);
        self
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        self.seen.add(self.lines.get(), self.passed.get(), self.is_condition.get());
    }
}

impl Map for Filter {
    #[inline]
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let truth = self.filter.borrow_mut().truth(line).map_err(|failure| match failure {
            Failure::Line(why) => Fault::Bad(why),
            halt @ Failure::Halt(_) => Error::data(halt).into(),
        })?;
        self.lines.set(self.lines.get() + 1);
        // What gives nothing has chosen too.
        self.is_condition.set(self.is_condition.get() | truth.decides | !truth.passes);
        match truth.passes == (self.keeps == Keeps::True) {
            true => {
                self.passed.set(self.passed.get() + 1);
                out.line(line);
            }
            false => out.leave_out(1),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
