//! Writes what is said of a line.

use event_time::format_rfc3339;
use json_fields::write_string;
use surprise::{ChangeKind, Evidence, Verdict};
use values::write_f64;

use crate::alarms::Alarm;
use crate::judged::Cause;
use crate::series_state::Finding;

/// The members that are written, in this order; those of an anomaly only for one.
const NAMES: [&str; 14] = [
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
    "change",
    "change_of",
    "change_since",
    "change_probability",
];
/// How many of them are about changes: the last ones.
const OF_CHANGES: usize = 4;

/// Returns the members that are written, with or without those of changes.
pub fn names(changes: bool) -> &'static [&'static str] {
    if changes { &NAMES } else { &NAMES[..NAMES.len() - OF_CHANGES] }
}

/// An alarm of so many points is a new level.
const LEVEL_POINTS: u32 = 3;
/// One of so many points, the last of them further out, is a new trend.
const TREND_POINTS: u32 = 5;

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
        if let Some(alarm) = &finding.alarm {
            self.string(",\"why\":", why(verdict, finding.is_above(), alarm));
            self.name_of(",\"anomaly_of\":", finding.value);
            self.number(",\"anomaly_id\":", f64::from(alarm.id));
            self.string(",\"anomaly_since\":", &format_rfc3339(alarm.since_ms).to_string());
        }
        if let Some(found) = &finding.change {
            self.string(",\"change\":", change_name(found.change.kind));
            self.name_of(",\"change_of\":", found.value);
            self.string(",\"change_since\":", &format_rfc3339(found.change.since_ms).to_string());
            self.number(",\"change_probability\":", found.change.probability);
        }
    }

    /// Says which number it is, if there are several.
    fn name_of(&mut self, member: &str, value: usize) {
        if let Some(name) = self.names.get(value) {
            self.text.extend_from_slice(member.as_bytes());
            write_string(name, &mut self.text);
        }
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

fn change_name(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Level => "level",
        ChangeKind::Trend => "trend",
        ChangeKind::Variance => "variance",
    }
}

/// Says in words what is surprising.
fn why(verdict: &Verdict, is_above: bool, alarm: &Alarm) -> &'static str {
    match (alarm.cause, verdict.evidence) {
        (Cause::Flat, _) => "flat line",
        (Cause::Gap, _) => "gap",
        (_, Evidence::Peers) => "unlike its peers",
        _ if alarm.points >= TREND_POINTS && alarm.departs => "trend change",
        _ if alarm.points >= LEVEL_POINTS => "level shift",
        (_, Evidence::Season) => "unseen season",
        _ if verdict.is_unsteady => "variance",
        (_, Evidence::Pair) => "unusual sequence",
        (_, Evidence::Value) if is_above => "spike",
        (_, Evidence::Value) => "dip",
    }
}
