//! Starts of the pipeline that were stopped, and go on beside a later one.

use std::fmt;
use std::time::{Duration, Instant};

/// A start of the pipeline whose processes were stopped, and wake up beside a later one.
pub struct Stale {
    pub(crate) number: u32,
    pub(crate) wake_at: Instant,
    pub(crate) is_awake: bool,
}

impl Stale {
    pub fn is_awake(&self) -> bool {
        self.is_awake
    }

    pub fn is_awake_for(&self, time: Duration) -> bool {
        self.is_awake && self.wake_at.elapsed() > time
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "start {}, woken up,", self.number)
    }
}
