use super::*;
use proptest::prelude::*;

fn size(text: &str) -> WindowSize {
    text.parse().unwrap()
}

fn windows(mut windowing: Windowing, time_ms: i64) -> Vec<(i64, i64)> {
    let mut windows = vec![Window::new(7, 7)];
    windowing.windows_of(time_ms, &mut windows);
    windows.iter().map(|w| (w.start_ms, w.end_ms)).collect()
}

#[test]
fn tumbling_windows_are_aligned_to_the_epoch() {
    let tumbling = Windowing::tumbling(size("10s"), None, 0).unwrap();
    assert!(tumbling.is_tumbling());
    assert_eq!(windows(tumbling.clone(), 19_999), [(10_000, 20_000)]);
    assert_eq!(windows(tumbling.clone(), -1), [(-10_000, 0)]);
    assert_eq!(windows(tumbling, 0), [(0, 10_000)]);
    let shifted = Windowing::tumbling(size("10s"), None, -3_000).unwrap();
    assert_eq!(windows(shifted, 0), [(-3_000, 7_000)]);
}

#[test]
fn hopping_windows_come_in_ascending_order() {
    let hopping = Windowing::hopping(size("10s"), 4_000, 0).unwrap();
    assert_eq!(windows(hopping.clone(), 9_000), [(0, 10_000), (4_000, 14_000), (8_000, 18_000)]);
    assert_eq!(windows(hopping.clone(), 11_000), [(4_000, 14_000), (8_000, 18_000)]);
    assert_eq!(hopping.clone().slice_of(9_999), Window::new(8_000, 10_000));
    assert!(!hopping.is_tumbling());
}

#[test]
fn cumulating_windows_share_their_start() {
    let cumulate = Windowing::cumulate(size("1h"), 1_200_000, None, 0).unwrap();
    assert_eq!(windows(cumulate.clone(), 1_300_000), [(0, 2_400_000), (0, 3_600_000)]);
    assert_eq!(cumulate.clone().slice_of(1_300_000), Window::new(1_200_000, 2_400_000));
}

#[test]
fn weeks_start_on_monday_with_and_without_a_timezone() {
    let monday_ms = 345_600_000;
    for zone in [None, Some(Timezone::UTC)] {
        let weeks = Windowing::tumbling(size("1w"), zone, 0).unwrap();
        assert_eq!(windows(weeks, monday_ms), [(monday_ms, monday_ms + 604_800_000)]);
    }
    let days = Windowing::tumbling(size("7d"), None, 0).unwrap();
    assert_eq!(windows(days, 0), [(0, 604_800_000)]);
}

#[test]
fn a_fixed_size_in_a_timezone_starts_anew_at_midnight() {
    let zone = Some("Asia/Kolkata".parse().unwrap());
    let hours = Windowing::tumbling(size("1h"), zone, 0).unwrap();
    assert!(hours.is_tumbling());
    assert_eq!(windows(hours, 0), [(-1_800_000, 1_800_000)]);
}

#[test]
fn the_steps_of_a_long_day_go_on_to_its_end() {
    // 2026-11-01 in New York has 25 hours, from 04:00Z.
    let start_ms = 1_793_505_600_000;
    let zone = Some("America/New_York".parse().unwrap());
    let days = Windowing::cumulate(size("1d"), 6 * 3_600_000, zone, 0).unwrap();
    let hour_ms = 3_600_000;
    assert_eq!(
        windows(days.clone(), start_ms + 23 * hour_ms),
        [(start_ms, start_ms + 24 * hour_ms), (start_ms, start_ms + 25 * hour_ms)]
    );
    let mut days = days;
    assert_eq!(days.slice_of(start_ms + 24 * hour_ms), Window::new(start_ms + 24 * hour_ms, start_ms + 25 * hour_ms));
}

#[test]
fn sizes_that_do_not_go_together_are_refused_with_a_reason() {
    let zone = Some(Timezone::UTC);
    let hour_ms = 3_600_000;
    for (got, message) in [
        (
            Windowing::hopping(size("10s"), 20_000, 0),
            "slide 20s is longer than size 10s: times between two windows would be in none",
        ),
        (Windowing::hopping(size("10s"), 0, 0), "slide 0s is zero: say 1s or more"),
        (Windowing::hopping(size("1mo"), hour_ms, 0), "size 1mo cannot hop: months differ in length, say 30d"),
        (
            Windowing::hopping(size("1d"), 1, 0),
            "slide 1ms is too fine for size 1d: a line may be in 10000 windows, a window have 1000000 slices",
        ),
        (
            Windowing::cumulate(size("1h"), 7_000, None, 0),
            "step 7s does not divide size 1h: every window must end on a step",
        ),
        (
            Windowing::cumulate(size("1h"), 60_000, zone.clone(), 0),
            "size 1h in a timezone cannot cumulate: say 1d, 1w or 1mo, or leave the timezone away",
        ),
        (
            Windowing::tumbling(size("7h"), zone, 0),
            "size 7h does not divide a day: a timezone needs a size of days, weeks, months or one that divides a day",
        ),
        (Windowing::tumbling(size("9999w1d"), None, 0), "size 69994d is too long: a hundred years at most"),
    ] {
        assert_eq!(got.unwrap_err().to_string(), message);
    }
}

fn any_windowing() -> impl Strategy<Value = Windowing> {
    let offset = -5_000i64..5_000;
    let calendar = (0usize..chrono_tz::TZ_VARIANTS.len(), 0usize..4, offset.clone());
    prop_oneof![
        (1i64..5_000, offset.clone()).prop_map(|(n, o)| Windowing::tumbling(WindowSize::Fixed { size_ms: n }, None, o)),
        (1i64..60, 1i64..60, 1i64..50, offset.clone()).prop_map(|(a, b, unit, o)| {
            let size_ms = a.max(b) * unit;
            Windowing::hopping(WindowSize::Fixed { size_ms }, a.min(b) * unit, o)
        }),
        (1i64..60, 1i64..5_000, offset).prop_map(|(n, step_ms, o)| {
            Windowing::cumulate(WindowSize::Fixed { size_ms: n * step_ms }, step_ms, None, o)
        }),
        calendar.prop_map(|(zone, shape, offset_ms)| {
            let zone = Some(chrono_tz::TZ_VARIANTS[zone].name().parse().unwrap());
            match shape {
                0 => Windowing::tumbling(size("1d"), zone, offset_ms),
                1 => Windowing::tumbling(size("1h"), zone, offset_ms),
                2 => Windowing::cumulate(size("1w"), 21_600_000, zone, offset_ms),
                _ => Windowing::cumulate(size("1mo"), 86_400_000, zone, offset_ms),
            }
        }),
    ]
    .prop_map(Result::unwrap)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// What a slice is for: two times of one slice are in the same windows, and each window of a
    /// time begins and ends on an edge of slices.
    #[test]
    fn every_window_is_a_union_of_slices(
        mut windowing in any_windowing(),
        time_ms in prop_oneof![-20_000i64..20_000, 0i64..2_000_000_000_000],
    ) {
        let slice = windowing.slice_of(time_ms);
        prop_assert!(slice.contains(time_ms));
        let (mut at, mut at_start, mut at_end) = (Vec::new(), Vec::new(), Vec::new());
        windowing.windows_of(time_ms, &mut at);
        windowing.windows_of(slice.start_ms, &mut at_start);
        windowing.windows_of(slice.end_ms - 1, &mut at_end);
        prop_assert!(!at.is_empty());
        prop_assert_eq!(&at, &at_start);
        prop_assert_eq!(&at, &at_end);
        prop_assert!(at.is_sorted() && at.windows(2).all(|w| w[0] != w[1]));
        prop_assert!(!windowing.is_tumbling() || at == [slice]);
        for window in at {
            prop_assert!(window.contains(time_ms));
            prop_assert_eq!(windowing.slice_of(window.start_ms).start_ms, window.start_ms);
            prop_assert_eq!(windowing.slice_of(window.end_ms - 1).end_ms, window.end_ms);
        }
    }

    /// Against: try every start in reach.
    #[test]
    fn hopping_windows_are_all_that_hold_the_time(
        size_ms in 1i64..500, slide in 1i64..500, offset in -700i64..700, time in -2_000i64..2_000,
    ) {
        let slide_ms = slide.min(size_ms);
        let hopping = Windowing::hopping(WindowSize::Fixed { size_ms }, slide_ms, offset).unwrap();
        let expected: Vec<_> = (time - size_ms..=time)
            .filter(|start| (start - offset).rem_euclid(slide_ms) == 0 && start + size_ms > time)
            .map(|start| (start, start + size_ms))
            .collect();
        prop_assert_eq!(windows(hopping, time), expected);
    }
}
