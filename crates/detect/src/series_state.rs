//! What is kept of a key: a detector for each number, and its alarms.

use keyed_state::Footprint;
use surprise::Verdict;
use values::state_text::{StateReader, write_number};

use crate::alarms::{Alarm, Alarms, Rule};
use crate::judged::Judged;
use crate::models::{Method, Models};
use crate::regimes::{Found, Regimes};

/// A time without lines is a gap when it is so many times as long as the longest before it.
const GAP_TIMES: f32 = 4.0;
/// After fewer lines no time is known to be long.
const GAP_LINES: u32 = 60;

/// How points are judged.
#[derive(Clone, Copy, Debug)]
pub struct Judging {
    /// How many numbers a line has.
    pub values: usize,
    pub method: Method,
    pub rule: Rule,
    /// The first so many lines of a key are no anomalies.
    pub warm_up: u64,
    /// Change points are of interest too.
    pub changes: bool,
}

/// The state of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesState {
    models: Models,
    alarms: Alarms,
    regimes: Option<Box<Regimes>>,
    /// The longest time between two lines so far, in milliseconds; rounded, as it is for comparing.
    longest_ms: f32,
}

/// What is said of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Which number it is about.
    pub value: usize,
    pub number: f64,
    pub verdict: Verdict,
    pub alarm: Option<Alarm>,
    pub change: Option<Found>,
}

impl SeriesState {
    /// Begins without a line.
    pub fn new(judging: &Judging) -> Self {
        let models = Models::new(judging.method, judging.values);
        let regimes = judging.changes.then(|| Box::new(Regimes::new(judging.values)));
        Self { models, alarms: Alarms::default(), regimes, longest_ms: 0.0 }
    }

    /// Takes the numbers of a line that is not earlier than the one before it. Returns what is said of the most surprising
    /// one; none if the line has no number.
    pub fn take(
        &mut self,
        time_ms: i64,
        before_ms: i64,
        numbers: &[Option<f64>],
        judging: &Judging,
    ) -> Option<Finding> {
        let is_after_gap = self.moves_by(time_ms.saturating_sub(before_ms));
        let mut found: Option<Finding> = None;
        let mut change = None;
        for (value, number) in numbers.iter().enumerate() {
            let Some(number) = *number else { continue };
            let verdict = self.models.take(value, number, time_ms)?;
            if let Some(regimes) = &mut self.regimes {
                change = change.or(regimes.take(value, number, time_ms, &verdict));
            }
            if found.is_none_or(|best| rank(&verdict) > rank(&best.verdict)) {
                found = Some(Finding { value, number, verdict, alarm: None, change: None });
            }
        }
        let finding = found?;
        let judged = Judged { numbers, value: finding.value, verdict: &finding.verdict, time_ms, is_after_gap };
        let alarm = self.alarms.take(&judged, judging.rule, judging.warm_up);
        Some(Finding { alarm, change, ..finding })
    }

    /// Notes how long no line came. Returns true if that is much longer than ever before.
    fn moves_by(&mut self, distance_ms: i64) -> bool {
        let distance_ms = distance_ms as f32;
        let is_known = self.alarms.points() > GAP_LINES && self.longest_ms > 0.0;
        let is_gap = is_known && distance_ms > GAP_TIMES * self.longest_ms;
        self.longest_ms = self.longest_ms.max(distance_ms);
        is_gap
    }

    /// Appends the state: values with commas between them.
    pub fn save(&self, out: &mut Vec<u8>) {
        self.models.save(out);
        out.push(b',');
        self.alarms.save(out);
        out.push(b',');
        write_number(self.longest_ms.to_bits().into(), out);
        if let Some(regimes) = &self.regimes {
            out.push(b',');
            regimes.save(out);
        }
    }

    /// Takes what `save` wrote of the same flags, or a version that knew no gaps.
    pub fn load(from: &mut StateReader<'_>, judging: &Judging) -> Option<Self> {
        let models = Models::load(from, judging.method, judging.values)?;
        from.literal(b",")?;
        let alarms = Alarms::load(from, judging.rule)?;
        let mut longest_ms = 0.0;
        if from.literal(b",").is_some() {
            longest_ms = f32::from_bits(u32::try_from(from.number()?).ok()?);
        }
        let mut regimes = None;
        if judging.changes {
            from.literal(b",")?;
            regimes = Some(Box::new(Regimes::load(from, judging.values)?));
        }
        let is_valid = longest_ms.is_finite() && longest_ms >= 0.0;
        is_valid.then_some(Self { models, alarms, regimes, longest_ms })
    }
}

impl Footprint for SeriesState {
    fn heap_bytes(&self) -> usize {
        let regimes = self.regimes.as_ref().map_or(0, |regimes| size_of::<Regimes>() + regimes.heap_bytes());
        self.models.heap_bytes() + self.alarms.heap_bytes() + regimes
    }
}

impl Finding {
    /// Returns true if the number is above what was expected.
    pub fn is_above(&self) -> bool {
        self.verdict.interval.is_some_and(|interval| self.number > interval.expected)
    }
}

/// Those that count are before others; a flat line is before what is not quite an anomaly.
pub fn rank(verdict: &Verdict) -> (f64, f64) {
    (if verdict.is_flat { verdict.score().max(0.5) } else { verdict.score() }, verdict.surprise)
}
