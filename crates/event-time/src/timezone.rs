//! Timezones by their IANA names, with their rules in the program: all machines give the same results.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

/// More than any zone is from UTC, and any change of a zone's offset.
const CHANGE_MS_MAX: i64 = 26 * 3_600_000;

/// A timezone by its IANA name, as `Asia/Taipei`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timezone(TimeZone);

/// What a wall clock shows, as time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Local {
    /// The offset of that moment from UTC; of two, as the clock was put back, the first one.
    Offset(i64),
    /// The clock was put forward and never showed this; the offset before that.
    Skipped { before_ms: i64 },
}

impl Timezone {
    pub const UTC: Self = Self(TimeZone::UTC);

    /// How far the wall clock is ahead of UTC at this time.
    pub(crate) fn offset_ms(&self, time_ms: i64) -> i64 {
        milliseconds(self.0.to_offset(timestamp(time_ms)))
    }

    /// The offset when the wall clock shows `local_ms` (as if it were UTC).
    pub(crate) fn local(&self, local_ms: i64) -> Local {
        let wall = Offset::UTC.to_datetime(timestamp(local_ms));
        match self.0.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                Local::Offset(milliseconds(offset))
            }
            AmbiguousOffset::Gap { before, .. } => Local::Skipped { before_ms: milliseconds(before) },
        }
    }

    /// The first instant at which the wall clock is past `local_ms`, which it skips.
    pub(crate) fn end_of_gap(&self, local_ms: i64) -> i64 {
        let (mut before_ms, mut after_ms) = (local_ms - CHANGE_MS_MAX, local_ms + CHANGE_MS_MAX);
        while after_ms - before_ms > 1 {
            let middle_ms = before_ms + (after_ms - before_ms) / 2;
            if middle_ms + self.offset_ms(middle_ms) < local_ms {
                before_ms = middle_ms;
            } else {
                after_ms = middle_ms;
            }
        }
        after_ms
    }
}

/// Beyond the last times that jiff knows, hours before the year 10000, no zone's offset changes.
fn timestamp(time_ms: i64) -> Timestamp {
    let (least_ms, most_ms) = (Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
    Timestamp::from_millisecond(time_ms.clamp(least_ms, most_ms)).unwrap_or_default()
}

fn milliseconds(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * 1_000
}

impl FromStr for Timezone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let zone = TimeZoneDatabase::bundled().get(text);
        zone.map(Self)
            .map_err(|_| format!("unknown timezone {text:?}: say a name like Asia/Taipei, Europe/Berlin or UTC"))
    }
}

impl fmt::Display for Timezone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

/// Zones with changes of all kinds, and times whose history is known: by [`chrono_tz`], another library with an older database,
/// results are checked.
#[cfg(test)]
pub(crate) mod known {
    use chrono_tz::Tz;

    pub(crate) const ZONES: [Tz; 12] = [
        Tz::UTC,
        Tz::Europe__Berlin,
        Tz::Europe__Dublin,
        Tz::America__New_York,
        Tz::America__Sao_Paulo,
        Tz::America__Havana,
        Tz::America__St_Johns,
        Tz::Asia__Kolkata,
        Tz::Asia__Tehran,
        Tz::Australia__Lord_Howe,
        Tz::Pacific__Apia,
        Tz::Pacific__Chatham,
    ];
    pub(crate) const TIMES_MS: std::ops::Range<i64> = 631_152_000_000..1_730_000_000_000;
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, LocalResult, Offset as _, TimeZone as _};
    use proptest::prelude::*;

    #[test]
    fn a_timezone_is_an_iana_name() {
        assert_eq!("Asia/Taipei".parse::<Timezone>().unwrap().to_string(), "Asia/Taipei");
        assert_eq!("UTC".parse::<Timezone>().unwrap(), Timezone::UTC);
        assert_eq!(Timezone::UTC.to_string(), "UTC");
        assert!("Taipei".parse::<Timezone>().unwrap_err().contains("\"Taipei\""));
    }

    #[test]
    fn rules_go_on_for_ever() {
        let berlin: Timezone = "Europe/Berlin".parse().unwrap();
        // July and January of 2150, and the last day that there is.
        assert_eq!([5_696_000_000_000, 5_681_000_000_000].map(|ms| berlin.offset_ms(ms)), [7_200_000, 3_600_000]);
        assert_eq!(berlin.offset_ms(crate::TIME_MAX_MS), 3_600_000);
        assert_eq!(berlin.local(crate::TIME_MAX_MS), Local::Offset(3_600_000));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// Governments change what is to come, so only what has been is compared.
        #[test]
        fn offsets_are_those_of_chrono_tz(zone in 0..known::ZONES.len(), time_ms in known::TIMES_MS) {
            let theirs = known::ZONES[zone];
            let ours: Timezone = theirs.name().parse().unwrap();
            let naive = DateTime::from_timestamp_millis(time_ms).unwrap().naive_utc();
            let offset_ms = i64::from(theirs.offset_from_utc_datetime(&naive).fix().local_minus_utc()) * 1000;
            prop_assert_eq!(ours.offset_ms(time_ms), offset_ms, "{}", theirs);
            let local = match theirs.from_local_datetime(&naive) {
                LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time_ms - time.timestamp_millis()),
                LocalResult::None => None,
            };
            match (ours.local(time_ms), local) {
                (Local::Offset(ours_ms), Some(theirs_ms)) => prop_assert_eq!(ours_ms, theirs_ms, "{}", theirs),
                (Local::Skipped { .. }, None) => {}
                (ours, theirs_ms) => prop_assert!(false, "{:?} {:?} {}", ours, theirs_ms, theirs),
            }
        }
    }
}
