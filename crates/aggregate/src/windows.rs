//! Time windows, whole or made of slices.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use accumulators::Plan;
use event_time::{Scale, Window, format_rfc3339};
use millpipe::{Fault, Late, Out};

use crate::groups::{Groups, Taken};
use crate::overlaps::Overlaps;
use crate::panes::{self, Panes};
use crate::work::Work;

/// Windows that each line names. They close when the watermark reaches their last millisecond.
#[derive(Debug)]
pub struct Windows {
    pub panes: Panes,
}

impl Windows {
    pub fn new(plan: &Arc<Plan>) -> Windows {
        Windows { panes: Panes::new(plan) }
    }

    /// # Errors
    /// `Stop` at a limit.
    #[inline]
    pub fn line(
        &mut self,
        window: Window,
        taken: &Taken<'_>,
        watermark_ms: Option<i64>,
        work: &mut Work,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let slot = match self.panes.find(window) {
            Some(slot) => slot,
            None if watermark_ms.is_some_and(|watermark| window.is_closed_by(watermark)) => {
                late(window, taken, out);
                return Ok(());
            }
            None => self.panes.open(window),
        };
        work.take(taken.line, out);
        self.panes.update(slot, taken, work)
    }

    /// Writes and forgets the windows that the watermark closes; without one, all.
    ///
    /// # Errors
    /// `Stop` at a limit, or when groups are on disk and cannot be read.
    pub fn close(&mut self, watermark_ms: Option<i64>, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        self.panes.flush(work)?;
        while let Some(window) = self.panes.first().filter(|window| closes(*window, watermark_ms)) {
            let is_spilled = work.spill.as_ref().is_some_and(|spill| spill.has(window));
            if is_spilled {
                self.panes.spill(window..=window, work)?;
            }
            let Some(pane) = self.panes.close(window, work) else { break };
            let scaled = Some((window, Scale::Time));
            if is_spilled && let Some(spill) = &mut work.spill {
                spill.write_results(&[window], scaled, &mut work.results, out)?;
            } else {
                work.results.write_all(scaled, &pane.groups, out);
            }
            work.settle(pane.lines, out);
            self.panes.retire(window, pane, work)?;
        }
        Ok(())
    }
}

/// Windows that marks announced, made of the slices inside them. A slice is forgotten with its last window.
#[derive(Debug)]
pub struct Slices {
    pub panes: Panes,
    pub announced: BTreeSet<Window>,
    overlaps: Overlaps,
}

impl Slices {
    pub fn new(plan: &Arc<Plan>) -> Slices {
        Slices { panes: Panes::new(plan), announced: BTreeSet::new(), overlaps: Overlaps::default() }
    }

    /// # Errors
    /// `Stop` at a limit.
    #[inline]
    pub fn line(&mut self, slice: Window, taken: &Taken<'_>, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        let slot = match self.panes.find(slice) {
            Some(slot) => slot,
            None if !self.is_wanted(slice) => {
                late(slice, taken, out);
                return Ok(());
            }
            None => self.panes.open(slice),
        };
        work.take(taken.line, out);
        self.panes.update(slot, taken, work)
    }

    /// Whether an announced window contains the slice.
    fn is_wanted(&self, slice: Window) -> bool {
        let ending_later = self.announced.range(Window::new(i64::MIN, slice.end_ms)..);
        ending_later.into_iter().any(|window| window.start_ms <= slice.start_ms)
    }

    /// Writes the windows that the watermark closes (without one, all) and forgets slices that are in no other.
    ///
    /// # Errors
    /// `Stop` at a limit.
    pub fn close(&mut self, watermark_ms: Option<i64>, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        self.panes.flush(work)?;
        while let Some(window) = self.announced.first().copied().filter(|window| closes(*window, watermark_ms)) {
            self.announced.pop_first();
            let slices = self.panes.inside(window);
            self.write(window, &slices, work, out)?;
            for slice in slices {
                if !self.is_wanted(slice)
                    && let Some(pane) = self.panes.close(slice, work)
                {
                    work.settle(pane.lines, out);
                    self.panes.retire(slice, pane, work)?;
                }
            }
        }
        Ok(())
    }

    /// Whether some of the slices are in runs, or all of them together would be too much in memory.
    fn needs_disk(&self, slices: &[Window], work: &Work) -> bool {
        let Some(spill) = &work.spill else { return false };
        slices.iter().any(|slice| spill.has(*slice)) || slices.len() > 1 && !spill.fits_twice(self.panes.bytes())
    }

    fn write(&mut self, window: Window, slices: &[Window], work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        let scaled = Some((window, Scale::Time));
        if self.needs_disk(slices, work) {
            self.panes.spill(panes::ALL, work)?;
            if let Some(spill) = &mut work.spill {
                spill.write_results(slices, scaled, &mut work.results, out)?;
            }
            return Ok(());
        }
        if let [slice] = slices
            && let Some(pane) = self.panes.get(*slice)
        {
            work.results.write_all(scaled, &pane.groups, out);
            return Ok(());
        }
        let groups: Vec<&Groups> = slices.iter().filter_map(|slice| Some(&self.panes.get(*slice)?.groups)).collect();
        self.overlaps.write(window, &groups, &mut work.results, out)
    }
}

fn closes(window: Window, watermark_ms: Option<i64>) -> bool {
    watermark_ms.is_none_or(|watermark| window.is_closed_by(watermark))
}

#[cold]
pub fn late(window: Window, taken: &Taken<'_>, out: &mut Out) {
    let (start, end) = (format_rfc3339(window.start_ms), format_rfc3339(window.end_ms));
    take_out(
        taken,
        out,
        format_args!("late: the window [{start}, {end}) was closed"),
        "a larger --lateness of window waits for such lines; --late reject keeps them",
    );
}

/// What becomes of a late line. One that passes is in no result.
pub fn take_out(taken: &Taken<'_>, out: &mut Out, why: impl Display, hint: &str) {
    if out.late_policy() == Late::Pass {
        out.count_late_passed();
        return out.line(taken.line);
    }
    out.late(taken.line, why, hint);
}
