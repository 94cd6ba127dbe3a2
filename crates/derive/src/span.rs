//! Which lines a statistic is of.

use std::fmt;

use units::{DurationMs, parse_duration};

/// The lines up to the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// All since the first.
    All,
    /// The last ones, so many.
    Lines(usize),
    /// Those of a time: from just after so many milliseconds before the line.
    Time(i64),
}

impl Span {
    /// Reads `all`, a number of lines or a duration; none for what looks like none of them.
    ///
    /// # Errors
    /// A number or a duration that is of no use.
    pub fn read(text: &str) -> Option<Result<Span, String>> {
        if text == "all" {
            return Some(Ok(Span::All));
        }
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(lines(text).map(Span::Lines));
        }
        let within_ms = match parse_duration(text) {
            Ok(within_ms) => within_ms,
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(if within_ms > 0 { Ok(Span::Time(within_ms)) } else { Err("a time must be more than 0".to_owned()) })
    }

    /// Returns true if the times of lines count.
    #[must_use]
    pub fn is_timed(self) -> bool {
        matches!(self, Span::Time(_))
    }
}

/// Most lines that a function may ask for; `--max-lines` may be less.
pub const LINES_MAX: usize = 10_000_000;

/// Reads a number of lines.
///
/// # Errors
/// For zero, and for more than there can be.
pub fn lines(text: &str) -> Result<usize, String> {
    let lines = text.parse().ok().filter(|lines| (1..=LINES_MAX).contains(lines));
    lines.ok_or_else(|| format!("{text} lines: it has to be 1 to {LINES_MAX}"))
}

/// As a user would write it.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Span::All => f.write_str("all"),
            Span::Lines(lines) => lines.fmt(f),
            Span::Time(within_ms) => DurationMs(*within_ms).fmt(f),
        }
    }
}
