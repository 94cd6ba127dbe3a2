//! The runs there are, few enough to be merged in one pass.

use std::collections::BTreeSet;

use crate::cursor::Cursor;
use crate::error::Error;
use crate::merge::{Merge, Order};
use crate::rewrite::{Combine, Rewrite};
use crate::run::{Run, RunWriter};
use crate::scratch::Scratch;

/// When there are so many runs of one level, they become one of the next: n runs are written log n times, and there
/// are at most so many for each level.
pub const FAN_IN_MAX: usize = 64;

/// Most segments that are read side by side.
pub const CURSORS_MAX: usize = 4 * FAN_IN_MAX;

/// What was written, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Runs, without those that were made of others.
    pub runs: u64,
    pub entries: u64,
    pub bytes: u64,
    /// Entries that were written once more, as there were too many runs.
    pub rewritten: u64,
}

/// Runs of segments named by spans.
#[derive(Debug)]
pub struct Runs<S> {
    scratch: Box<dyn Scratch>,
    order: Order,
    /// Oldest first; levels never rise.
    runs: Vec<Run<S>>,
    fan_in_max: usize,
    written: Written,
}

impl<S: Copy + Ord> Runs<S> {
    #[must_use]
    pub fn new(scratch: Box<dyn Scratch>, order: Order) -> Runs<S> {
        Runs { scratch, order, runs: Vec::new(), fan_in_max: FAN_IN_MAX, written: Written::default() }
    }

    /// Another number than [`FAN_IN_MAX`], at least 2.
    #[must_use]
    pub fn with_fan_in(mut self, runs: usize) -> Runs<S> {
        self.fan_in_max = runs.max(2);
        self
    }

    #[must_use]
    pub fn written(&self) -> Written {
        self.written
    }

    /// Begins a run, for [`Runs::add`].
    ///
    /// # Errors
    /// When no file can be made.
    pub fn begin(&self) -> Result<RunWriter<S>, Error> {
        RunWriter::new(&*self.scratch)
    }

    /// Takes a run, younger than all others. Where there are too many, some are merged by `combine`.
    ///
    /// # Errors
    /// Those of reading and writing, and of `combine`.
    pub fn add<C: Combine>(&mut self, run: RunWriter<S>, combine: &mut C) -> Result<(), C::Error> {
        let run = run.finish()?;
        self.written.runs += 1;
        self.written.entries += run.entries;
        self.written.bytes += run.bytes;
        if !run.segments.is_empty() {
            self.runs.push(run);
        }
        while let Some(first) = self.first_to_merge() {
            let merged = self.rewrite(first, combine)?;
            self.runs.truncate(first);
            self.runs.push(merged);
        }
        Ok(())
    }

    /// Whether a span is in any run.
    #[must_use]
    pub fn has(&self, span: S) -> bool {
        self.runs.iter().any(|run| run.segments.contains_key(&span))
    }

    /// A span is not needed any more. A run without spans gives its room back.
    pub fn forget(&mut self, span: S) {
        self.runs.retain_mut(|run| {
            run.segments.remove(&span);
            !run.segments.is_empty()
        });
    }

    /// The entries of these spans together, keys in order; of a key, those of older runs first.
    ///
    /// # Errors
    /// Those of reading and writing, and of `combine`, which is asked when there are more than [`CURSORS_MAX`] segments.
    pub fn merge<C: Combine>(&mut self, spans: &[S], combine: &mut C) -> Result<Merge, C::Error> {
        let segments = self.runs.iter().flat_map(|run| spans.iter().filter_map(|span| run.cursor(*span)));
        let mut cursors: Vec<Cursor> = segments.collect();
        while cursors.len() > 4 * self.fan_in_max {
            cursors = self.fewer(cursors, spans[0], combine)?;
        }
        Ok(Merge::new(cursors, self.order)?)
    }

    /// Merges neighbours into runs that nobody else will read.
    fn fewer<C: Combine>(&mut self, cursors: Vec<Cursor>, name: S, combine: &mut C) -> Result<Vec<Cursor>, C::Error> {
        let mut fewer = Vec::new();
        let mut cursors = cursors.into_iter().peekable();
        while cursors.peek().is_some() {
            let some: Vec<Cursor> = cursors.by_ref().take(self.fan_in_max).collect();
            let mut to = self.begin()?;
            to.begin(name)?;
            Merge::new(some, self.order)?.fold(&mut Rewrite::new(&mut to, combine))?;
            let run = to.finish()?;
            self.written.rewritten += run.entries;
            fewer.extend(run.cursor(name));
        }
        Ok(fewer)
    }

    /// Where the runs of the last level begin, if there are too many of it.
    fn first_to_merge(&self) -> Option<usize> {
        let level = self.runs.last()?.level;
        let first = self.runs.iter().position(|run| run.level == level)?;
        (self.runs.len() - first >= self.fan_in_max).then_some(first)
    }

    /// The runs from the one with this number on, as one.
    fn rewrite<C: Combine>(&mut self, first: usize, combine: &mut C) -> Result<Run<S>, C::Error> {
        let runs = &self.runs[first..];
        let spans: BTreeSet<S> = runs.iter().flat_map(|run| run.segments.keys().copied()).collect();
        let mut to = self.begin()?;
        for span in spans {
            to.begin(span)?;
            let cursors = runs.iter().filter_map(|run| run.cursor(span)).collect();
            Merge::new(cursors, self.order)?.fold(&mut Rewrite::new(&mut to, combine))?;
        }
        let mut run = to.finish()?;
        run.level = runs.first().map_or(0, |run| run.level) + 1;
        self.written.rewritten += run.entries;
        Ok(run)
    }
}
