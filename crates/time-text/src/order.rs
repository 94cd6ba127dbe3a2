//! The order of texts, in which times stand by what they mean.

use std::cmp::Ordering;

use crate::rfc3339::write_rfc3339;
use crate::spellings::read_spelled;
use crate::{TIME_MAX_MS, TIME_MIN_MS};

/// `2026-06-10T04:13:20`
const SECONDS_PREFIX: usize = 19;

/// Compares two texts by their bytes, but for times with a zone: each of those stands where its time in UTC would stand without
/// the `Z`. So `…00.5Z` comes after `…00Z` (its bytes come before), and `06:00+02:00` before `05:00Z`. Two spellings of one time
/// are in the order of their bytes; so only equal texts are equal, and the order is a total one, whatever else is among them.
///
/// As times count all that [`read_spelled`] reads, but for leap seconds and for years beyond 0000 to 9999.
#[inline]
#[must_use]
pub fn compare_texts(a: &[u8], b: &[u8]) -> Ordering {
    match may_be_time(a) || may_be_time(b) {
        false => a.cmp(b),
        true => compare_times(a, b),
    }
}

/// Whether a text looks enough like a time to be read as one: so other texts are told at a glance.
#[inline]
#[must_use]
pub fn may_be_time(text: &[u8]) -> bool {
    text.get(13) == Some(&b':') && text[4] == b'-' && text[7] == b'-' && text.len() > SECONDS_PREFIX
}

#[inline(never)]
fn compare_times(a: &[u8], b: &[u8]) -> Ordering {
    let is_usual = |text: &[u8]| text.len() > SECONDS_PREFIX && text[10] == b'T' && text.ends_with(b"Z");
    if is_usual(a) && is_usual(b) && (a[..SECONDS_PREFIX] != b[..SECONDS_PREFIX] || have_as_many_digits(a, b)) {
        return a.cmp(b);
    }
    let (normal_a, normal_b) = (Normal::new(a), Normal::new(b));
    normal_a.bytes().cmp(normal_b.bytes()).then_with(|| a.cmp(b))
}

/// Two texts that end with `Z` and have as many digits after the point: within one second they stand as their bytes do, without
/// anything to be written for it.
fn have_as_many_digits(a: &[u8], b: &[u8]) -> bool {
    let digits = |text: &[u8]| match text[SECONDS_PREFIX..text.len() - 1].split_first() {
        Some((b'.', digits)) if digits.iter().all(u8::is_ascii_digit) => digits.len(),
        _ => 0,
    };
    digits(a) > 0 && digits(a) == digits(b)
}

/// A time in UTC without its zone and without zeros at the end; any other text as it is.
struct Normal<'t> {
    seconds: Vec<u8>,
    rest: &'t [u8],
}

impl<'t> Normal<'t> {
    fn new(text: &'t [u8]) -> Normal<'t> {
        Normal::of_time(text).unwrap_or(Normal { seconds: Vec::new(), rest: text })
    }

    fn of_time(text: &'t [u8]) -> Option<Normal<'t>> {
        let spelled = may_be_time(text).then(|| read_spelled(text))??;
        let time_ms = spelled.time_ms()?.div_euclid(1_000) * 1_000;
        if spelled.is_leap_second || !(TIME_MIN_MS..=TIME_MAX_MS).contains(&time_ms) {
            return None;
        }
        let zeros = spelled.fraction.iter().rev().take_while(|digit| **digit == b'0').count();
        let rest = &spelled.fraction[..spelled.fraction.len() - zeros];
        let mut seconds = Vec::with_capacity(24);
        write_rfc3339(time_ms, &mut seconds);
        seconds.truncate(SECONDS_PREFIX);
        if !rest.is_empty() {
            seconds.push(b'.');
        }
        Some(Normal { seconds, rest })
    }

    fn bytes(&self) -> impl Iterator<Item = &u8> {
        self.seconds.iter().chain(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In their order; what stands in one row is one time.
    const SORTED: [&[&str]; 13] = [
        &[""],
        &["2025-12-31"],
        &["2025-12-31T23:59:59Z"],
        &["2025-12-31T23:59:59.999999999Z"],
        &["2026-01-01"],
        &[
            "2026-01-01 00:00:00 UTC",
            "2026-01-01T00:00:00+00:00",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T02:00:00+0200",
        ],
        &["2026-01-01T00:00:00.0001Z"],
        &["2025-12-31T18:00:00.50-06", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00.5Z"],
        &["2026-01-01T00:00:00.501Z"],
        &["2026-01-01T00:00:00.510Z", "2026-01-01T00:00:00.51Z"],
        &["2026-01-01T00:00:00.5x"],
        &["2026-01-01T00:00:59Z"],
        &["user"],
    ];

    #[test]
    fn times_are_in_the_order_of_time_however_they_are_written() {
        let sorted: Vec<&str> = SORTED.concat();
        for (a, first) in sorted.iter().enumerate() {
            for (b, second) in sorted.iter().enumerate() {
                assert_eq!(compare_texts(first.as_bytes(), second.as_bytes()), a.cmp(&b), "{first} and {second}");
            }
        }
    }

    fn text() -> impl Strategy<Value = String> {
        let zones = vec!["Z", "z", " Z", " UTC", "+00:00", "+0030", "-01", "", "x", "+99:00"];
        let fractions = vec!["", ".0", ".5", ",5", ".50", ".5001", ".5\"", ".", ".49", ".999"];
        let seconds = vec!["00:00:00", "00:00:59", "00:00:60", "00:01:00", "23:59:59", "00:00:7x", "01:00:00", "0"];
        let days = vec![
            "2026-01-01T",
            "2026-01-01 ",
            "2025-12-31T",
            "0000-01-01T",
            "9999-12-31T",
            "2026-13-01T",
            "2026-01-01t",
        ];
        let pick = prop::sample::select;
        (pick(days), pick(seconds), pick(fractions), pick(zones)).prop_map(|(d, s, f, z)| format!("{d}{s}{f}{z}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn the_order_is_total(a in text(), b in text(), c in text()) {
            let compare = |x: &String, y: &String| compare_texts(x.as_bytes(), y.as_bytes());
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &b).is_eq(), a == b);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le(), "{} {} {}", a, b, c);
            }
        }
    }
}
