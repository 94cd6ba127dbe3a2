//! What every way of grouping needs: the job, the limit, the writer of results, the count of held lines.

use std::sync::Arc;

use millpipe::Out;

use crate::groups::Budget;
use crate::job::Job;
use crate::results::Results;
use crate::spill::Spill;

#[derive(Debug)]
pub struct Work {
    pub job: Arc<Job>,
    pub budget: Budget,
    pub results: Results,
    /// With `--memory`.
    pub spill: Option<Box<Spill>>,
    /// How often the memory was emptied since there was no window open, as far as checkpoints have to know.
    pub era: u64,
    /// Lines in open windows, or whose results have not been written.
    pub held: u64,
    /// Lines taken, in order of arrival.
    pub sequence: u64,
}

impl Work {
    pub fn new(job: Arc<Job>) -> Work {
        let budget = Budget::new(job.groups_max);
        Work { budget, results: Results::new(&job), job, spill: None, era: 0, held: 0, sequence: 0 }
    }

    /// A line is taken in: it is held until its results are written, or goes on by itself.
    #[inline]
    pub fn take(&mut self, line: &[u8], out: &mut Out) {
        if self.job.keeps_lines {
            pass_on(line, out);
        } else {
            self.held += 1;
        }
    }

    /// A restored group has lines whose results are not written.
    pub fn hold(&mut self, lines: u64) {
        if !self.job.keeps_lines {
            self.held = self.held.saturating_add(lines);
        }
    }

    /// Whether groups on disk are parts in checkpoints.
    pub fn has_parts(&self) -> bool {
        self.spill.as_ref().is_some_and(|spill| spill.parts.is_some())
    }

    /// There is no group: eras start from the first.
    pub fn begin_eras(&mut self) {
        self.restore_era(0);
    }

    /// The last checkpoint was made in this era.
    pub fn restore_era(&mut self, era: u64) {
        self.era = era;
        if let Some(parts) = self.spill.as_mut().and_then(|spill| spill.parts.as_mut()) {
            parts.saved_up_to(era);
        }
    }

    /// The results of lines that were taken are written.
    pub fn settle(&mut self, lines: u64, out: &mut Out) {
        if !self.job.keeps_lines {
            self.held -= lines;
            out.settle(lines);
        }
    }
}

/// Apart from the way of lines that end here.
#[inline(never)]
fn pass_on(line: &[u8], out: &mut Out) {
    out.line(line);
}
