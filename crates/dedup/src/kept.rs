//! What is kept of each key: its time, or its last lines.

use millpipe::{Changes, Error, Fault, Out};

use crate::Job;
use crate::cli::{Emit, Keep};
use crate::known::Known;
use crate::latest::Latest;
use crate::taken::Taken;

pub enum Kept {
    /// Times: a line passes at once, or is left out.
    Known(Known),
    /// Lines: they come out when they are final.
    Latest(Latest),
}

impl Kept {
    pub fn new(job: &Job) -> Self {
        match (job.keep, job.emit) {
            (Keep::First, _) => Self::Known(Known::first(job.within_ms, job.keys)),
            (Keep::Last, Emit::Update) => Self::Known(Known::last(job.within_ms, job.keys)),
            (Keep::Last, Emit::End) => Self::Latest(Latest::new(job.within_ms, job.keys, job.buffer)),
        }
    }

    /// Takes a line, and returns how many were left out for it: this one or others of its key.
    ///
    /// # Errors
    /// `Stop` at a limit.
    pub fn take(&mut self, taken: &Taken<'_>, out: &mut Out) -> Result<u64, Fault> {
        match self {
            Self::Known(known) => {
                let passes = known.takes(taken)?;
                if passes {
                    out.line(taken.line)
                } else {
                    out.leave_out(1)
                }
                Ok(u64::from(!passes))
            }
            Self::Latest(latest) => {
                let left_out = latest.take(taken)?;
                out.leave_out(left_out);
                Ok(left_out)
            }
        }
    }

    /// Forgets what is over, and writes the lines that are final.
    pub fn advance(&mut self, watermark_ms: i64, out: &mut Out) {
        match self {
            Self::Known(known) => known.advance(watermark_ms),
            Self::Latest(latest) => latest.advance(watermark_ms, out),
        }
    }

    /// Writes the lines that are there.
    pub fn end(&mut self, out: &mut Out) {
        if let Self::Latest(latest) = self {
            latest.end(out);
        }
    }

    /// Lines come out later than they came in.
    pub fn delays_lines(&self) -> bool {
        matches!(self, Self::Latest(_))
    }

    /// Counts the keys.
    pub fn keys(&self) -> usize {
        match self {
            Self::Known(known) => known.keys(),
            Self::Latest(latest) => latest.keys(),
        }
    }

    /// Counts the lines that are there.
    pub fn lines(&self) -> u64 {
        match self {
            Self::Known(_) => 0,
            Self::Latest(latest) => latest.lines(),
        }
    }

    pub fn save(&mut self, to: &mut Changes) {
        match self {
            Self::Known(known) => known.save(to),
            Self::Latest(latest) => latest.save(to),
        }
    }

    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        match self {
            Self::Known(known) => known.load(name, value),
            Self::Latest(latest) => latest.load(name, value),
        }
    }
}
