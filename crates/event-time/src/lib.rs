//! Event time: reading and writing times, watermarks, windows, calendars and sessions.
//!
//! A time is an `i64` of milliseconds since the epoch (finer times are floored). A window is
//! [start, end); watermark W closes it when W >= end - 1. Nothing here reads a clock.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod annotation;
mod calendar;
mod event_time;
mod field;
mod flags;
mod other_lines;
mod partition_minimum;
mod sessions;
mod stream_time;
mod time_field;
mod timezone;
mod watermarks;
mod window;
mod window_size;
mod windowing;
mod zone;

pub use annotation::{
    ANNOTATION, Annotation, AnnotationKind, Annotations, Fronts, SLICE, Scale, WINDOW, annotation_paths,
};
pub use calendar::{Calendar, CalendarUnit};
pub use event_time::EventTime;
pub use field::{TimeError, TimeParser, TimeUnit};
pub use flags::{LATENESS_OF_WINDOWS_MS, MaxAhead, TimeArgs};
pub use other_lines::OtherLines;
pub use sessions::{ClosedSession, Sessions, TooManySessions};
pub use stream_time::{StreamTime, StreamTimeError, TimeSettings};
pub use time_field::{TimeField, TimeOf, no_time};
pub use time_text::{TIME_MAX_MS, TIME_MIN_MS, format_rfc3339, parse_rfc3339, write_rfc3339};
pub use timezone::Timezone;
pub use watermarks::{Holder, PARTITIONS_MAX, TooManyPartitions, Watermarks};
pub use window::Window;
pub use window_size::WindowSize;
pub use windowing::{Windowing, WindowingError};
