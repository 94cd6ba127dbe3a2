//! Anomaly detectors for streams: how surprising each point is, from the points before it alone.
//!
//! [`Detector`] asks of a value whether one like it has been there, by a small memory of distinct values; the distance to
//! the nearest is judged against the largest such distances of the same stream. The same is asked of what a daily or weekly
//! season leaves of the value, and of its pair with the value four points before. [`Robust`] keeps medians, and an offset for
//! each hour of the day: 136 bytes. [`ChangePoints`] says when the level, the trend or the spread of a series has changed.
//!
//! A surprise is in decades: as if a value so far out came once in ten to the surprise points.
//!
//! All numbers are `f64`, and made by operations that give the same bits on every machine.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod change_points;
mod course;
mod detector;
mod expectation;
mod flat;
mod hours;
mod mean_error;
mod novelty;
mod pairs;
mod robust;
mod run;
mod season;
mod state;
mod tail;

pub use change_points::{Change, ChangeKind, ChangePoints};
pub use detector::Detector;
pub use expectation::Interval;
pub use robust::Robust;

/// With fewer points nothing is said.
const POINTS_FEW: u64 = 60;
/// How far back a stream is remembered, in points.
const POINTS_REMEMBERED: u64 = 10_000;

/// What a detector says of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// In decades; 0 for an ordinary point.
    pub surprise: f64,
    /// The surprise is larger than those shortly before: not the echo of an anomaly.
    pub counts: bool,
    pub evidence: Evidence,
    /// None for the first points.
    pub interval: Option<Interval>,
    /// What the season says, where it helps.
    pub seasonal: Option<f64>,
    /// The points before it were already much further from what was expected than usual.
    pub is_unsteady: bool,
    /// With this point the value has stayed the same for much longer than ever before. It has no part in the surprise.
    pub is_flat: bool,
}

/// What is surprising about a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    Value,
    /// The value, at this time of the day or week.
    Season,
    /// The value after the one four points before.
    Pair,
    /// The value beside others of the same time.
    Peers,
}

impl Verdict {
    /// Returns the score, from 0 to 1: 0 if the surprise does not count.
    #[must_use]
    pub fn score(&self) -> f64 {
        if self.counts { score_of(self.surprise) } else { 0.0 }
    }
}

/// At this surprise the score is one half.
const SURPRISE_HALF: f64 = 1.2;

/// Returns the score of a surprise, from 0 to below 1.
#[must_use]
pub fn score_of(surprise: f64) -> f64 {
    surprise / (surprise + SURPRISE_HALF)
}
