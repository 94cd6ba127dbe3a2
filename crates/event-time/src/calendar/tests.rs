use super::*;
use crate::timezone::known;
use crate::{format_rfc3339, parse_rfc3339};
use proptest::prelude::*;

fn ms(text: &str) -> i64 {
    parse_rfc3339(text.as_bytes()).unwrap()
}

fn window(unit: CalendarUnit, count: i64, zone: &str, offset_h: i64, time: &str) -> (String, String) {
    let mut calendar = Calendar::new(unit, count, zone.parse().unwrap(), offset_h * 3_600_000);
    let window = calendar.window_of(ms(time));
    (format_rfc3339(window.start_ms), format_rfc3339(window.end_ms))
}

fn pair(start: &str, end: &str) -> (String, String) {
    (start.to_owned(), end.to_owned())
}

#[test]
fn a_day_is_from_midnight_to_midnight_where_the_zone_is() {
    assert_eq!(
        window(CalendarUnit::Day, 1, "Asia/Taipei", 0, "2026-03-05T18:00:00Z"),
        pair("2026-03-05T16:00:00Z", "2026-03-06T16:00:00Z")
    );
}

#[test]
fn a_day_has_23_or_25_hours_when_the_clocks_change() {
    assert_eq!(
        window(CalendarUnit::Day, 1, "America/New_York", 0, "2026-03-08T12:00:00Z"),
        pair("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z")
    );
    assert_eq!(
        window(CalendarUnit::Day, 1, "America/New_York", 0, "2026-11-01T12:00:00Z"),
        pair("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")
    );
}

#[test]
fn a_midnight_that_does_not_exist_is_the_first_instant_after_the_gap() {
    // São Paulo skipped 00:00 to 01:00 on 2018-11-04.
    assert_eq!(
        window(CalendarUnit::Day, 1, "America/Sao_Paulo", 0, "2018-11-04T12:00:00Z"),
        pair("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z")
    );
    // Samoa skipped the whole of 2011-12-30.
    assert_eq!(
        window(CalendarUnit::Day, 1, "Pacific/Apia", 0, "2011-12-30T09:59:59Z"),
        pair("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z")
    );
    assert_eq!(
        window(CalendarUnit::Day, 1, "Pacific/Apia", 0, "2011-12-30T10:00:00Z"),
        pair("2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z")
    );
}

#[test]
fn of_a_midnight_that_exists_twice_the_earlier_counts() {
    // Havana went from 01:00 back to 00:00 on 2025-11-02.
    assert_eq!(
        window(CalendarUnit::Day, 1, "America/Havana", 0, "2025-11-02T05:30:00Z"),
        pair("2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z")
    );
}

#[test]
fn weeks_start_on_monday_and_months_on_the_first() {
    assert_eq!(
        window(CalendarUnit::Week, 1, "UTC", 0, "2026-11-22T23:59:59.999Z"),
        pair("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z")
    );
    assert_eq!(
        window(CalendarUnit::Month, 1, "Europe/Berlin", 0, "2024-02-29T23:00:00Z"),
        pair("2024-02-29T23:00:00Z", "2024-03-31T22:00:00Z")
    );
    assert_eq!(
        window(CalendarUnit::Month, 3, "UTC", 0, "2026-11-23T00:00:00Z"),
        pair("2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z")
    );
    assert_eq!(
        window(CalendarUnit::Month, 12, "UTC", 0, "1969-06-01T00:00:00Z"),
        pair("1969-01-01T00:00:00Z", "1970-01-01T00:00:00Z")
    );
}

#[test]
fn an_offset_is_time_on_the_wall_clock() {
    assert_eq!(
        window(CalendarUnit::Day, 1, "America/New_York", 6, "2026-03-08T09:30:00Z"),
        pair("2026-03-07T11:00:00Z", "2026-03-08T10:00:00Z")
    );
    assert_eq!(
        window(CalendarUnit::Day, 1, "UTC", -2, "2026-03-08T22:30:00Z"),
        pair("2026-03-08T22:00:00Z", "2026-03-09T22:00:00Z")
    );
}

#[test]
fn the_ends_of_time_have_windows() {
    for zone in ["UTC", "Asia/Taipei", "America/New_York"] {
        for unit in [CalendarUnit::Day, CalendarUnit::Week, CalendarUnit::Month] {
            let mut calendar = Calendar::new(unit, 1, zone.parse().unwrap(), 0);
            for time_ms in [crate::TIME_MIN_MS, crate::TIME_MAX_MS] {
                assert!(calendar.window_of(time_ms).contains(time_ms));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// chrono's own date of an instant says which day, week or month it belongs to.
    #[test]
    fn two_times_share_a_window_when_they_share_a_date(
        time_ms in known::TIMES_MS,
        apart_ms in 0i64..3_000_000_000,
        zone in 0..known::ZONES.len(),
    ) {
        use chrono::{Datelike, TimeZone};
        let zone = known::ZONES[zone];
        let naive = |ms: i64| chrono::DateTime::from_timestamp_millis(ms).unwrap().naive_utc();
        let date = |ms: i64| zone.from_utc_datetime(&naive(ms)).date_naive();
        let (a, b) = (date(time_ms), date(time_ms + apart_ms));
        for (unit, same) in [
            (CalendarUnit::Day, a == b),
            (CalendarUnit::Week, a.iso_week() == b.iso_week()),
            (CalendarUnit::Month, (a.year(), a.month()) == (b.year(), b.month())),
        ] {
            let mut calendar = Calendar::new(unit, 1, zone.name().parse().unwrap(), 0);
            let window = calendar.window_of(time_ms);
            prop_assert!(window.contains(time_ms));
            prop_assert_eq!(calendar.window_of(window.end_ms).start_ms, window.end_ms);
            // A fold around midnight puts the same date on both sides of the other.
            let folds = (-1..=1).any(|d| {
                let at = window.end_ms + d * 7_200_000;
                date(at) < date(at - 3_600_000)
            });
            if !folds {
                prop_assert_eq!(window.contains(time_ms + apart_ms), same, "{:?} {:?}", zone, unit);
            }
        }
    }
}
