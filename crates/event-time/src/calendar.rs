//! Windows of the calendar: days, weeks and months of a timezone.

use crate::timezone::Local;
use crate::{Timezone, Window};
use time_text::{civil_from_days, days_from_civil};

const DAY_MS: i64 = 86_400_000;
/// 1970-01-05, the first Monday of the epoch, in days since the epoch.
const FIRST_MONDAY: i64 = 4;
/// Windows that are remembered, since disorder makes lines alternate between neighbours.
const REMEMBERED: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarUnit {
    Day,
    /// From Monday, as in ISO 8601.
    Week,
    /// From the 1st.
    Month,
}

impl CalendarUnit {
    /// Its shortest length, with days of 24 hours.
    pub const fn least_ms(self) -> i64 {
        match self {
            Self::Day => DAY_MS,
            Self::Week => 7 * DAY_MS,
            Self::Month => 28 * DAY_MS,
        }
    }
}

/// Windows of `count` days, weeks or months from midnight to midnight in a timezone.
///
/// A day has 23 or 25 hours where the clocks change. A midnight that does not exist is the first
/// instant after the gap; of one that exists twice the earlier counts. Counting starts so that 1970-01-01
/// (weeks: Monday 1970-01-05) starts a window; so 3 months are quarters and 12 are years.
#[derive(Debug, Clone)]
pub struct Calendar {
    unit: CalendarUnit,
    count: i64,
    zone: Timezone,
    /// Wall-clock time that windows start after midnight: 6 h for days from 06:00 to 06:00.
    offset_ms: i64,
    recent: [Window; REMEMBERED],
    oldest: usize,
}

impl Calendar {
    /// `count` is at least 1; `offset_ms` may be negative.
    pub fn new(unit: CalendarUnit, count: i64, zone: Timezone, offset_ms: i64) -> Self {
        Self { unit, count: count.max(1), zone, offset_ms, recent: [Window::new(0, 0); REMEMBERED], oldest: 0 }
    }

    pub fn unit(&self) -> CalendarUnit {
        self.unit
    }

    /// The window that holds `time_ms`.
    #[inline]
    pub fn window_of(&mut self, time_ms: i64) -> Window {
        for window in self.recent {
            if window.contains(time_ms) {
                return window;
            }
        }
        let window = self.find(time_ms);
        self.recent[self.oldest] = window;
        self.oldest = (self.oldest + 1) % REMEMBERED;
        window
    }

    fn find(&self, time_ms: i64) -> Window {
        let mut ordinal = self.guess(time_ms);
        loop {
            let window = Window::new(self.start_of(ordinal), self.start_of(ordinal + 1));
            if time_ms < window.start_ms {
                ordinal -= 1;
            } else if time_ms >= window.end_ms {
                ordinal += 1;
            } else {
                return window;
            }
        }
    }

    /// The ordinal of the window by wall-clock time: right but for a change of the clocks.
    fn guess(&self, time_ms: i64) -> i64 {
        let local_ms = time_ms + self.zone.offset_ms(time_ms) - self.offset_ms;
        let day = local_ms.div_euclid(DAY_MS);
        let units = match self.unit {
            CalendarUnit::Day => day,
            CalendarUnit::Week => (day - FIRST_MONDAY).div_euclid(7),
            CalendarUnit::Month => {
                let (year, month, _) = civil_from_days(day);
                (year - 1970) * 12 + month - 1
            }
        };
        units.div_euclid(self.count)
    }

    fn start_of(&self, ordinal: i64) -> i64 {
        let units = ordinal * self.count;
        let day = match self.unit {
            CalendarUnit::Day => units,
            CalendarUnit::Week => FIRST_MONDAY + units * 7,
            CalendarUnit::Month => days_from_civil(1970 + units.div_euclid(12), units.rem_euclid(12) + 1, 1),
        };
        instant_of(&self.zone, day * DAY_MS + self.offset_ms)
    }
}

/// The instant at which the zone's wall clock shows `local_ms` (as if it were UTC).
fn instant_of(zone: &Timezone, local_ms: i64) -> i64 {
    match zone.local(local_ms) {
        Local::Offset(offset_ms) => local_ms - offset_ms,
        Local::Skipped { .. } => zone.end_of_gap(local_ms),
    }
}

#[cfg(test)]
mod tests;
