//! The figures of a run for those who watch it: written by its loop, read by another thread at any time.
//!
//! Counts are atomic numbers, noted before each wait, so that they are right while the loop stands still. What marks say, and
//! what the tool itself says of its state, comes seldom, and is behind a lock.

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkpoint::CheckpointId;
use serde_json::{Map, Value};
use stream::{Mark, MarkKind};
use time_text::{format_rfc3339, parse_rfc3339};

use crate::counts::Counts;

/// What a tool says of its state to those who watch it: `keys`, `open_windows` and the like, as JSON.
pub type Facts = Map<String, Value>;

/// So many rejected lines are shown: the last ones.
const REJECTS_MAX: usize = 10;

/// So many bytes of a rejected line are shown.
const REJECT_BYTES_MAX: usize = 200;

/// The figures of one run, shared by all who hold a clone. Where nobody watches, there are none, and noting costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Figures(Option<Arc<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    counts: AtomicCounts,
    held: AtomicU64,
    seldom: Mutex<Seldom>,
}

/// What changes at marks, or once a second.
#[derive(Clone, Debug, Default)]
pub struct Seldom {
    /// Of a checked stream: the run, and the number of the stage in its pipe.
    pub run: Option<(String, u64)>,
    /// In a shard: its number.
    pub shard: String,
    /// The last watermark, and when it came; both in milliseconds of the epoch.
    pub watermark_ms: Option<(i64, i64)>,
    pub barrier: Option<Passed>,
    pub snapshot: Option<Saved>,
    pub commit: Option<Passed>,
    pub facts: Facts,
    pub rejects: VecDeque<Value>,
}

/// A barrier that has come to a stage, or was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub id: String,
    /// Milliseconds of the epoch: of a barrier when its source wrote it, of a commit when it was done.
    pub at_ms: i64,
    /// How long it took to come here, or to be committed.
    pub took_ms: i64,
}

/// A snapshot that is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    pub took: Duration,
    /// Of this snapshot alone: what has changed since the one before it.
    pub bytes: u64,
}

impl Figures {
    /// Figures that somebody looks at.
    #[must_use]
    pub fn watched() -> Self {
        Self(Some(Arc::default()))
    }

    /// Returns true where somebody looks.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.0.is_some()
    }

    /// Notes the counts of now.
    #[inline]
    pub fn note_counts(&self, counts: &Counts) {
        if let Some(inner) = &self.0 {
            inner.counts.store(counts);
        }
    }

    /// Notes them, and how many lines are held.
    #[inline]
    pub fn note(&self, counts: &Counts, held: u64) {
        if let Some(inner) = &self.0 {
            inner.counts.store(counts);
            inner.held.store(held, Relaxed);
        }
    }

    /// Notes what the tool says of its state.
    pub fn note_facts(&self, facts: Facts) {
        self.change(|seldom| seldom.facts = facts);
    }

    /// The counts so far, and how many lines are held.
    #[must_use]
    pub fn counts(&self) -> (Counts, u64) {
        self.0.as_ref().map_or_else(Default::default, |inner| (inner.counts.load(), inner.held.load(Relaxed)))
    }

    /// All else.
    #[must_use]
    pub fn seldom(&self) -> Seldom {
        self.0.as_ref().map(|inner| inner.seldom().clone()).unwrap_or_default()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Seldom)) {
        if let Some(inner) = &self.0 {
            change(&mut inner.seldom());
        }
    }

    /// Notes whose stream it is.
    pub(crate) fn hello(&self, hello: &Mark) {
        self.change(|seldom| {
            seldom.run = hello.text("run").map(|run| (run.to_owned(), hello.number("hop").unwrap_or(0)));
            seldom.shard = hello.text("shard").unwrap_or_default().to_owned();
        });
    }

    /// Notes what a watermark says; another mark is nothing to it.
    pub(crate) fn watermark(&self, mark: &Mark, now_ms: i64) {
        if mark.kind() == MarkKind::Watermark {
            self.change(|seldom| {
                if let Ok(Some(watermark_ms)) = mark.watermark_ms() {
                    seldom.watermark_ms = Some((watermark_ms, now_ms));
                }
            });
        }
    }

    /// Notes that a barrier has come.
    pub(crate) fn barrier(&self, barrier: &Mark, now_ms: i64) {
        self.change(|seldom| {
            let at_ms = barrier.text("at").and_then(|at| parse_rfc3339(at.as_bytes()));
            if let (Some(id), Some(at_ms)) = (barrier.text("id"), at_ms) {
                seldom.barrier =
                    Some(Passed { id: id.to_owned(), at_ms, took_ms: now_ms.saturating_sub(at_ms).max(0) });
            }
        });
    }

    /// Notes that a checkpoint is committed, which has taken so long.
    pub(crate) fn commit(&self, id: &CheckpointId, now_ms: i64, took_ms: i64) {
        self.change(|seldom| seldom.commit = Some(Passed { id: id.to_string(), at_ms: now_ms, took_ms }));
    }

    /// Keeps a line that was rejected, for a while.
    pub(crate) fn reject(&self, now_ms: i64, place: &dyn Display, why: &dyn Display, line: &[u8]) {
        self.change(|seldom| {
            if seldom.rejects.len() == REJECTS_MAX {
                seldom.rejects.pop_front();
            }
            let shown = String::from_utf8_lossy(&line[..line.len().min(REJECT_BYTES_MAX)]).into_owned();
            seldom.rejects.push_back(serde_json::json!({
                "at": format_rfc3339(now_ms), "place": place.to_string(), "why": why.to_string(), "line": shown,
            }));
        });
    }
}

impl Inner {
    fn seldom(&self) -> MutexGuard<'_, Seldom> {
        self.seldom.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`Counts`] that another thread may read.
#[derive(Debug, Default)]
struct AtomicCounts([AtomicU64; 10]);

impl AtomicCounts {
    fn store(&self, counts: &Counts) {
        let Counts {
            lines_in,
            bytes_in,
            restored,
            settled,
            left_out,
            late,
            late_passed,
            rejected,
            lines_out,
            bytes_out,
        } = *counts;
        let all = [lines_in, bytes_in, restored, settled, left_out, late, late_passed, rejected, lines_out, bytes_out];
        for (to, count) in self.0.iter().zip(all) {
            to.store(count, Relaxed);
        }
    }

    fn load(&self) -> Counts {
        let [lines_in, bytes_in, restored, settled, left_out, late, late_passed, rejected, lines_out, bytes_out] =
            self.0.each_ref().map(|count| count.load(Relaxed));
        Counts { lines_in, bytes_in, restored, settled, left_out, late, late_passed, rejected, lines_out, bytes_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_were_noted() {
        let figures = Figures::watched();
        let counts =
            Counts { lines_in: 1, bytes_in: 2, restored: 3, settled: 4, left_out: 5, late: 6, ..Counts::default() };
        let counts = Counts { late_passed: 7, rejected: 8, lines_out: 9, bytes_out: 10, ..counts };
        figures.clone().note(&counts, 11);
        assert_eq!(figures.counts(), (counts, 11));
    }

    #[test]
    fn the_last_ten_rejects_are_kept_and_not_all_of_their_bytes() {
        let figures = Figures::watched();
        for line in 0..12 {
            figures.reject(0, &format_args!("line {line}"), &"too long", &[b'x'; 300]);
        }
        let rejects = figures.seldom().rejects;
        assert_eq!(
            (rejects.len(), &rejects[0]["place"], &rejects[9]["place"]),
            (10, &"line 2".into(), &"line 11".into())
        );
        assert_eq!(rejects[0]["line"].as_str().map(str::len), Some(200));
    }

    #[test]
    fn nothing_is_noted_where_nobody_watches() {
        let figures = Figures::default();
        figures.note(&Counts { lines_in: 1, ..Counts::default() }, 1);
        figures.reject(0, &1, &2, b"3");
        assert_eq!(figures.counts(), (Counts::default(), 0));
        assert!(figures.seldom().rejects.is_empty());
    }
}
