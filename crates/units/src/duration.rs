//! Durations in whole milliseconds: `500ms`, `10s`, `5m`, `1h30m`, `1d`, `2w`.

use crate::QuantityError;
use crate::number::{split_digits, split_unit};
use std::fmt;
use std::str::FromStr;

/// Units from the largest to the smallest; a duration names each at most once, in this order.
const UNITS: [(&str, i64); 6] =
    [("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A duration of zero or more milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DurationMs(pub i64);

/// A duration that may be negative, as `-8h`, for offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SignedDurationMs(pub i64);

/// Milliseconds of a duration like `1h30m`. A bare number is an error, but for `0`.
///
/// A day is 24 hours and a week seven days; sizes that follow a calendar are not durations.
pub fn parse_duration(text: &str) -> Result<i64, QuantityError> {
    if text == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err(malformed(text));
    }
    let mut rest = text;
    let mut next_unit = 0;
    let mut total_ms: i64 = 0;
    while !rest.is_empty() {
        let (digits, after) = split_digits(rest);
        let (unit, after) = split_unit(after);
        if digits.is_empty() || unit.starts_with(['.', ',']) {
            return Err(malformed(text));
        }
        if unit.is_empty() {
            return Err(without_unit(text, digits));
        }
        let index = unit_index(text, unit)?;
        if index < next_unit {
            return Err(QuantityError::new(
                format!("duration {text:?} names its units out of order"),
                "say 1h30m, each unit once and the largest first",
            ));
        }
        next_unit = index + 1;
        total_ms = digits
            .parse::<i64>()
            .ok()
            .and_then(|n| n.checked_mul(UNITS[index].1))
            .and_then(|ms| total_ms.checked_add(ms))
            .ok_or_else(|| too_long(text))?;
        rest = after;
    }
    Ok(total_ms)
}

/// Like [`parse_duration`], with an optional sign in front: `-8h`, `+30m`.
pub fn parse_signed_duration(text: &str) -> Result<i64, QuantityError> {
    match text.strip_prefix('-') {
        Some(rest) => parse_duration(rest).map(|ms| -ms),
        None => parse_duration(text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The shortest text that [`parse_signed_duration`] reads back: `1h30m`, `500ms`, `0s`.
pub fn format_duration(ms: i64) -> String {
    let mut rest = ms.unsigned_abs();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(if ms < 0 { "-" } else { "" });
    let week_ms = UNITS[0].1.unsigned_abs();
    if rest.is_multiple_of(week_ms) {
        return format!("{text}{}w", rest / week_ms);
    }
    for (unit, unit_ms) in &UNITS[1..] {
        let unit_ms = unit_ms.unsigned_abs();
        if rest >= unit_ms {
            text.push_str(&format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    text
}

fn unit_index(text: &str, unit: &str) -> Result<usize, QuantityError> {
    if let Some(index) = UNITS.iter().position(|(name, _)| *name == unit) {
        return Ok(index);
    }
    let hint = match unit {
        "us" | "µs" | "ns" => "time is kept in milliseconds, say 1ms or more",
        "mo" | "M" | "month" | "months" | "y" | "year" | "years" => {
            "months and years differ in length, say 30d; windows of calendar months are 1mo, 3mo, 12mo"
        }
        _ => "the units are ms, s, m, h, d and w, as in 500ms, 10s or 1h30m",
    };
    let message = format!("duration {text:?} has the unknown unit {unit:?}");
    Err(QuantityError::new(message, hint))
}

fn without_unit(text: &str, digits: &str) -> QuantityError {
    let hint = if digits.len() == text.len() {
        format!("say {digits}s or {digits}ms")
    } else {
        format!("say {text}s or {text}ms")
    };
    let what = if digits.len() == text.len() { "no unit" } else { "no unit at its end" };
    QuantityError::new(format!("duration {text:?} has {what}"), hint)
}

fn malformed(text: &str) -> QuantityError {
    if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit())) {
        return QuantityError::new(format!("duration {text:?} is less than 0"), "say 0s or more");
    }
    let message = format!("{text:?} is not a duration");
    QuantityError::new(message, "say 500ms, 10s, 5m, 1h30m, 1d or 2w")
}

fn too_long(text: &str) -> QuantityError {
    let message = format!("duration {text:?} is too long");
    QuantityError::new(message, "it must fit in 64 bits of milliseconds")
}

impl FromStr for DurationMs {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parse_duration(text).map(Self)
    }
}

impl fmt::Display for DurationMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}

impl FromStr for SignedDurationMs {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parse_signed_duration(text).map(Self)
    }
}

impl fmt::Display for SignedDurationMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_in_milliseconds() {
        for (text, ms) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("2w", 1_209_600_000),
            ("0s", 0),
            ("0", 0),
            ("1w1d1h1m1s1ms", 694_861_001),
        ] {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn a_wrong_duration_is_quoted_with_what_to_write() {
        for (text, message) in [
            ("10", "duration \"10\" has no unit: say 10s or 10ms"),
            ("1h30", "duration \"1h30\" has no unit at its end: say 1h30s or 1h30ms"),
            ("", "\"\" is not a duration: say 500ms, 10s, 5m, 1h30m, 1d or 2w"),
            ("-5s", "duration \"-5s\" is less than 0: say 0s or more"),
            ("1.5s", "\"1.5s\" is not a duration: say 500ms, 10s, 5m, 1h30m, 1d or 2w"),
            ("5us", "duration \"5us\" has the unknown unit \"us\": time is kept in milliseconds, say 1ms or more"),
            (
                "5 s",
                "duration \"5 s\" has the unknown unit \" s\": the units are ms, s, m, h, d and w, as in 500ms, 10s or 1h30m",
            ),
            (
                "30m1h",
                "duration \"30m1h\" names its units out of order: say 1h30m, each unit once and the largest first",
            ),
            ("1s1s", "duration \"1s1s\" names its units out of order: say 1h30m, each unit once and the largest first"),
            ("9999999999999w", "duration \"9999999999999w\" is too long: it must fit in 64 bits of milliseconds"),
        ] {
            assert_eq!(parse_duration(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_signed_duration_takes_a_sign() {
        assert_eq!("-8h".parse(), Ok(SignedDurationMs(-28_800_000)));
        assert_eq!("+30m".parse(), Ok(SignedDurationMs(1_800_000)));
        assert_eq!("8h".parse(), Ok(SignedDurationMs(28_800_000)));
        assert!("--8h".parse::<SignedDurationMs>().is_err());
    }

    #[test]
    fn durations_print_in_their_largest_units() {
        for text in ["500ms", "10s", "1h30m", "1d", "2w", "0s", "8d", "-1m30s"] {
            let ms = parse_signed_duration(text).unwrap();
            assert_eq!(format_duration(ms), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(ms in -i64::MAX..=i64::MAX) {
            prop_assert_eq!(parse_signed_duration(&format_duration(ms)), Ok(ms));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}") {
            let _ = parse_signed_duration(&text);
        }
    }
}
