//! What is said of lines that no window takes.

use event_time::{Window, format_rfc3339};
use millpipe::Fault;
use std::fmt;

/// Why a line is late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LateLine {
    pub time_ms: i64,
    /// The last window that it would have been in.
    pub window: Window,
    pub watermark_ms: i64,
}

impl fmt::Display for LateLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "time {} is late: its window up to {} closed at watermark {}",
            format_rfc3339(self.time_ms),
            format_rfc3339(self.window.end_ms),
            format_rfc3339(self.watermark_ms),
        )
    }
}

/// The next stage could not read such a window.
#[cold]
pub(crate) fn beyond_years(time_ms: i64) -> Fault {
    let time = format_rfc3339(time_ms);
    Fault::bad(format_args!("a window of time {time} is outside the years 0000 to 9999"))
}
