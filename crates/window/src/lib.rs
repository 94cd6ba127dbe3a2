//! `window` puts each line into its windows, by adding members in front of it; it computes nothing.
//!
//! **Lines.** A line is a JSON object with a time (or, for windows by count, none). It goes out at once with
//! `window_start` and `window_end` in front of its members and not a byte of the others changed. What it had of such
//! members before is taken out. Lines keep their order, but for sessions with `--expand`.
//!
//! **One line, many windows.** A hopping line is in several windows. It is written once, with the slice of time that it
//! is in (`slice_start`, `slice_end`), and a mark before the first line that needs it says that a window exists:
//! `aggregate` makes windows of slices. Session lines go out at once likewise, each with a session of its own
//! that `aggregate` ties to its neighbours. `--expand` writes one line per window instead, for other programs; for
//! sessions it must keep the lines until the session is over.
//!
//! **Time.** The watermark is the latest time less `--lateness`, the least over all partitions, or what watermark marks
//! in the input say. It is written as a mark right behind the line that moved it past the end of a slice while a window
//! is open, or past the end of a session: often enough to close windows in time, and never oftener. So the marks depend
//! on the lines alone, not on how they arrive. from, idle and watermark marks of the input end here.
//!
//! Lines that `--where` does not select pass, but their time counts: that of a pipe is the time of all its lines.
//! Watermark marks of the input then all go on, for the stages that take those lines.
//!
//! With `--processing-time` the time of a line is that of the clock when it comes. Then no line is late, the watermark is
//! the clock's, and time marks of the input end here. The same input gives other windows each time.
//!
//! **Late lines.** A line is late for [start, end) when the watermark, from the lines before it, is at or beyond
//! end - 1 ms. A line in several windows is late when it is late for all of them. A session is judged as a whole: a
//! line that touches an open one is not late.
//!
//! **Memory.** Nothing per line, but for sessions with `--expand` (`--buffer`). Windows of a size: what is announced
//! and not closed, at most [`ANNOUNCED_MAX`]. Sessions and counts: the open sessions, the counts of keys, at most
//! `--max-keys`. At a limit the tool stops and says so.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod annotation;
pub mod cli;
mod clock_windows;
mod closing;
mod count_windows;
mod line_reader;
mod open_sessions;
mod refused;
mod session_windows;
mod sized_windows;
mod time_windows;

pub use clock_windows::ClockWindows;
pub use count_windows::CountWindows;
pub use session_windows::SessionWindows;
pub use sized_windows::ANNOUNCED_MAX;
pub use time_windows::TimeWindows;

/// How windows are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each line once, with marks that say the rest: what `aggregate` reads.
    Marked,
    /// One line per window, and watermark marks.
    Expanded,
    /// One line per window, and no marks.
    Plain,
}

impl Form {
    fn has_marks(self) -> bool {
        self != Self::Plain
    }

    /// Whether the lines of a session wait for its end.
    fn keeps_lines(self) -> bool {
        self != Self::Marked
    }
}

#[cfg(test)]
mod tests;
