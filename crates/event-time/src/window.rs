//! One window: a span of time, [start, end).

use std::cmp::Ordering;

/// [start, end) in milliseconds since the epoch; ordered by end, then start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Window {
    pub start_ms: i64,
    pub end_ms: i64,
}

impl Window {
    pub const fn new(start_ms: i64, end_ms: i64) -> Self {
        Self { start_ms, end_ms }
    }

    /// Whether `time_ms` lies in it.
    pub const fn contains(self, time_ms: i64) -> bool {
        self.start_ms <= time_ms && time_ms < self.end_ms
    }

    /// Whether a watermark of `watermark_ms` closes it: no line for it is expected any more.
    pub const fn is_closed_by(self, watermark_ms: i64) -> bool {
        watermark_ms >= self.end_ms - 1
    }

    /// Whether the two overlap or lie end to start, so that as sessions they are one.
    pub const fn touches(self, other: Self) -> bool {
        self.start_ms <= other.end_ms && self.end_ms >= other.start_ms
    }

    /// The shortest window that holds both.
    pub fn union(self, other: Self) -> Self {
        Self { start_ms: self.start_ms.min(other.start_ms), end_ms: self.end_ms.max(other.end_ms) }
    }
}

impl Ord for Window {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.end_ms, self.start_ms).cmp(&(other.end_ms, other.start_ms))
    }
}

impl PartialOrd for Window {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
