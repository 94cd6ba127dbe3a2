//! Event time: reading and writing times, watermarks, windows, calendars and sessions.
//!
//! A time is an `i64` of milliseconds since the epoch (finer times are floored). A window is
//! [start, end); watermark W closes it when W >= end - 1. Nothing here reads a clock.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod calendar;
mod epoch_number;
mod field;
mod flags;
mod other_lines;
mod partition_minimum;
pub mod rfc3339;
mod sessions;
mod stream_time;
mod watermarks;
mod window;
mod window_size;
mod windowing;

pub use calendar::{Calendar, CalendarUnit};
pub use chrono_tz::Tz;
pub use field::{TimeError, TimeParser, TimeUnit};
pub use flags::{LATENESS_OF_WINDOWS_MS, MaxAhead, TimeArgs};
pub use other_lines::OtherLines;
pub use rfc3339::{format_rfc3339, parse_rfc3339, write_rfc3339};
pub use sessions::{ClosedSession, Sessions, TooManySessions};
pub use stream_time::{StreamTime, StreamTimeError, TimeSettings};
pub use watermarks::{PARTITIONS_MAX, TooManyPartitions, Watermarks};
pub use window::Window;
pub use window_size::{Timezone, WindowSize};
pub use windowing::{Windowing, WindowingError};

/// The first time that RFC 3339 can write: 0000-01-01T00:00:00Z.
pub const TIME_MIN_MS: i64 = -62_167_219_200_000;
/// The last time that RFC 3339 can write: 9999-12-31T23:59:59.999Z.
pub const TIME_MAX_MS: i64 = 253_402_300_799_999;
