//! The time field of a line: an RFC 3339 string, one of its other spellings, or an epoch number.

use crate::Timezone;
use crate::zone::Zone;
use crate::{TIME_MAX_MS, TIME_MIN_MS};
use std::fmt;
use std::str::FromStr;
use time_text::{EpochNumber, MinuteCache, read_spelled};

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
    fn scale(self, number: EpochNumber) -> i32 {
        match self {
            Self::S => 3,
            Self::Ms => 0,
            Self::Us => -3,
            Self::Ns => -6,
            Self::Auto => number.scale_by_magnitude(),
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
    #[error("time {0} does not say its zone")]
    NoZone(String),
    #[error("time {0} is outside the years 0000 to 9999")]
    OutOfRange(String),
    /// The watermark would be.
    #[error("time {0} less --lateness is outside the years 0000 to 9999")]
    TooEarly(String),
}

impl TimeError {
    /// What to do about it.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoZone(_) => Some("--zone UTC, or --zone Europe/Berlin, says which clock wrote it"),
            Self::NotATime(text) if text.starts_with('{') => {
                Some("a path leads to a member of an object: --time '.t.\"$date\"'")
            }
            Self::NotATime(text) if text.starts_with('"') => Some(
                "a jq expression can make a time of it: --time '.at | strptime(\"%d/%b/%Y:%H:%M:%S %z\") | mktime'",
            ),
            Self::OutOfRange(text) if !text.starts_with('"') => {
                Some("--time-unit s, ms, us or ns says what a number counts")
            }
            Self::NotATime(_) | Self::OutOfRange(_) | Self::TooEarly(_) => None,
        }
    }

    /// The reason, with a hint in a second line where there is one.
    #[cold]
    #[must_use]
    pub fn with_hint(&self) -> String {
        self.hint().map_or_else(|| self.to_string(), |hint| format!("{self}\nhint: {hint}"))
    }
}

/// Reads the time field of lines; it remembers the minute of the last one.
#[derive(Debug, Clone)]
pub struct TimeParser {
    unit: TimeUnit,
    zone: Option<Zone>,
    minutes: MinuteCache,
    least_ms: i64,
    /// An epoch number that gave a time in the first years of the epoch.
    doubtful: Option<String>,
    may_doubt: bool,
}

impl Default for TimeParser {
    fn default() -> Self {
        Self::new(TimeUnit::default())
    }
}

/// 1980: numbers of today in a unit that is too small give earlier times.
const DOUBTFUL_BEFORE_MS: i64 = 315_532_800_000;
const SECONDS_OF_2001: i64 = 1_000_000_000;

impl TimeParser {
    /// `unit` is what epoch numbers count; RFC 3339 is taken in any case.
    pub fn new(unit: TimeUnit) -> Self {
        let minutes = MinuteCache::default();
        Self { unit, zone: None, minutes, least_ms: TIME_MIN_MS, doubtful: None, may_doubt: true }
    }

    /// Times that do not say their zone are of this one.
    #[must_use]
    pub fn in_zone(self, zone: Option<Timezone>) -> Self {
        Self { zone: zone.map(Zone::new), ..self }
    }

    /// Times from which `lateness_ms` can be taken off.
    #[must_use]
    pub fn with_lateness(self, lateness_ms: i64) -> Self {
        Self { least_ms: TIME_MIN_MS.saturating_add(lateness_ms), ..self }
    }

    /// Milliseconds since the epoch of a raw JSON value: a string (with its quotes) or a number.
    ///
    /// A string may hold an epoch number too, or one of the spellings that [`read_spelled`] takes.
    #[inline]
    pub fn parse_field(&mut self, json: &[u8]) -> Result<i64, TimeError> {
        let text = match json {
            [b'"', text @ .., b'"'] => {
                if let Some(time_ms) = self.minutes.parse(text) {
                    return self.in_range(time_ms, json);
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
            Some(time_ms) => self.in_range(time_ms, json),
            None => self.parse_number(&plain, json),
        }
    }

    fn parse_other(&mut self, text: &[u8], json: &[u8]) -> Result<i64, TimeError> {
        if text.contains(&b'\\') {
            return self.parse_escaped(text, json);
        }
        self.parse_number(text, json)
    }

    fn parse_number(&mut self, text: &[u8], json: &[u8]) -> Result<i64, TimeError> {
        let Some(number) = EpochNumber::parse(text) else { return self.parse_spelled(text, json) };
        let time_ms = number.floor_scaled(self.unit.scale(number));
        let is_early = (0..DOUBTFUL_BEFORE_MS).contains(&time_ms);
        if is_early && self.may_doubt && number.magnitude() >= SECONDS_OF_2001 {
            self.doubt(time_ms, json);
        }
        self.in_range(time_ms, json)
    }

    #[inline(never)]
    fn parse_spelled(&mut self, text: &[u8], json: &[u8]) -> Result<i64, TimeError> {
        let is_text = json.first() == Some(&b'"');
        let Some(spelled) = read_spelled(text).filter(|_| is_text) else {
            return Err(TimeError::NotATime(shown(json)));
        };
        let time_ms = match (spelled.time_ms(), &mut self.zone) {
            (Some(time_ms), _) => time_ms,
            (None, Some(zone)) => zone.time_ms(spelled.local_ms),
            (None, None) => return Err(TimeError::NoZone(shown(json))),
        };
        self.in_range(time_ms, json)
    }

    #[inline]
    fn in_range(&self, time_ms: i64, json: &[u8]) -> Result<i64, TimeError> {
        if (self.least_ms..=TIME_MAX_MS).contains(&time_ms) { Ok(time_ms) } else { Err(out_of_range(time_ms, json)) }
    }

    #[cold]
    fn doubt(&mut self, time_ms: i64, json: &[u8]) {
        self.may_doubt = false;
        let (number, time, unit) = (shown(json), crate::format_rfc3339(time_ms), self.unit);
        self.doubtful = Some(format!(
            "the number {number} is taken for the time {time} (--time-unit {unit})\nhint: --time-unit s, ms, us or ns says what numbers count, --time FIELD where the time is"
        ));
    }

    /// Returns, once, what looks wrong with a time that was read.
    #[inline]
    pub fn take_doubt(&mut self) -> Option<String> {
        // Most often there is none, and nothing is to be written.
        self.doubtful.as_ref()?;
        self.doubtful.take()
    }
}

#[cold]
fn out_of_range(time_ms: i64, json: &[u8]) -> TimeError {
    let is_early = (TIME_MIN_MS..=TIME_MAX_MS).contains(&time_ms);
    if is_early { TimeError::TooEarly(shown(json)) } else { TimeError::OutOfRange(shown(json)) }
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
    fn other_spellings_of_a_time_and_seconds_as_texts_are_taken() {
        for (json, time) in [
            ("\"2026-06-10T06:13:20+0200\"", "2026-06-10T04:13:20Z"),
            ("\"2026-06-10T06:13:20+02\"", "2026-06-10T04:13:20Z"),
            ("\"2026-06-10 06:13:20,123+02:00\"", "2026-06-10T04:13:20.123Z"),
            ("\"2026-06-10 06:13:20 +0000\"", "2026-06-10T06:13:20Z"),
            ("\"2026-06-10 06:13:20.5 UTC\"", "2026-06-10T06:13:20.500Z"),
            ("\"2026-06-10 06:13:20 \\u002B0200\"", "2026-06-10T04:13:20Z"),
            ("\"1781064800\"", "2026-06-10T04:13:20Z"),
            ("\"1781064800.123\"", "2026-06-10T04:13:20.123Z"),
        ] {
            assert_eq!(auto(json).map(crate::format_rfc3339), Ok(time.to_owned()), "{json}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_of_the_zone_that_is_said_or_asks_for_one() {
        let json = "\"2026-06-10 06:13:20,123\"";
        let error = auto(json).unwrap_err();
        assert_eq!(error.to_string(), "time \"2026-06-10 06:13:20,123\" does not say its zone");
        assert_eq!(error.hint().unwrap(), "--zone UTC, or --zone Europe/Berlin, says which clock wrote it");
        for (zone, time) in [
            ("UTC", "2026-06-10T06:13:20.123Z"),
            ("Europe/Berlin", "2026-06-10T04:13:20.123Z"),
            ("Asia/Taipei", "2026-06-09T22:13:20.123Z"),
        ] {
            let mut parser = TimeParser::new(TimeUnit::Auto).in_zone(Some(zone.parse().unwrap()));
            assert_eq!(parser.parse_field(json.as_bytes()).map(crate::format_rfc3339), Ok(time.to_owned()));
            assert_eq!(parser.parse_field(b"\"2026-06-10T06:13:20+0100\""), auto("\"2026-06-10T05:13:20Z\""));
        }
    }

    #[test]
    fn a_number_that_gives_a_time_of_the_first_years_is_doubted_once() {
        let mut parser = TimeParser::new(TimeUnit::Ms);
        assert_eq!(parser.parse_field(b"1781064800"), Ok(1_781_064_800));
        let doubt = parser.take_doubt().unwrap();
        assert!(doubt.starts_with("the number 1781064800 is taken for the time 1970-01-21T14:44:24.800Z"), "{doubt}");
        assert_eq!((parser.parse_field(b"5"), parser.take_doubt()), (Ok(5), None));
        let mut seconds = TimeParser::new(TimeUnit::Auto);
        assert_eq!((seconds.parse_field(b"1781064800").is_ok(), seconds.take_doubt()), (true, None));
    }

    #[test]
    fn times_whose_watermark_cannot_be_written_are_refused() {
        let mut parser = TimeParser::new(TimeUnit::Auto).with_lateness(1_000);
        assert!(parser.parse_field(b"\"0000-01-01T00:00:01Z\"").is_ok());
        let error = parser.parse_field(b"\"0000-01-01T00:00:00.999Z\"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "time \"0000-01-01T00:00:00.999Z\" less --lateness is outside the years 0000 to 9999"
        );
    }

    #[test]
    fn an_unknown_unit_is_quoted() {
        let error = "min".parse::<TimeUnit>().unwrap_err();
        assert_eq!(error, "unknown time unit \"min\": say auto, s, ms, us or ns");
    }
}
