//! What is kept of a key: a detector for each number, and its alarms.

use surprise::{Detector, Verdict};
use values::state_text::{StateReader, write_items, write_signed};

use crate::alarms::{Alarm, Alarms, Judged, Rule};

/// The state of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesState {
    last_ms: i64,
    detectors: Vec<Detector>,
    alarms: Alarms,
}

/// What is said of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Which number it is about.
    pub value: usize,
    pub number: f64,
    pub verdict: Verdict,
    pub alarm: Option<Alarm>,
}

impl SeriesState {
    /// Begins with a line of this time, and so many numbers.
    pub fn new(time_ms: i64, numbers: usize) -> Self {
        Self { last_ms: time_ms, detectors: vec![Detector::default(); numbers], alarms: Alarms::default() }
    }

    /// Returns the time of the last line.
    pub fn last_ms(&self) -> i64 {
        self.last_ms
    }

    /// Takes the numbers of a line that is not earlier than the last one. Returns what is said of the most surprising one;
    /// none if the line has no number.
    pub fn take(&mut self, time_ms: i64, numbers: &[Option<f64>], rule: Rule, warm_up: u64) -> Option<Finding> {
        self.last_ms = time_ms;
        let mut found: Option<Finding> = None;
        for (value, (detector, number)) in self.detectors.iter_mut().zip(numbers).enumerate() {
            let Some(number) = *number else { continue };
            let verdict = detector.take(number, time_ms);
            if found.is_none_or(|best| rank(&verdict) > rank(&best.verdict)) {
                found = Some(Finding { value, number, verdict, alarm: None });
            }
        }
        let mut finding = found?;
        let judged = Judged { numbers, value: finding.value, verdict: &finding.verdict, time_ms };
        finding.alarm = self.alarms.take(&judged, rule, warm_up);
        Some(finding)
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_signed(self.last_ms, out);
        out.push(b',');
        write_items(&self.detectors, out, |detector, out| detector.save(out));
        out.push(b',');
        self.alarms.save(out);
        out.push(b']');
    }

    /// Takes what `save` wrote of so many numbers.
    pub fn load(from: &mut StateReader<'_>, numbers: usize) -> Option<Self> {
        from.literal(b"[")?;
        let last_ms = from.signed()?;
        from.literal(b",")?;
        let mut detectors = Vec::with_capacity(numbers);
        from.items(|from| {
            detectors.push(Detector::load(from)?);
            Some(())
        })?;
        from.literal(b",")?;
        let alarms = Alarms::load(from)?;
        from.literal(b"]")?;
        (detectors.len() == numbers).then_some(Self { last_ms, detectors, alarms })
    }
}

impl Finding {
    /// Returns true if the number is above what was expected.
    pub fn is_above(&self) -> bool {
        self.verdict.interval.is_some_and(|interval| self.number > interval.expected)
    }
}

/// Those that count are before others.
fn rank(verdict: &Verdict) -> (f64, f64) {
    (verdict.score(), verdict.surprise)
}
