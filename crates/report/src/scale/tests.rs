use proptest::prelude::*;

use super::*;

fn time(text: &str) -> f64 {
    time_text::parse_rfc3339(text.as_bytes()).unwrap() as f64
}

fn labels(from: &str, to: &str, max: usize) -> Vec<String> {
    ticks(AxisKind::Time, time(from), time(to), max).labels
}

#[test]
fn times_are_round() {
    assert_eq!(
        labels("2026-01-01T00:00:03Z", "2026-01-01T00:01:02Z", 6),
        ["00:00:10", "00:00:20", "00:00:30", "00:00:40", "00:00:50", "00:01:00"]
    );
    assert_eq!(labels("2026-01-01T22:10:00Z", "2026-01-02T02:10:00Z", 6), ["23:00", "01-02", "01:00", "02:00"]);
    assert_eq!(
        labels("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.400Z", 5),
        ["01-01", "00:00:00.100", "00:00:00.200", "00:00:00.300", "00:00:00.400"]
    );
    assert_eq!(labels("2026-01-01T06:00:00Z", "2026-01-25T00:00:00Z", 4), ["01-05", "01-12", "01-19"]);
    assert_eq!(
        labels("2026-01-15T00:00:00Z", "2026-06-02T00:00:00Z", 6),
        ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"]
    );
    assert_eq!(
        labels("2019-05-01T00:00:00Z", "2026-06-02T00:00:00Z", 8),
        ["2020", "2021", "2022", "2023", "2024", "2025", "2026"]
    );
}

#[test]
fn numbers_are_round() {
    let labels = |from, to, max| number_ticks(from, to, max).labels;
    assert_eq!(labels(0.0, 105.0, 6), ["0", "20", "40", "60", "80", "100"]);
    assert_eq!(labels(0.0, 0.9, 5), ["0.0", "0.2", "0.4", "0.6", "0.8"]);
    assert_eq!(labels(-0.05, 0.051, 3), ["-0.05", "0.00", "0.05"]);
    assert_eq!(labels(0.0, 52_000.0, 6), ["0", "10k", "20k", "30k", "40k", "50k"]);
    assert_eq!(labels(0.0, 4.1e12, 4), ["0", "2000G", "4000G"]);
    assert_eq!(labels(0.0, 5e20, 2).len(), 2);
}

#[test]
fn a_number_is_short() {
    for (number, expected) in [
        (0.0, "0"),
        (12.0, "12"),
        (1234.0, "1234"),
        (12_345.0, "12.35k"),
        (0.057_1, "0.0571"),
        (-3.25, "-3.25"),
        (1e9, "1000M"),
        (1.5e22, "1.50e22"),
        (3e-9, "3.00e-9"),
        (f64::NAN, "–"),
        (99.95, "99.95"),
    ] {
        assert_eq!(short(number), expected, "{number}");
    }
}

#[test]
fn a_range_says_what_ticks_leave_out() {
    let (from, to) = (time("2026-01-01T00:00:00Z"), time("2026-01-01T01:00:00Z"));
    assert_eq!(range_text(AxisKind::Time, from, to), "2026-01-01 00:00:00 – 01:00:00 UTC");
    assert_eq!(range_text(AxisKind::Time, from, from + 86_400_000.0), "2026-01-01 00:00:00 – 2026-01-02 00:00:00 UTC");
    assert_eq!(range_text(AxisKind::Number, 1.0, 2.5), "1 – 2.5");
    assert_eq!(x_text(AxisKind::Time, 1e18), "1000000000000000000");
}

proptest! {
    #[test]
    fn ticks_are_in_the_range_and_not_too_many(from in -1e15..1e15_f64, length in 0.0..1e15_f64, max in 1_usize..20) {
        for kind in [AxisKind::Time, AxisKind::Number] {
            let found = ticks(kind, from, from + length, max);
            prop_assert_eq!(found.places.len(), found.labels.len());
            prop_assert!(found.places.len() <= max + 2, "{} of {}", found.places.len(), max);
            let room = length * 1e-6 + 1.0;
            prop_assert!(found.places.iter().all(|place| *place >= from - room && *place <= from + length + room));
        }
    }

    #[test]
    fn no_number_stops_an_axis(from: f64, to: f64) {
        prop_assume!(from.is_finite() && to.is_finite());
        for kind in [AxisKind::Time, AxisKind::Number] {
            let found = ticks(kind, from, to, 8);
            prop_assert!(found.places.len() < 20);
        }
        prop_assert!(fraction(from, from, to).is_finite());
    }
}
