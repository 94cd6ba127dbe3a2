//! Writes what is said of a line.

use event_time::format_rfc3339;
use json_fields::write_string;
use surprise::{Evidence, Verdict};
use values::write_f64;

use crate::series_state::Finding;

/// The members that are written, in this order; those of an anomaly only for one.
pub const NAMES: [&str; 10] = [
    "anomaly_score",
    "anomaly",
    "surprise",
    "expected",
    "lower",
    "upper",
    "why",
    "anomaly_of",
    "anomaly_id",
    "anomaly_since",
];

/// An alarm of so many points is a new level.
const LEVEL_POINTS: u64 = 3;

/// Writes them without braces.
#[derive(Clone, Debug)]
pub struct Members {
    /// What the numbers are called, if there are several.
    names: Vec<String>,
    text: Vec<u8>,
}

impl Members {
    pub fn new(values: &[String]) -> Self {
        Self { names: if values.len() > 1 { values.to_vec() } else { Vec::new() }, text: Vec::new() }
    }

    /// Returns the members for a finding; none: the line had no number.
    pub fn of(&mut self, finding: Option<&Finding>) -> &[u8] {
        self.text.clear();
        match finding {
            None => self.text.extend_from_slice(b"\"anomaly_score\":null,\"anomaly\":false"),
            Some(finding) => self.write(finding),
        }
        &self.text
    }

    fn write(&mut self, finding: &Finding) {
        let verdict = &finding.verdict;
        self.number("\"anomaly_score\":", verdict.score());
        let is_anomaly = finding.alarm.is_some();
        self.text.extend_from_slice(if is_anomaly { b",\"anomaly\":true" } else { b",\"anomaly\":false" });
        self.number(",\"surprise\":", verdict.surprise);
        if let Some(interval) = verdict.interval {
            self.number(",\"expected\":", interval.expected);
            self.number(",\"lower\":", interval.lower);
            self.number(",\"upper\":", interval.upper);
        }
        let Some(alarm) = finding.alarm else { return };
        self.string(",\"why\":", why(verdict, finding.is_above(), alarm.points));
        if let Some(name) = self.names.get(finding.value) {
            self.text.extend_from_slice(b",\"anomaly_of\":");
            write_string(name, &mut self.text);
        }
        self.number(",\"anomaly_id\":", alarm.id as f64);
        self.string(",\"anomaly_since\":", &format_rfc3339(alarm.since_ms).to_string());
    }

    fn number(&mut self, name: &str, value: f64) {
        self.text.extend_from_slice(name.as_bytes());
        write_f64(value, &mut self.text);
    }

    fn string(&mut self, name: &str, value: &str) {
        self.text.extend_from_slice(name.as_bytes());
        write_string(value, &mut self.text);
    }
}

/// Says in words what is surprising.
fn why(verdict: &Verdict, is_above: bool, points: u64) -> &'static str {
    match verdict.evidence {
        _ if points >= LEVEL_POINTS => "level shift",
        Evidence::Season => "unseen season",
        Evidence::Pair => "unusual sequence",
        Evidence::Value if is_above => "spike",
        Evidence::Value => "dip",
    }
}
