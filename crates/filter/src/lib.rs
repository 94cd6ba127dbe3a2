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

use std::cell::RefCell;

use jq_filters::{Failure, Program};
use millpipe::{Error, Fault, Map, Out};

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
}

impl Filter {
    #[must_use]
    pub fn new(program: &Program, keeps: Keeps) -> Filter {
        Filter { filter: RefCell::new(program.filter(usize::MAX)), keeps }
    }
}

impl Map for Filter {
    #[inline]
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let passes = self.filter.borrow_mut().passes(line).map_err(|failure| match failure {
            Failure::Line(why) => Fault::Bad(why),
            halt @ Failure::Halt(_) => Error::data(halt).into(),
        })?;
        match passes == (self.keeps == Keeps::True) {
            true => out.line(line),
            false => out.leave_out(1),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
