//! Where to start and where to end: the values of `--from` and `--until`.

use std::str::FromStr;

use event_time::{TimeParser, TimeUnit, parse_rfc3339};
use units::{format_duration, parse_duration};

/// `--from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    Beginning,
    End,
    /// Where the group has committed; where it has not, at the beginning.
    Stored,
    Offset(i64),
    /// This many messages before the end of each partition.
    Last(i64),
    /// The first message with this Kafka timestamp or a later one.
    Time(i64),
    /// The same, this long before now.
    Ago(i64),
}

/// `--until`. Nothing from there on is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// The end as it was at the start. Transactions that were not finished then belong to it.
    End,
    /// The end of what was committed at the start, up to the first transaction that was not finished.
    Committed,
    Offset(i64),
    /// The first message of each partition with this Kafka timestamp or a later one.
    Time(i64),
    /// The same, this long after the time that `--from` names, or after now.
    After(i64),
}

const FROM_FORMS: &str =
    "beginning, end, stored, an OFFSET, -N (the last N), a time (2026-01-31T00:00:00Z, @1700000000) or -10m";
const UNTIL_FORMS: &str = "end, committed, an OFFSET, a time (2026-01-31T00:00:00Z, @1700000000) or +5m";

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "beginning" => return Ok(Self::Beginning),
            "end" => return Ok(Self::End),
            "stored" => return Ok(Self::Stored),
            _ => {}
        }
        if let Some(back) = text.strip_prefix('-') {
            return match (number(back), parse_duration(back)) {
                (Some(count), _) => Ok(Self::Last(count)),
                (None, Ok(ms)) => Ok(Self::Ago(ms)),
                (None, Err(error)) => Err(error.to_string()),
            };
        }
        number(text)
            .map(Self::Offset)
            .or_else(|| time(text).map(Self::Time))
            .ok_or_else(|| format!("write {FROM_FORMS}"))
    }
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "end" => return Ok(Self::End),
            "committed" => return Ok(Self::Committed),
            _ => {}
        }
        if let Some(later) = text.strip_prefix('+') {
            return parse_duration(later).map(Self::After).map_err(|error| error.to_string());
        }
        number(text)
            .map(Self::Offset)
            .or_else(|| time(text).map(Self::Time))
            .ok_or_else(|| format!("write {UNTIL_FORMS}"))
    }
}

impl Until {
    /// The moment that `--until TIME` or `+5m` means.
    pub fn time_ms(&self, from: &From, now_ms: i64) -> Option<i64> {
        match (self, from) {
            (Self::Time(ms), _) => Some(*ms),
            (Self::After(ms), From::Time(start)) => Some(start.saturating_add(*ms)),
            (Self::After(ms), From::Ago(ago)) => Some(now_ms.saturating_sub(*ago).saturating_add(*ms)),
            (Self::After(ms), _) => Some(now_ms.saturating_add(*ms)),
            (Self::End | Self::Committed | Self::Offset(_), _) => None,
        }
    }
}

impl std::fmt::Display for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Beginning => f.write_str("beginning"),
            Self::End => f.write_str("end"),
            Self::Stored => f.write_str("stored"),
            Self::Offset(offset) => write!(f, "{offset}"),
            Self::Last(count) => write!(f, "-{count}"),
            Self::Time(ms) => f.write_str(&event_time::format_rfc3339(*ms)),
            Self::Ago(ms) => write!(f, "-{}", format_duration(*ms)),
        }
    }
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn time(text: &str) -> Option<i64> {
    match text.strip_prefix('@') {
        Some(epoch) => TimeParser::new(TimeUnit::Auto).parse_field(epoch.as_bytes()).ok(),
        None => parse_rfc3339(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_takes_its_seven_forms() {
        let cases = [
            ("beginning", From::Beginning),
            ("end", From::End),
            ("stored", From::Stored),
            ("17", From::Offset(17)),
            ("-5", From::Last(5)),
            ("2023-11-14T22:13:20Z", From::Time(1_700_000_000_000)),
            ("@1700000000", From::Time(1_700_000_000_000)),
            ("@1700000000000", From::Time(1_700_000_000_000)),
            ("-10m", From::Ago(600_000)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn until_takes_its_five_forms() {
        let cases = [
            ("end", Until::End),
            ("committed", Until::Committed),
            ("17", Until::Offset(17)),
            ("2023-11-14T22:13:20Z", Until::Time(1_700_000_000_000)),
            ("+5m", Until::After(300_000)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_position_is_told_the_forms() {
        for text in ["", "start", "-", "-x", "1.5", "+5", "99999999999999999999"] {
            assert!(text.parse::<From>().is_err(), "{text}");
        }
        assert!("begin".parse::<From>().unwrap_err().starts_with("write beginning, end, stored"));
        for text in ["", "beginning", "-5", "+5", "+"] {
            assert!(text.parse::<Until>().is_err(), "{text}");
        }
    }

    #[test]
    fn five_minutes_count_from_the_time_where_reading_starts() {
        let until = Until::After(300_000);
        assert_eq!(until.time_ms(&From::Time(1_000), 9_000_000), Some(301_000));
        assert_eq!(until.time_ms(&From::Ago(600_000), 9_000_000), Some(8_700_000));
        assert_eq!(until.time_ms(&From::Stored, 9_000_000), Some(9_300_000));
    }
}
