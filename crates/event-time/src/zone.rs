//! The clock of a timezone, for times that do not say theirs.

use crate::timezone::{Local, Timezone};

const MINUTE_MS: i64 = 60_000;

/// Turns what the wall clock of a zone shows into time.
///
/// Where the clock is put back, what it shows twice is taken for the first time; where it is put forward, what it leaps over is
/// taken as if it had not been yet. In both cases the offset counts that held before the change.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    zone: Timezone,
    /// The last minute on the wall, and its offset.
    minute_ms: i64,
    offset_ms: i64,
}

impl Zone {
    pub(crate) fn new(zone: Timezone) -> Self {
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
        match self.zone.local(local_ms) {
            Local::Offset(offset_ms) | Local::Skipped { before_ms: offset_ms } => offset_ms,
        }
    }
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
        let mut berlin = Zone::new("Europe/Berlin".parse().unwrap());
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
        let mut berlin = Zone::new("Europe/Berlin".parse().unwrap());
        assert_eq!(time(&mut berlin, "1893-03-31T23:59:00"), "1893-03-31T23:05:32Z");
        assert_eq!(time(&mut berlin, "1893-04-01T00:07:00"), "1893-03-31T23:07:00Z");
        assert_eq!(time(&mut berlin, "1893-04-01T00:06:30"), "1893-03-31T23:13:02Z");
        assert_eq!(time(&mut berlin, "1893-04-01T00:06:32"), "1893-03-31T23:06:32Z");
    }
}
