//! What a run gave, held against what the test expects.

mod books;
mod outputs;
mod problem;

use millpipe::Error;

pub use problem::{Place, Problem};

use crate::job::Job;
use crate::running::Observed;

/// How strict a run is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Everything.
    Whole,
    /// Lines in any order; what the stages counted is as it was.
    AnyOrder,
    /// Lines in any order and no more: the run was disturbed.
    LinesOnly,
}

/// Returns all that is not as it should be.
///
/// # Errors
/// What cannot be read; a filter that fails on a line.
pub fn check(job: &Job, observed: &Observed, strictness: Strictness) -> Result<Vec<Problem>, Error> {
    let mut problems = Vec::new();
    if strictness != Strictness::LinesOnly {
        books::check(job, observed, &mut problems);
    }
    outputs::check(job, observed, strictness == Strictness::Whole, &mut problems)?;
    Ok(problems)
}
