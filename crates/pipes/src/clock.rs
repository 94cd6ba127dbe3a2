//! The clock of the machine.
// The one file that asks it; the rest is given the time.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the time in milliseconds since 1970.
pub fn now_ms() -> i64 {
    ms_of(SystemTime::now())
}

/// Returns a time of a file in milliseconds since 1970; 0 for one before it.
pub fn ms_of(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

/// Waits.
pub fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
