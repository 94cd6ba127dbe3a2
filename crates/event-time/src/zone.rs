//! The clock of a timezone, for times that do not say theirs.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// More than any zone is from UTC, and any change of a zone's offset.
const ZONE_MS_MAX: i64 = 26 * 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// Turns what the wall clock of a zone shows into time.
///
/// Where the clock is put back, what it shows twice is taken for the first time; where it is put forward, what it leaps over is
/// taken as if it had not been yet. In both cases the offset counts that held before the change.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    zone: Tz,
    /// The last minute on the wall, and its offset.
    minute_ms: i64,
    offset_ms: i64,
}

impl Zone {
    pub(crate) fn new(zone: Tz) -> Self {
        Self { zone, minute_ms: i64::MIN, offset_ms: 0 }
    }

    /// The time at which the clock shows `local_ms` (as if it were UTC).
    pub(crate) fn time_ms(&mut self, local_ms: i64) -> i64 {
        let minute_ms = local_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        if minute_ms == self.minute_ms {
            return local_ms - self.offset_ms;
        }
        let offset_ms = self.offset_ms(local_ms);
        // Some clocks of old were changed within a minute.
        if [minute_ms, minute_ms + MINUTE_MS - 1].iter().all(|edge_ms| self.offset_ms(*edge_ms) == offset_ms) {
            (self.minute_ms, self.offset_ms) = (minute_ms, offset_ms);
        }
        local_ms - offset_ms
    }

    fn offset_ms(&self, local_ms: i64) -> i64 {
        match self.zone.from_local_datetime(&naive(local_ms)) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => local_ms - time.timestamp_millis(),
            LocalResult::None => zone_offset_ms(self.zone, end_of_gap(self.zone, local_ms) - 1),
        }
    }
}

pub(crate) fn zone_offset_ms(zone: Tz, time_ms: i64) -> i64 {
    let seconds = zone.offset_from_utc_datetime(&naive(time_ms)).fix().local_minus_utc();
    i64::from(seconds) * 1_000
}

/// The first instant at which the wall clock is past `local_ms`, which it leaps over.
pub(crate) fn end_of_gap(zone: Tz, local_ms: i64) -> i64 {
    let (mut before_ms, mut after_ms) = (local_ms - ZONE_MS_MAX, local_ms + ZONE_MS_MAX);
    while after_ms - before_ms > 1 {
        let middle_ms = before_ms + (after_ms - before_ms) / 2;
        if middle_ms + zone_offset_ms(zone, middle_ms) < local_ms {
            before_ms = middle_ms;
        } else {
            after_ms = middle_ms;
        }
    }
    after_ms
}

pub(crate) fn naive(time_ms: i64) -> NaiveDateTime {
    DateTime::from_timestamp_millis(time_ms).unwrap_or_default().naive_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{format_rfc3339, parse_rfc3339};

    fn time(zone: &mut Zone, local: &str) -> String {
        format_rfc3339(zone.time_ms(parse_rfc3339(format!("{local}Z").as_bytes()).unwrap()))
    }

    #[test]
    fn where_the_clock_changes_the_offset_before_the_change_counts() {
        let mut berlin = Zone::new(Tz::Europe__Berlin);
        for (local, expected) in [
            ("2026-03-29T01:59:59.999", "2026-03-29T00:59:59.999Z"),
            ("2026-03-29T02:00:00", "2026-03-29T01:00:00Z"),
            ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
            ("2026-10-25T01:59:59", "2026-10-24T23:59:59Z"),
            ("2026-10-25T02:00:00", "2026-10-25T00:00:00Z"),
            ("2026-10-25T02:59:59", "2026-10-25T00:59:59Z"),
            ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
        ] {
            assert_eq!(time(&mut berlin, local), expected, "{local}");
            assert_eq!(time(&mut berlin, local), expected, "{local}, remembered");
        }
    }

    #[test]
    fn a_change_within_a_minute_is_kept() {
        // Berlin left its mean time, 53:28 ahead of UTC, on 1893-04-01.
        let mut berlin = Zone::new(Tz::Europe__Berlin);
        assert_eq!(time(&mut berlin, "1893-03-31T23:59:00"), "1893-03-31T23:05:32Z");
        assert_eq!(time(&mut berlin, "1893-04-01T00:07:00"), "1893-03-31T23:07:00Z");
        assert_eq!(time(&mut berlin, "1893-04-01T00:06:30"), "1893-03-31T23:13:02Z");
        assert_eq!(time(&mut berlin, "1893-04-01T00:06:32"), "1893-03-31T23:06:32Z");
    }
}
