//! The time field of a line: an RFC 3339 string or an epoch number.

use crate::epoch_number::Decimal;
use crate::rfc3339::MinuteCache;
use crate::{TIME_MAX_MS, TIME_MIN_MS};
use std::fmt;
use std::str::FromStr;

/// What an epoch number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeUnit {
    /// By magnitude: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else
    /// nanoseconds. So each unit is right from 1973 (seconds: from 1970) to 5138.
    #[default]
    Auto,
    S,
    Ms,
    Us,
    Ns,
}

impl TimeUnit {
    /// The power of ten that turns a number of these into milliseconds.
    fn scale(self, number: Decimal) -> i32 {
        match self {
            Self::S => 3,
            Self::Ms => 0,
            Self::Us => -3,
            Self::Ns => -6,
            Self::Auto => Self::by_magnitude(number.magnitude()).scale(number),
        }
    }

    fn by_magnitude(magnitude: i64) -> Self {
        match magnitude {
            0..100_000_000_000 => Self::S,
            100_000_000_000..100_000_000_000_000 => Self::Ms,
            100_000_000_000_000..100_000_000_000_000_000 => Self::Us,
            _ => Self::Ns,
        }
    }
}

impl FromStr for TimeUnit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "s" => Self::S,
            "ms" => Self::Ms,
            "us" => Self::Us,
            "ns" => Self::Ns,
            _ => return Err(format!("unknown time unit {text:?}: say auto, s, ms, us or ns")),
        })
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::S => "s",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Ns => "ns",
        })
    }
}

/// A value that is no time; the text shows it as it stands in the line, cut when it is long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    #[error("time {0} is neither RFC 3339 nor an epoch number")]
    NotATime(String),
    #[error("time {0} is outside the years 0000 to 9999")]
    OutOfRange(String),
}

/// Reads the time field of lines; it remembers the minute of the last one.
#[derive(Debug, Clone, Default)]
pub struct TimeParser {
    unit: TimeUnit,
    minutes: MinuteCache,
}

impl TimeParser {
    /// `unit` is what epoch numbers count; RFC 3339 is taken in any case.
    pub fn new(unit: TimeUnit) -> Self {
        Self { unit, minutes: MinuteCache::default() }
    }

    /// Milliseconds since the epoch of a raw JSON value: a string (with its quotes) or a number.
    ///
    /// A string may hold an epoch number too.
    #[inline]
    pub fn parse_field(&mut self, json: &[u8]) -> Result<i64, TimeError> {
        let text = match json {
            [b'"', text @ .., b'"'] => {
                if let Some(time_ms) = self.minutes.parse(text) {
                    return in_range(time_ms, json);
                }
                text
            }
            _ => json,
        };
        self.parse_other(text, json)
    }

    #[cold]
    fn parse_escaped(&mut self, text: &[u8], json: &[u8]) -> Result<i64, TimeError> {
        let plain = unescape(text).ok_or_else(|| TimeError::NotATime(shown(json)))?;
        match self.minutes.parse(&plain) {
            Some(time_ms) => in_range(time_ms, json),
            None => self.parse_number(&plain, json),
        }
    }

    fn parse_other(&mut self, text: &[u8], json: &[u8]) -> Result<i64, TimeError> {
        if text.contains(&b'\\') {
            return self.parse_escaped(text, json);
        }
        self.parse_number(text, json)
    }

    fn parse_number(&self, text: &[u8], json: &[u8]) -> Result<i64, TimeError> {
        let number = Decimal::parse(text).ok_or_else(|| TimeError::NotATime(shown(json)))?;
        in_range(number.floor_scaled(self.unit.scale(number)), json)
    }
}

#[inline]
fn in_range(time_ms: i64, json: &[u8]) -> Result<i64, TimeError> {
    if (TIME_MIN_MS..=TIME_MAX_MS).contains(&time_ms) { Ok(time_ms) } else { Err(TimeError::OutOfRange(shown(json))) }
}

/// Some writers escape the `+` of an offset or a `/`: only what can be part of a time is decoded.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let (hex, after) = rest.strip_prefix(b"u00")?.split_at_checked(2)?;
        plain.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
        rest = after;
    }
    Some(plain)
}

/// The value for a message: at most 60 characters of it.
fn shown(json: &[u8]) -> String {
    const SHOWN_CHARS: usize = 60;
    let text = String::from_utf8_lossy(json);
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(json: &str) -> Result<i64, TimeError> {
        TimeParser::new(TimeUnit::Auto).parse_field(json.as_bytes())
    }

    #[test]
    fn a_time_is_a_string_or_a_number() {
        let time_ms = 1_700_000_000_250;
        for json in [
            "\"2023-11-14T22:13:20.25Z\"",
            "\"2023-11-15T06:13:20.250+08:00\"",
            "\"2023-11-15T06:13:20.250\\u002B08:00\"",
            "1700000000.25",
            "\"1700000000.25\"",
            "1700000000250",
            "1700000000250999",
            "1700000000250999999",
            "1.70000000025e12",
        ] {
            assert_eq!(auto(json), Ok(time_ms), "{json}");
        }
    }

    #[test]
    fn a_number_is_judged_by_its_magnitude() {
        assert_eq!(auto("0"), Ok(0));
        assert_eq!(auto("-1"), Ok(-1_000));
        assert_eq!(auto("99999999999"), Ok(99_999_999_999_000));
        assert_eq!(auto("100000000000"), Ok(100_000_000_000));
        assert_eq!(auto("-100000000000"), Ok(-100_000_000_000));
        assert_eq!(auto("99999999999999"), Ok(99_999_999_999_999));
        assert_eq!(auto("100000000000000"), Ok(100_000_000_000));
        assert_eq!(auto("100000000000000000"), Ok(100_000_000_000));
    }

    #[test]
    fn a_given_unit_is_taken_at_any_magnitude() {
        for (unit, time_ms) in [("s", 5_000), ("ms", 5), ("us", 0), ("ns", 0)] {
            let mut parser = TimeParser::new(unit.parse().unwrap());
            assert_eq!(parser.parse_field(b"5"), Ok(time_ms), "{unit}");
        }
    }

    #[test]
    fn what_is_no_time_is_shown() {
        for (json, message) in [
            ("\"yesterday\"", "time \"yesterday\" is neither RFC 3339 nor an epoch number"),
            ("null", "time null is neither RFC 3339 nor an epoch number"),
            ("true", "time true is neither RFC 3339 nor an epoch number"),
            ("\"\"", "time \"\" is neither RFC 3339 nor an epoch number"),
            ("1e30", "time 1e30 is outside the years 0000 to 9999"),
            ("\"2026-02-30T00:00:00Z\"", "time \"2026-02-30T00:00:00Z\" is neither RFC 3339 nor an epoch number"),
            ("\"0000-01-01T00:00:00+00:01\"", "time \"0000-01-01T00:00:00+00:01\" is outside the years 0000 to 9999"),
        ] {
            assert_eq!(auto(json).unwrap_err().to_string(), message);
        }
        let long = auto(&format!("\"{}\"", "é".repeat(500))).unwrap_err();
        assert!(long.to_string().len() < 200);
    }

    #[test]
    fn an_unknown_unit_is_quoted() {
        let error = "min".parse::<TimeUnit>().unwrap_err();
        assert_eq!(error, "unknown time unit \"min\": say auto, s, ms, us or ns");
    }
}
