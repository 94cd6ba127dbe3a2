//! RFC 3339 times, as `2026-11-23T02:30:00.125Z`, to and from milliseconds since the epoch.
//!
//! Written by hand because it is done once per line: a general date library takes several times as
//! long. The calendar is the proleptic Gregorian one, years 0000 to 9999, as in the RFC. Day numbers
//! by Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".

pub(crate) const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// `2026-11-23T02:30`
pub(crate) const MINUTE_PREFIX: usize = 16;
/// `2026-11-23T02:30:00Z`
const WHOLE_SECONDS: usize = 20;

/// Milliseconds since the epoch, floored; none if `text` is not an RFC 3339 time.
///
/// The `T` may be `t` or a space and the `Z` a `z`; the second 60 is taken as the start of the
/// next minute.
#[must_use]
pub fn parse_rfc3339(text: &[u8]) -> Option<i64> {
    MinuteCache::default().parse(text)
}

/// A parser that remembers the last minute, since neighbouring lines mostly share it.
#[derive(Debug, Clone)]
pub struct MinuteCache {
    prefix: [u8; MINUTE_PREFIX],
    minute_ms: i64,
}

impl Default for MinuteCache {
    fn default() -> Self {
        Self { prefix: [0; MINUTE_PREFIX], minute_ms: 0 }
    }
}

impl MinuteCache {
    /// As [`parse_rfc3339`].
    #[inline]
    pub fn parse(&mut self, text: &[u8]) -> Option<i64> {
        let (prefix, rest) = text.split_first_chunk::<MINUTE_PREFIX>()?;
        if *prefix != self.prefix {
            self.minute_ms = parse_minute(prefix)?;
            self.prefix = *prefix;
        }
        parse_rest(self.minute_ms, rest)
    }
}

/// `:05.125+08:00`, the part that follows the minute.
#[inline]
fn parse_rest(minute_ms: i64, rest: &[u8]) -> Option<i64> {
    // The commonest form: with milliseconds, in UTC.
    if let &[b':', tens, ones, b'.', a, b, c, b'Z'] = rest
        && let (Some(second @ 0..60), Some(ms)) = (two_digits(tens, ones), three_digits(a, b, c))
    {
        return Some(minute_ms + second * 1_000 + ms);
    }
    let (&[colon, tens, ones], rest) = rest.split_first_chunk::<3>()?;
    let second = two_digits(tens, ones)?;
    if colon != b':' || second > 60 {
        return None;
    }
    let (fraction_ms, zone) = match rest.split_first() {
        Some((b'.', digits)) => parse_fraction(digits)?,
        _ => (0, rest),
    };
    let fraction_ms = if second == 60 { 0 } else { fraction_ms };
    Some(minute_ms + second * 1_000 + fraction_ms - parse_zone_ms(zone)?)
}

#[inline]
fn parse_fraction(digits: &[u8]) -> Option<(i64, &[u8])> {
    let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let digit = |i: usize| if i < count { i64::from(digits[i] - b'0') } else { 0 };
    let ms = digit(0) * 100 + digit(1) * 10 + digit(2);
    (count > 0).then_some((ms, &digits[count..]))
}

#[inline]
fn parse_zone_ms(zone: &[u8]) -> Option<i64> {
    match *zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let ms = (hours * 60 + minutes) * MINUTE_MS;
            Some(if sign == b'-' { -ms } else { ms })
        }
        _ => None,
    }
}

pub(crate) fn parse_minute(text: &[u8; MINUTE_PREFIX]) -> Option<i64> {
    let &[y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T' | b't' | b' ', h1, h2, b':', m1, m2] = text else {
        return None;
    };
    let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
    let (month, day) = (two_digits(o1, o2)?, two_digits(d1, d2)?);
    let (hour, minute) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
    let valid =
        (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day) && hour <= 23 && minute <= 59;
    valid.then(|| days_from_civil(year, month, day) * DAY_MS + (hour * 60 + minute) * MINUTE_MS)
}

#[inline]
pub(crate) fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then_some(i64::from(tens) * 10 + i64::from(ones))
}

#[inline]
fn three_digits(a: u8, b: u8, c: u8) -> Option<i64> {
    let c = c.wrapping_sub(b'0');
    Some(two_digits(a, b)? * 10 + (c <= 9).then_some(i64::from(c))?)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
#[must_use]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
#[must_use]
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = small(days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + i64::from(year_of_era) + i64::from(month <= 2);
    (year, month.into(), day.into())
}

/// Appends `time_ms` as UTC with `Z`, and three digits of fraction if it is not a whole second.
///
/// Years beyond 0000 to 9999 get a sign and as many digits as they need, as ISO 8601 has it; no
/// time that this crate parses is among them, but the end of a window may be.
pub fn write_rfc3339(time_ms: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(time_ms.div_euclid(DAY_MS));
    let ms_of_day = small(time_ms.rem_euclid(DAY_MS));
    let (seconds, ms) = (ms_of_day / 1_000, ms_of_day % 1_000);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let fields = [small(month), small(day), seconds / 3_600, seconds / 60 % 60, seconds % 60];
    for (place, value) in text[4..].chunks_exact_mut(3).zip(fields) {
        (place[1], place[2]) = two_digits_of(value);
    }
    (text[20], text[21]) = two_digits_of(ms / 10);
    text[22] = two_digits_of(ms % 10).1;
    let end = if ms == 0 { WHOLE_SECONDS } else { text.len() };
    text[end - 1] = b'Z';
    let start = if (0..=9_999).contains(&year) {
        (text[0], text[1]) = two_digits_of(small(year) / 100);
        (text[2], text[3]) = two_digits_of(small(year) % 100);
        0
    } else {
        out.extend_from_slice(format!("{year:+05}").as_bytes());
        4
    };
    out.extend_from_slice(&text[start..end]);
}

/// The text that [`write_rfc3339`] appends.
#[must_use]
pub fn format_rfc3339(time_ms: i64) -> String {
    let mut text = Vec::with_capacity(24);
    write_rfc3339(time_ms, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A part of a time, in 32 bits: dividing it takes half as long.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn small(value: i64) -> u32 {
    value as u32
}

/// The digits of a value below 100.
#[allow(clippy::cast_possible_truncation)]
fn two_digits_of(value: u32) -> (u8, u8) {
    (b'0' + (value / 10) as u8, b'0' + (value % 10) as u8)
}

#[cfg(test)]
mod tests;
