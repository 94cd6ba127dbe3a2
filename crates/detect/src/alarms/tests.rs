//! Alarms where there is nothing to find. `cargo test --release -p detect alarms -- --nocapture` shows the figures.

use super::*;
use crate::models::{Method, Models};

const DAY_MS: i64 = 24 * 3_600_000;
const METHODS: [Method; 3] = [Method::Memory, Method::Trend, Method::Robust];

/// A normal random number, as the sum of twelve.
fn normal(state: &mut u64) -> f64 {
    let uniform = |_| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..12).map(uniform).sum::<f64>() - 6.0
}

/// A kind of series without anomalies.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Noise,
    Season,
    Autoregressive,
    Walk,
    Trend,
}

impl Kind {
    /// The next value after `last`, at this time.
    fn next(self, last: f64, point: usize, time_ms: i64, state: &mut u64) -> f64 {
        let noise = normal(state);
        match self {
            Self::Noise => noise,
            Self::Season => noise + if time_ms % DAY_MS < DAY_MS / 2 { 5.0 } else { -5.0 },
            Self::Autoregressive => 0.95 * last + noise,
            Self::Walk => last + noise,
            Self::Trend => noise + point as f64 * 0.01,
        }
    }
}

/// Which series, how many of them, how long they are.
#[derive(Clone, Copy)]
struct Plan {
    kind: Kind,
    method: Method,
    rule: Rule,
    keys: u64,
    step_ms: i64,
    /// Points before those that count, and these.
    points: [usize; 2],
}

/// The alarms of all keys in the points that count.
fn alarms(plan: Plan) -> u32 {
    let Plan { kind, method, rule, keys, step_ms, points: [first, counted] } = plan;
    let mut found = 0;
    for key in 0..keys {
        let (mut state, mut models, mut alarms) = (key * 7919 + 1, Models::new(method, 1), Alarms::default());
        let mut value = 0.0;
        for point in 0..first + counted {
            let time_ms = point as i64 * step_ms;
            value = kind.next(value, point, time_ms, &mut state);
            let (before, numbers) = (alarms.count, [Some(value)]);
            let verdict = models.take(0, value, time_ms).unwrap();
            let judged = Judged { numbers: &numbers, value: 0, verdict: &verdict, time_ms, is_after_gap: false };
            alarms.take(&judged, rule, 60);
            found += if point >= first { alarms.count - before } else { 0 };
        }
    }
    found
}

/// Alarms a key and week, of 1,000 keys with a point every quarter of an hour, in three weeks after the first.
fn a_week(kind: Kind, method: Method, count: usize, keys: u64) -> f64 {
    let rule = Rule::Rate { count, within_ms: 7 * DAY_MS };
    let plan = Plan { kind, method, rule, keys, step_ms: DAY_MS / 96, points: [672, 3 * 672] };
    f64::from(alarms(plan)) / (3.0 * keys as f64)
}

/// Alarms for 1,000 points at the default threshold, after the first 4,000.
fn for_1000_points(kind: Kind, method: Method) -> f64 {
    let rule = Rule::Threshold(THRESHOLD_DEFAULT);
    let plan = Plan { kind, method, rule, keys: 20, step_ms: DAY_MS / 288, points: [4000, 10_000] };
    f64::from(alarms(plan)) / 200.0
}

#[allow(clippy::print_stderr)]
fn say(what: &str, kind: Kind, method: Method, figure: f64) {
    eprintln!("{what} {method:?} {kind:?}: {figure:.3}");
}

#[test]
fn a_rate_of_alarms_is_about_that_of_false_ones() {
    for kind in [Kind::Noise, Kind::Season, Kind::Walk] {
        let found = a_week(kind, Method::Memory, 1, 1000);
        say("a week", kind, Method::Memory, found);
        assert!((0.5..2.0).contains(&found), "{kind:?} {found}");
    }
}

#[test]
fn a_rate_of_alarms_is_as_good_with_other_methods() {
    for method in [Method::Trend, Method::Robust] {
        for kind in [Kind::Noise, Kind::Season, Kind::Walk] {
            let found = a_week(kind, method, 1, 150);
            say("a week", kind, method, found);
            assert!((0.5..2.0).contains(&found), "{kind:?} {found}");
        }
    }
}

#[test]
fn the_default_threshold_is_calm() {
    let most =
        [(Kind::Noise, 0.5), (Kind::Season, 0.5), (Kind::Autoregressive, 0.5), (Kind::Walk, 1.0), (Kind::Trend, 1.0)];
    for method in METHODS {
        for (kind, most) in most {
            let found = for_1000_points(kind, method);
            say("for 1,000 points", kind, method, found);
            assert!(found < most, "{method:?} {kind:?} {found}");
        }
    }
}

#[test]
fn on_trends_and_walks_trend_is_calmer_still() {
    for kind in [Kind::Noise, Kind::Season, Kind::Autoregressive, Kind::Walk, Kind::Trend] {
        let found = for_1000_points(kind, Method::Trend);
        assert!(found < 0.1, "{kind:?} {found}");
    }
}

#[test]
fn more_alarms_may_be_asked_for() {
    let [one, four] = [1, 4].map(|count| a_week(Kind::Noise, Method::Memory, count, 40));
    assert!(four > 2.5 * one && four < 8.0, "{one} {four}");
}
