//! Times in filters: texts of any form by `strptime`, texts of RFC 3339 and epoch numbers by `time_ms`.

use jaq_core::{Error, ValR};
use jaq_json::Val;
use jaq_std::ValT as _;
use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{Offset, TimeZone};
use time_text::EpochNumber;

use crate::write::write_number;

/// Names of zones that mean one thing everywhere.
const NAMES_OF_UTC: [&str; 4] = ["UTC", "GMT", "UT", "Z"];

/// A text as a broken-down time, in UTC whatever zone the text has: so `strptime(…) | mktime` is right.
pub fn strptime(text: &Val, format: &Val) -> ValR<Val> {
    let utf8 = |value: &Val| -> Result<String, Error<Val>> {
        Ok(String::from_utf8_lossy(value.try_as_utf8_bytes()?).into_owned())
    };
    let (text, format) = (utf8(text)?, utf8(format)?);
    let timestamp = parsed(&text, &format).map_err(|why| Error::str(format_args!("strptime: {text:?}: {why}")))?;
    broken_down(timestamp)
}

fn parsed(text: &str, format: &str) -> Result<Timestamp, String> {
    let (text, format) = with_zone_as_offset(text, format)?;
    let format = with_date_and_time(&format);
    // As in C, %z takes +0200, +02:00 and Z.
    let plain = read(&text, &format);
    if plain.is_ok() || !format.contains("%z") {
        return plain;
    }
    let with_colon = || read(&text, &format.replace("%z", "%:z"));
    let with_letter = || Some(read(&format!("{}+0000", text.strip_suffix(['Z', 'z'])?), &format));
    with_letter().filter(Result::is_ok).or_else(|| Some(with_colon()).filter(Result::is_ok)).unwrap_or(plain)
}

fn read(text: &str, format: &str) -> Result<Timestamp, String> {
    let mut time = BrokenDownTime::parse(format, text).map_err(|why| why.to_string())?;
    if (time.offset(), time.iana_time_zone()) == (None, None) {
        time.set_offset(Some(Offset::UTC));
    }
    Ok(time.to_zoned().map_err(|why| why.to_string())?.timestamp())
}

/// `%c`: what C writes where nothing else is said.
fn with_date_and_time(format: &str) -> String {
    // `%%` is a sign of its own.
    format.split("%%").map(|part| part.replace("%c", "%a %b %e %H:%M:%S %Y")).collect::<Vec<_>>().join("%%")
}

/// `%Z`: a name that means UTC becomes the offset of it. Others mean several zones (CST, IST), or none.
fn with_zone_as_offset(text: &str, format: &str) -> Result<(String, String), String> {
    if !format.contains("%Z") || format.contains("%%Z") {
        return Ok((text.to_owned(), format.to_owned()));
    }
    let is_utc = |word: &&str| NAMES_OF_UTC.iter().any(|name| name.eq_ignore_ascii_case(word));
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).rfind(is_utc);
    let Some(word) = word else {
        return Err("%Z takes UTC, GMT, UT or Z; %z takes an offset (+0200), %Q a zone (Europe/Berlin)".to_owned());
    };
    let at = word.as_ptr().addr() - text.as_ptr().addr();
    let text = format!("{}+0000{}", &text[..at], &text[at + word.len()..]);
    Ok((text, format.replacen("%Z", "%z", 1)))
}

/// Year, month from 0, day, hour, minute, second, day of the week from Sunday, day of the year from 0.
fn broken_down(timestamp: Timestamp) -> ValR<Val> {
    let time = timestamp.to_zoned(TimeZone::UTC).datetime();
    let integer = |number: i64| Val::from(number as isize);
    let second = match time.subsec_nanosecond() {
        0 => integer(time.second().into()),
        nanosecond => Val::from(f64::from(time.second()) + f64::from(nanosecond) / 1e9),
    };
    let parts = [
        integer(time.year().into()),
        integer(i64::from(time.month()) - 1),
        integer(time.day().into()),
        integer(time.hour().into()),
        integer(time.minute().into()),
        second,
        integer(time.weekday().to_sunday_zero_offset().into()),
        integer(i64::from(time.day_of_year()) - 1),
    ];
    Ok(parts.into_iter().collect())
}

/// Milliseconds since the epoch of what all tools take for a time: a text, or an epoch number whose unit is told by its magnitude, also
/// in quotes.
///
/// # Errors
/// When it is none.
pub fn time_ms(value: &Val) -> ValR<Val> {
    let time_ms = match value {
        Val::TStr(text) => of_epoch(text).or_else(|| time_text::read_spelled(text)?.time_ms()),
        Val::Num(number) => {
            let mut text = Vec::new();
            write_number(number, &mut text);
            of_epoch(&text)
        }
        _ => return Err(Error::str(format_args!("{value} is no time"))),
    };
    let wrong = || Error::str(format_args!("time {value} is neither RFC 3339 nor an epoch number"));
    time_ms.map(|time_ms| Val::from(time_ms as isize)).ok_or_else(wrong)
}

fn of_epoch(text: &[u8]) -> Option<i64> {
    let number = EpochNumber::parse(text)?;
    let time_ms = number.floor_scaled(number.scale_by_magnitude());
    (time_text::TIME_MIN_MS..=time_text::TIME_MAX_MS).contains(&time_ms).then_some(time_ms)
}

/// `todate`: an epoch number of seconds, or a broken-down time, as RFC 3339 in UTC.
pub fn todate(value: &Val) -> ValR<Val> {
    let timestamp = match value {
        Val::Arr(parts) => of_broken_down(parts).ok_or_else(|| Error::str(format_args!("{value} is no time")))?,
        value => {
            let seconds = || Error::str(format_args!("{value} is no number of seconds"));
            match value.as_isize() {
                Some(whole) => Timestamp::from_second(whole as i64).map_err(Error::str)?,
                None => Timestamp::from_microsecond((value.as_f64().ok_or_else(seconds)? * 1e6) as i64)
                    .map_err(Error::str)?,
            }
        }
    };
    Ok(Val::from(timestamp.to_string()))
}

fn of_broken_down(parts: &[Val]) -> Option<Timestamp> {
    let number = |at: usize| parts.get(at)?.as_f64();
    let small = |at: usize| Some(number(at)? as i8);
    let second = number(5)?;
    let nanosecond = (second.fract() * 1e9) as i32;
    let date = jiff::civil::Date::new(number(0)? as i16, small(1)?.checked_add(1)?, small(2)?).ok()?;
    let time = jiff::civil::Time::new(small(3)?, small(4)?, second.floor() as i8, nanosecond).ok()?;
    TimeZone::UTC.to_timestamp(date.to_datetime(time)).ok()
}
