//! The sizes that `--size` takes: durations, and days, weeks and months of the calendar.

use crate::CalendarUnit;
use std::fmt;
use std::str::FromStr;
use units::{format_duration, parse_duration};

/// A window's size: `10s` and `24h` are durations; `1d`, `2w` and `1mo` count calendar units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowSize {
    Fixed { size_ms: i64 },
    Calendar { unit: CalendarUnit, count: i64 },
}

/// The most calendar units in a window: a hundred years of days.
const COUNT_MAX: i64 = 36_525;

impl FromStr for WindowSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits_end = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, unit) = text.split_at(digits_end);
        let unit = match unit {
            "d" => CalendarUnit::Day,
            "w" => CalendarUnit::Week,
            "mo" => CalendarUnit::Month,
            _ => {
                let size_ms = parse_duration(text).map_err(|error| error.to_string())?;
                return if size_ms == 0 {
                    Err(format!("size {text:?} is zero: say 10s, 5m, 1h, 1d, 1w or 1mo"))
                } else {
                    Ok(Self::Fixed { size_ms })
                };
            }
        };
        match digits.parse::<i64>() {
            Ok(count @ 1..=COUNT_MAX) => Ok(Self::Calendar { unit, count }),
            Ok(0) => Err(format!("size {text:?} is zero: say 1d, 1w or 1mo")),
            _ if digits.is_empty() => Err(format!("{text:?} is not a size: say 1d, 1w or 1mo")),
            _ => Err(format!("size {text:?} is too long: a hundred years at most")),
        }
    }
}

impl fmt::Display for WindowSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { size_ms } => f.write_str(&format_duration(*size_ms)),
            Self::Calendar { unit, count } => {
                let unit = match unit {
                    CalendarUnit::Day => "d",
                    CalendarUnit::Week => "w",
                    CalendarUnit::Month => "mo",
                };
                write!(f, "{count}{unit}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_durations_or_calendar_units() {
        let day = WindowSize::Calendar { unit: CalendarUnit::Day, count: 1 };
        let quarter = WindowSize::Calendar { unit: CalendarUnit::Month, count: 3 };
        assert_eq!("1d".parse(), Ok(day));
        assert_eq!("3mo".parse(), Ok(quarter));
        assert_eq!("24h".parse(), Ok(WindowSize::Fixed { size_ms: 86_400_000 }));
        for text in ["1d", "2w", "3mo", "10s", "1h30m"] {
            assert_eq!(text.parse::<WindowSize>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_size_is_quoted() {
        for (text, message) in [
            ("0s", "size \"0s\" is zero: say 10s, 5m, 1h, 1d, 1w or 1mo"),
            ("0d", "size \"0d\" is zero: say 1d, 1w or 1mo"),
            ("d", "\"d\" is not a size: say 1d, 1w or 1mo"),
            ("99999d", "size \"99999d\" is too long: a hundred years at most"),
            ("10", "duration \"10\" has no unit: say 10s or 10ms"),
        ] {
            assert_eq!(text.parse::<WindowSize>().unwrap_err(), message);
        }
    }
}
