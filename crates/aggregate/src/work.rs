//! What every way of grouping needs: the job, the limit, the writer of results, the count of held lines.

use millpipe::Out;

use crate::groups::Budget;
use crate::job::Job;
use crate::results::Results;
use crate::spill::Spill;

#[derive(Debug)]
pub struct Work {
    pub job: Job,
    pub budget: Budget,
    pub results: Results,
    /// With `--memory`.
    pub spill: Option<Box<Spill>>,
    /// Lines in open windows, or whose results have not been written.
    pub held: u64,
    /// Lines taken, in order of arrival.
    pub sequence: u64,
}

impl Work {
    pub fn new(job: Job) -> Work {
        let budget = Budget::new(job.groups_max);
        Work { job, budget, results: Results::default(), spill: None, held: 0, sequence: 0 }
    }

    /// A restored group has lines whose results are not written.
    pub fn hold(&mut self, lines: u64) {
        self.held = self.held.saturating_add(lines);
    }

    pub fn settle(&mut self, lines: u64, out: &mut Out) {
        self.held -= lines;
        out.settle(lines);
    }
}
