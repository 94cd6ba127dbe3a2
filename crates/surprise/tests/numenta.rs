//! The detector on the series of the Numenta Anomaly Benchmark, by its scoring rules (Lavin and Ahmad 2015).
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use surprise::Detector;
use testkit::shared;
use time_text::parse_rfc3339;

/// The weight of a false alarm, in the standard profile and in the one that wants few of them.
const FALSE_ALARM: [f64; 2] = [0.11, 0.22];
/// The first part of a series is for learning: this part, of at most so many points.
const PROBATION: (f64, f64) = (0.15, 5000.0);

/// A point as the rules have it.
struct Scored {
    score: f64,
    /// What an alarm here brings, in its window; outside of all it is negative, and costs.
    weight: f64,
    window: Option<usize>,
}

#[test]
fn the_score_is_as_it_was_measured() {
    let Some(folder) = shared("analytics") else { return };
    let series = series(&folder);
    let windows: BTreeMap<String, Vec<(String, String)>> =
        serde_json::from_slice(&fs::read(folder.join("anomaly-windows.json")).unwrap()).unwrap();
    let mut points = Vec::new();
    let mut count = 0;
    for (name, spans) in &windows {
        points.extend(scored(&series[name], spans, count));
        count += spans.len();
    }
    points.sort_by(|a, b| b.score.total_cmp(&a.score));
    let [standard, few_false] = FALSE_ALARM.map(|cost| best(&points, count, cost));
    assert!(standard > 79.5 && few_false > 69.0, "standard {standard:.2}, few false alarms {few_false:.2}");
}

/// Times and values by name.
fn series(folder: &Path) -> BTreeMap<String, Vec<(String, f64)>> {
    let unpacked = Command::new("gzip").arg("-dc").arg(folder.join("anomalies.ndjson.gz")).output().unwrap();
    let mut series: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    for line in String::from_utf8(unpacked.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let point = (line["timestamp"].as_str().unwrap().to_owned(), line["value"].as_f64().unwrap());
        series.entry(line["series"].as_str().unwrap().to_owned()).or_default().push(point);
    }
    series
}

/// `first` is the number of the first window of this series.
fn scored(points: &[(String, f64)], spans: &[(String, String)], first: usize) -> Vec<Scored> {
    let mut detector = Detector::default();
    let mut scored: Vec<Scored> = points
        .iter()
        .map(|(time, value)| Scored {
            score: detector.take(*value, milliseconds(time)).score(),
            weight: -1.0,
            window: None,
        })
        .collect();
    let place = |time: &str| points.iter().position(|(other, _)| other == time).unwrap();
    let spans: Vec<(usize, usize)> = spans.iter().map(|(from, to)| (place(from), place(to))).collect();
    for (number, (left, right)) in spans.iter().enumerate() {
        let width = (right - left + 1) as f64;
        for (at, point) in scored.iter_mut().enumerate().take(right + 1).skip(*left) {
            point.window = Some(first + number);
            point.weight = sigmoid(-((right - at + 1) as f64) / width) / sigmoid(-1.0);
        }
        let end = spans.get(number + 1).map_or(points.len(), |next| next.0);
        for (at, point) in scored.iter_mut().enumerate().take(end).skip(right + 1) {
            point.weight = sigmoid((at - right) as f64 / (width - 1.0));
        }
    }
    let probation = (PROBATION.0 * points.len() as f64).min(PROBATION.0 * PROBATION.1).floor() as usize;
    scored.drain(..probation);
    scored
}

fn sigmoid(at: f64) -> f64 {
    if at > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * at).exp()) - 1.0 }
}

fn milliseconds(time: &str) -> i64 {
    parse_rfc3339(time.as_bytes()).unwrap()
}

/// The score, from 0 (no alarm at all) to 100, at the threshold that is best; points are sorted, the highest first.
fn best(points: &[Scored], windows: usize, false_alarm: f64) -> f64 {
    let mut reached = vec![0.0f64; windows];
    let (mut now, mut most) = (0.0, 0.0f64);
    for (at, point) in points.iter().enumerate() {
        match point.window {
            None => now += point.weight * false_alarm,
            Some(window) => {
                // A window that is found no longer costs what a missed one does.
                let before = if reached[window] > 0.0 { reached[window] } else { -1.0 };
                reached[window] = before.max(point.weight);
                now += reached[window] - before;
            }
        }
        if points.get(at + 1).is_none_or(|next| next.score < point.score) {
            most = most.max(now);
        }
    }
    // `now` counts from the score of no alarm, which is -1 for each window; all found is 1 for each.
    100.0 * most / (2.0 * windows as f64)
}
