//! What is said of a late line.

use event_time::{Window, format_rfc3339};
use std::fmt;

/// Why a line is late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Late {
    pub time_ms: i64,
    /// The last window that it would have been in.
    pub window: Window,
    pub watermark_ms: i64,
}

impl fmt::Display for Late {
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
