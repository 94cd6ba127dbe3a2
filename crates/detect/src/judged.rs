//! A point as alarms see it.

use surprise::Verdict;

/// What an alarm began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A surprising number.
    Number,
    /// A number that stays the same.
    Flat,
    /// A long time without a line.
    Gap,
}

/// A point with what is said of the most surprising of its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    pub numbers: &'a [Option<f64>],
    /// Which number it is.
    pub value: usize,
    pub verdict: &'a Verdict,
    pub time_ms: i64,
    /// It came after a long time without a line.
    pub is_after_gap: bool,
}
