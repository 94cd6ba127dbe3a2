//! The spellings of times that logs have beside RFC 3339, as far as each has one meaning.

use crate::rfc3339::{MINUTE_MS, MINUTE_PREFIX, parse_minute, two_digits};

/// A time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelled<'t> {
    /// Milliseconds since the epoch, as if the clock on the wall were that of UTC.
    pub local_ms: i64,
    /// How far that clock is ahead of UTC; none where the text does not say.
    pub offset_ms: Option<i64>,
    /// The digits of the fraction.
    pub fraction: &'t [u8],
    /// The second is the 60th, which is read as the start of the next minute.
    pub is_leap_second: bool,
}

impl Spelled<'_> {
    /// Milliseconds since the epoch, where the text says the zone.
    #[must_use]
    pub fn time_ms(&self) -> Option<i64> {
        Some(self.local_ms - self.offset_ms?)
    }
}

/// Reads `2026-06-10 06:13:20,123 +0200` and its like: a comma as well as a point before the fraction; a blank before the zone;
/// the zone as `Z`, `UTC`, `+02:00`, `+0200`, `+02`, or none at all. None if the text is no such time.
#[must_use]
pub fn read_spelled(text: &[u8]) -> Option<Spelled<'_>> {
    let (minute, rest) = text.split_first_chunk::<MINUTE_PREFIX>()?;
    let minute_ms = parse_minute(minute)?;
    let (&[colon, tens, ones], rest) = rest.split_first_chunk::<3>()?;
    let second = two_digits(tens, ones).filter(|second| colon == b':' && *second <= 60)?;
    let (fraction, rest) = match rest {
        [b'.' | b',', rest @ ..] => {
            let (digits, rest) = rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
            (Some(digits).filter(|digits| !digits.is_empty())?, rest)
        }
        _ => (&[][..], rest),
    };
    let is_leap_second = second == 60;
    let fraction = if is_leap_second { &[] } else { fraction };
    let local_ms = minute_ms + second * 1_000 + milliseconds(fraction);
    Some(Spelled { local_ms, offset_ms: offset_ms(rest)?, fraction, is_leap_second })
}

fn milliseconds(fraction: &[u8]) -> i64 {
    [100, 10, 1].iter().zip(fraction).map(|(unit, digit)| unit * i64::from(digit - b'0')).sum()
}

/// The offset that a text of a zone says; none within if there is no text.
fn offset_ms(zone: &[u8]) -> Option<Option<i64>> {
    let zone = match zone {
        [] => return Some(None),
        [b' ', zone @ ..] => zone,
        zone => zone,
    };
    let (sign, hours, minutes) = match *zone {
        [b'Z' | b'z'] | [b'U', b'T', b'C'] => return Some(Some(0)),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, two_digits(h1, h2)?, two_digits(m1, m2)?),
        [sign, h1, h2] => (sign, two_digits(h1, h2)?, 0),
        _ => return None,
    };
    let ms = (hours * 60 + minutes) * MINUTE_MS;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(Some(ms)),
        b'-' => Some(Some(-ms)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{format_rfc3339, parse_rfc3339};

    #[test]
    fn spellings_of_one_time_have_one_meaning() {
        let time_ms = parse_rfc3339(b"2026-06-10T04:13:20.123Z").unwrap();
        for text in [
            "2026-06-10T06:13:20.123+02:00",
            "2026-06-10T06:13:20.123+0200",
            "2026-06-10T06:13:20.123+02",
            "2026-06-10T06:13:20,123+0200",
            "2026-06-10 06:13:20,123 +0200",
            "2026-06-10 04:13:20.123456 UTC",
            "2026-06-10 04:13:20.1239UTC",
            "2026-06-10T04:13:20,123Z",
            "2026-06-10t04:13:20.123 z",
            "2026-06-09 22:13:20.123-06",
        ] {
            assert_eq!(read_spelled(text.as_bytes()).unwrap().time_ms(), Some(time_ms), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_told_from_what_is_no_time() {
        let spelled = read_spelled(b"2026-06-10 06:13:20,5").unwrap();
        assert_eq!((format_rfc3339(spelled.local_ms).as_str(), spelled.offset_ms), ("2026-06-10T06:13:20.500Z", None));
        for text in [
            "2026-06-10 06:13",
            "2026-06-10 06:13:20,",
            "2026-06-10 06:13:20 ",
            "2026-06-10 06:13:20  UTC",
            "2026-06-10 06:13:20 CEST",
            "2026-06-10 06:13:20+2",
            "2026-06-10 06:13:20+24:00",
            "2026-06-10 06:13:20+02:60",
            "2026-06-10 06:13:20 0200",
            "2026-06-31 06:13:20 UTC",
            "2026-06-10 06:13:61 UTC",
            "",
        ] {
            assert_eq!(read_spelled(text.as_bytes()), None, "{text}");
        }
    }
}
