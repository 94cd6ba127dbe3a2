//! The steps of a series: of equal length, or months of the calendar.

use event_time::{CalendarUnit, WindowSize};
use time_text::{civil_from_days, days_from_civil};

const DAY_MS: i64 = 86_400_000;

/// How far one value is from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// In milliseconds, more than 0.
    Fixed(i64),
    /// Months of the calendar in UTC, more than 0.
    Months(i64),
}

impl Step {
    /// Makes a step of a size: months are those of the calendar, days and weeks are in UTC.
    #[must_use]
    pub fn of_size(size: WindowSize) -> Step {
        match size {
            WindowSize::Fixed { size_ms } => Step::Fixed(size_ms),
            WindowSize::Calendar { unit: CalendarUnit::Day, count } => Step::Fixed(count * DAY_MS),
            WindowSize::Calendar { unit: CalendarUnit::Week, count } => Step::Fixed(count * 7 * DAY_MS),
            WindowSize::Calendar { unit: CalendarUnit::Month, count } => Step::Months(count),
        }
    }

    /// Tells the step of values at these times, which ascend strictly: the median of their distances; months, quarters
    /// or years where all distances are such. None for less than two.
    #[must_use]
    pub fn of(times_ms: &[i64]) -> Option<Step> {
        let mut distances: Vec<i64> = times_ms.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        distances.sort_unstable();
        let (least, most) = (*distances.first()?, *distances.last()?);
        let of_calendar = [(28, 31, 1), (90, 92, 3), (365, 366, 12)]
            .into_iter()
            .find(|(low, high, _)| least != most && low * DAY_MS <= least && most <= high * DAY_MS);
        Some(match of_calendar {
            Some((_, _, months)) => Step::Months(months),
            None => Step::Fixed(distances[distances.len() / 2].max(1)),
        })
    }

    /// Returns the time so many steps later; none beyond what a time can be.
    #[must_use]
    pub fn after(self, time_ms: i64, steps: i64) -> Option<i64> {
        match self {
            Step::Fixed(step_ms) => time_ms.checked_add(step_ms.checked_mul(steps)?),
            Step::Months(months) => later(time_ms, months.checked_mul(steps)?),
        }
    }

    /// Counts the steps from one time to another, to the nearest; of months, by the calendar.
    #[must_use]
    pub fn count(self, from_ms: i64, to_ms: i64) -> i64 {
        let (distance, step) = match self {
            Step::Fixed(step_ms) => (to_ms.saturating_sub(from_ms), step_ms),
            Step::Months(months) => (month_of(to_ms) - month_of(from_ms), months),
        };
        distance.saturating_add(step / 2).div_euclid(step)
    }

    /// Returns how long a step is about, in milliseconds.
    #[must_use]
    pub fn about_ms(self) -> i64 {
        match self {
            Step::Fixed(step_ms) => step_ms,
            // The mean month of the Gregorian calendar: 30.436875 days.
            Step::Months(months) => months.saturating_mul(2_629_746_000),
        }
    }
}

fn month_of(time_ms: i64) -> i64 {
    let (year, month, _) = civil_from_days(time_ms.div_euclid(DAY_MS));
    year * 12 + month - 1
}

/// The same day and time of a later month; its last day where it has no such day.
fn later(time_ms: i64, months: i64) -> Option<i64> {
    let (_, _, day) = civil_from_days(time_ms.div_euclid(DAY_MS));
    let month = month_of(time_ms).checked_add(months).filter(|month| month.abs() < 200_000)?;
    let first = |month: i64| days_from_civil(month.div_euclid(12), month.rem_euclid(12) + 1, 1);
    let last_day = first(month + 1) - first(month);
    Some((first(month) + day.min(last_day) - 1) * DAY_MS + time_ms.rem_euclid(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_time::{format_rfc3339, parse_rfc3339};

    fn times(texts: &[&str]) -> Vec<i64> {
        texts.iter().map(|text| parse_rfc3339(format!("{text}T06:00:00Z").as_bytes()).unwrap()).collect()
    }

    #[test]
    fn a_step_is_the_median_distance_or_a_month_of_the_calendar() {
        assert_eq!(Step::of(&[0, 10, 20, 50, 60]), Some(Step::Fixed(10)));
        assert_eq!((Step::of(&[5]), Step::of(&[])), (None, None));
        let months = times(&["2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31"]);
        assert_eq!(Step::of(&months), Some(Step::Months(1)));
        assert_eq!(Step::of(&times(&["2025-01-01", "2025-04-01", "2025-07-01"])), Some(Step::Months(3)));
        assert_eq!(Step::of(&times(&["2023-01-01", "2024-01-01", "2025-01-01"])), Some(Step::Months(12)));
        assert_eq!(Step::of(&times(&["2023-01-01", "2023-01-31", "2023-03-02"])), Some(Step::Fixed(30 * DAY_MS)));
    }

    #[test]
    fn months_are_counted_by_the_calendar() {
        let [from, to] = times(&["2026-01-31", "2027-03-01"])[..] else { panic!() };
        assert_eq!((Step::Months(1).count(from, to), Step::Months(1).count(to, from)), (14, -14));
        let after = |steps| format_rfc3339(Step::Months(1).after(from, steps).unwrap());
        assert_eq!(
            (after(1), after(2), after(-2)),
            ("2026-02-28T06:00:00Z".into(), "2026-03-31T06:00:00Z".into(), "2025-11-30T06:00:00Z".into())
        );
    }

    #[test]
    fn no_time_and_no_count_overflows() {
        assert_eq!(Step::Fixed(i64::MAX).after(1, 1), None);
        assert_eq!(Step::Months(i64::MAX).after(1, 2), None);
        assert_eq!(Step::Months(1).after(0, 1 << 40), None);
        assert_eq!(Step::Fixed(7).count(i64::MIN, i64::MAX), i64::MAX / 7);
        assert_eq!(
            (Step::Fixed(10).count(0, 14), Step::Fixed(10).count(0, 15), Step::Fixed(10).count(10, 0)),
            (1, 2, -1)
        );
    }
}
