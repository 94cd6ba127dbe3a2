//! Change points beside known ones, and beside those that ruptures finds with all of the series in view. Figures:
//! `cargo test --release -p surprise --test changes -- --nocapture`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stderr)]

use serde_json::Value;
use surprise::{ChangeKind, ChangePoints};

/// A change that is found so near to a true one is that one.
const NEAR: u64 = 20;

/// How many of the true ones were found, how many others, and the mean distance.
#[derive(Debug, Default)]
struct Hits {
    truth: usize,
    found: usize,
    others: usize,
    distance: u64,
}

impl Hits {
    fn add(&mut self, truth: &[u64], places: &[u64]) {
        self.truth += truth.len();
        for true_one in truth {
            let nearest = places.iter().map(|place| place.abs_diff(*true_one)).min().filter(|far| *far <= NEAR);
            self.found += usize::from(nearest.is_some());
            self.distance += nearest.unwrap_or(0);
        }
        let is_other = |place: &&u64| truth.iter().all(|true_one| place.abs_diff(*true_one) > NEAR);
        self.others += places.iter().filter(is_other).count();
    }

    fn mean_distance(&self) -> f64 {
        self.distance as f64 / self.found as f64
    }
}

fn places(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|place| place.as_u64().unwrap()).collect()
}

#[test]
fn known_changes_are_found_and_few_others() {
    let series: Vec<Value> = serde_json::from_str(include_str!("fixtures/changes.json")).unwrap();
    for (name, kind) in [("level", ChangeKind::Level), ("variance", ChangeKind::Variance), ("trend", ChangeKind::Trend)]
    {
        let (mut ours, mut theirs, mut right) = (Hits::default(), Hits::default(), 0);
        for one in series.iter().filter(|one| one["kind"] == name) {
            let mut points = ChangePoints::default();
            let values = one["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
            let changes: Vec<_> = values.enumerate().filter_map(|(at, value)| points.take(value, at as i64)).collect();
            right += changes.iter().filter(|change| change.kind == kind).count();
            let found: Vec<u64> = changes.iter().map(|change| change.since_ms as u64).collect();
            ours.add(&places(&one["truth"]), &found);
            theirs.add(&places(&one["truth"]), &places(&one["ruptures"]));
        }
        eprintln!(
            "{name}: ours {ours:?} near {:.1}, kind {right}; ruptures {theirs:?} near {:.1}",
            ours.mean_distance(),
            theirs.mean_distance()
        );
        assert!(ours.found * 10 >= ours.truth * 8, "{name} {ours:?}");
        // A trend is often told twice: as it leaves the old one, and when its slope is known.
        let most = if kind == ChangeKind::Trend { ours.truth } else { ours.truth / 4 };
        assert!(ours.others <= most, "{name} {ours:?}");
        assert!(ours.mean_distance() < 8.0, "{name} {ours:?}");
    }
}
