//! The flag `--max-gap`.

use std::fmt;
use std::str::FromStr;

use units::{DurationMs, parse_duration};

/// How long a gap may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gap {
    Steps(u64),
    Duration(DurationMs),
}

impl Gap {
    /// Returns how many whole steps of so many milliseconds (more than 0) it is.
    #[must_use]
    pub fn steps(self, step_ms: i64) -> u64 {
        match self {
            Gap::Steps(steps) => steps,
            Gap::Duration(duration) => u64::try_from(duration.0 / step_ms).unwrap_or(0),
        }
    }
}

impl FromStr for Gap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(steps) => Ok(Gap::Steps(steps)),
            Err(_) => match parse_duration(text) {
                Ok(ms) => Ok(Gap::Duration(DurationMs(ms))),
                Err(error) => Err(format!("{error}; a gap is a duration (5m) or a number of steps (5)")),
            },
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gap::Steps(steps) => steps.fmt(f),
            Gap::Duration(duration) => duration.fmt(f),
        }
    }
}
