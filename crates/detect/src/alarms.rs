//! Decides which points are anomalies, and which of them are one alarm.

use std::collections::VecDeque;

use surprise::Verdict;
use values::state_text::{StateReader, write_finite, write_items, write_number, write_signed};

/// After so many points a new level is ordinary: the alarm is over.
const ALARM_POINTS_MAX: u64 = 20;
/// The most surprises that `--alarms` compares with; beyond it, the smallest are left out.
const PEAKS_MAX: usize = 64;

/// When a point is an anomaly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Its score is at least this.
    Threshold(f64),
    /// Its surprise is among the `count` largest of the time before it. Where nothing happens, all orders of points are equally
    /// likely, so that about `count` alarms come in each such time.
    Rate { count: usize, within_ms: i64 },
}

/// The score that is needed until there is as much history as `--alarms` looks at.
pub const THRESHOLD_DEFAULT: f64 = 0.65;

/// The alarms of one key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alarms {
    points: u64,
    first_ms: i64,
    /// How many alarms there were.
    count: u64,
    open: Option<Open>,
    /// Times and surprises, for `Rule::Rate`: those that fewer than `count` later ones reach.
    peaks: VecDeque<(i64, f64)>,
}

/// The alarm that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Open {
    since_ms: i64,
    /// How many points it has.
    points: u64,
    /// Which number it is about.
    value: usize,
    /// The middle between the number that began it and what was expected.
    middle: f64,
    /// The number that began it is above the middle.
    is_above: bool,
}

/// The alarm that a point belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alarm {
    /// From 1.
    pub id: u64,
    pub since_ms: i64,
    /// How many points it has so far.
    pub points: u64,
}

/// A point with what is said of the most surprising of its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    pub numbers: &'a [Option<f64>],
    /// Which number it is.
    pub value: usize,
    pub verdict: &'a Verdict,
    pub time_ms: i64,
}

impl Alarms {
    /// Takes a point. Returns its alarm, if it is an anomaly. The first `warm_up` points are none.
    ///
    /// An alarm goes on while its number stays on the same side of the middle between what was expected and what began it.
    pub fn take(&mut self, point: &Judged<'_>, rule: Rule, warm_up: u64) -> Option<Alarm> {
        if self.points == 0 {
            self.first_ms = point.time_ms;
        }
        self.points += 1;
        let begins = self.begins(point.verdict, point.time_ms, rule) && self.points > warm_up;
        let going_on = self.open.filter(|open| open.goes_on(point.numbers));
        self.open = match going_on {
            None if begins => {
                self.count += 1;
                Open::new(point)
            }
            open => open.map(|open| Open { points: open.points + 1, ..open }),
        };
        self.open.map(|open| Alarm { id: self.count, since_ms: open.since_ms, points: open.points })
    }

    fn begins(&mut self, verdict: &Verdict, time_ms: i64, rule: Rule) -> bool {
        match rule {
            Rule::Threshold(threshold) => verdict.score() >= threshold,
            Rule::Rate { count, within_ms } => {
                let is_record = self.is_record(verdict.surprise, time_ms, count, within_ms);
                let is_young = time_ms.saturating_sub(self.first_ms) < within_ms;
                is_record && (!is_young || verdict.score() >= THRESHOLD_DEFAULT)
            }
        }
    }

    /// Returns true if fewer than `count` points of the time before had a surprise as large.
    fn is_record(&mut self, surprise: f64, time_ms: i64, count: usize, within_ms: i64) -> bool {
        let first_ms = time_ms.saturating_sub(within_ms);
        self.peaks.retain(|(peak_ms, _)| *peak_ms > first_ms);
        if surprise <= 0.0 {
            return false;
        }
        let is_record = self.peaks.iter().filter(|(_, peak)| *peak >= surprise).count() < count;
        self.peaks.push_back((time_ms, surprise));
        self.leave_out(count);
        is_record
    }

    /// Leaves out peaks that `count` later ones reach: they decide nothing any more.
    fn leave_out(&mut self, count: usize) {
        let peaks = &self.peaks;
        let later = |place: usize| peaks.iter().skip(place + 1).filter(|other| other.1 >= peaks[place].1).count();
        let kept: VecDeque<(i64, f64)> =
            (0..peaks.len()).filter(|place| later(*place) < count).map(|place| peaks[place]).collect();
        self.peaks = kept;
        if self.peaks.len() > PEAKS_MAX {
            let smallest = self.peaks.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(place, _)| place);
            self.peaks.remove(smallest.unwrap_or(0));
        }
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for number in [self.points, self.count] {
            write_number(number, out);
            out.push(b',');
        }
        write_signed(self.first_ms, out);
        out.push(b',');
        let open: Vec<Open> = self.open.into_iter().collect();
        write_items(&open, out, Open::save);
        out.push(b',');
        let peaks: Vec<(i64, f64)> = self.peaks.iter().copied().collect();
        write_items(&peaks, out, |(time_ms, surprise), out| {
            out.push(b'[');
            write_signed(*time_ms, out);
            out.push(b',');
            write_finite(*surprise, out);
            out.push(b']');
        });
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let points = from.count()?;
        from.literal(b",")?;
        let count = from.count()?;
        from.literal(b",")?;
        let first_ms = from.signed()?;
        from.literal(b",")?;
        let mut alarms = Self { points, first_ms, count, ..Self::default() };
        from.items(|from| {
            alarms.open = Some(Open::load(from)?);
            Some(())
        })?;
        from.literal(b",")?;
        from.items(|from| {
            from.literal(b"[")?;
            let time_ms = from.signed()?;
            from.literal(b",")?;
            alarms.peaks.push_back((time_ms, from.finite()?));
            from.literal(b"]")?;
            Some(())
        })?;
        from.literal(b"]")?;
        Some(alarms)
    }
}

impl Open {
    fn new(point: &Judged<'_>) -> Option<Self> {
        let number = (*point.numbers.get(point.value)?)?;
        let expected = point.verdict.interval.map_or(number, |interval| interval.expected);
        let middle = number / 2.0 + expected / 2.0;
        Some(Self { since_ms: point.time_ms, points: 1, value: point.value, middle, is_above: number > middle })
    }

    /// A point without this number changes nothing.
    fn goes_on(&self, numbers: &[Option<f64>]) -> bool {
        let number = numbers.get(self.value).copied().flatten();
        let is_same_side = |number: f64| if self.is_above { number > self.middle } else { number < self.middle };
        self.points < ALARM_POINTS_MAX && number.is_none_or(is_same_side)
    }

    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_signed(self.since_ms, out);
        for number in [self.points, self.value as u64, self.is_above.into()] {
            out.push(b',');
            write_number(number, out);
        }
        out.push(b',');
        write_finite(self.middle, out);
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let since_ms = from.signed()?;
        let mut numbers = [0; 3];
        for number in &mut numbers {
            from.literal(b",")?;
            *number = from.count()?;
        }
        from.literal(b",")?;
        let middle = from.finite()?;
        from.literal(b"]")?;
        let [points, value, is_above] = numbers;
        Some(Self { since_ms, points, value: value as usize, is_above: is_above == 1, middle })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprise::Detector;

    const STEP_MS: i64 = 300_000;
    const DAY_MS: i64 = 24 * 3_600_000;
    const WEEK_POINTS: usize = 2016;
    const WEEKS: usize = 6;
    const KEYS: u64 = 40;

    /// A normal random number, as the sum of twelve.
    fn normal(state: &mut u64) -> f64 {
        let uniform = |_| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..12).map(uniform).sum::<f64>() - 6.0
    }

    /// Alarms a key and week, after the first week.
    fn alarms(rule: Rule, mut series: impl FnMut(usize, &mut u64) -> f64) -> f64 {
        let mut found = 0;
        for key in 0..KEYS {
            let (mut state, mut detector, mut alarms) = (key * 7919 + 1, Detector::default(), Alarms::default());
            for point in 0..WEEK_POINTS * (WEEKS + 1) {
                let (value, time_ms) = (series(point, &mut state), point as i64 * STEP_MS);
                let before = alarms.count;
                let verdict = detector.take(value, time_ms);
                let numbers = [Some(value)];
                alarms.take(&Judged { numbers: &numbers, value: 0, verdict: &verdict, time_ms }, rule, 60);
                found += if point >= WEEK_POINTS { alarms.count - before } else { 0 };
            }
        }
        found as f64 / (KEYS as usize * WEEKS) as f64
    }

    /// A trend is for the threshold alone: each new height is the largest so far.
    fn trend(rule: Rule) -> f64 {
        alarms(rule, |point, state| point as f64 * 0.01 + normal(state))
    }

    fn kinds(rule: Rule) -> [f64; 4] {
        let season = |point: usize| if point / 12 % 24 < 12 { 5.0 } else { -5.0 };
        let (mut walk, mut autoregressive) = (0.0, 0.0);
        [
            alarms(rule, |_, state| normal(state)),
            alarms(rule, |point, state| season(point) + normal(state)),
            alarms(rule, |_, state| {
                autoregressive = 0.95 * autoregressive + normal(state);
                autoregressive
            }),
            alarms(rule, |point, state| {
                walk = if point == 0 { 0.0 } else { walk + normal(state) };
                walk
            }),
        ]
    }

    #[test]
    fn a_rate_of_alarms_is_about_that_of_false_ones() {
        let rule = Rule::Rate { count: 1, within_ms: 7 * DAY_MS };
        let found = kinds(rule);
        assert!(found.iter().all(|alarms| (0.5..2.0).contains(alarms)), "{found:?}");
    }

    #[test]
    fn the_default_threshold_is_calm() {
        // Alarms for 1,000 points.
        let rule = Rule::Threshold(THRESHOLD_DEFAULT);
        let found: Vec<f64> =
            kinds(rule).into_iter().chain([trend(rule)]).map(|alarms| alarms * 1000.0 / WEEK_POINTS as f64).collect();
        assert!(found.iter().zip([0.5, 0.5, 0.5, 1.0, 1.0]).all(|(alarms, most)| *alarms < most), "{found:?}");
    }

    #[test]
    fn more_alarms_may_be_asked_for() {
        let of = |count| alarms(Rule::Rate { count, within_ms: 7 * DAY_MS }, |_, state| normal(state));
        let (one, four) = (of(1), of(4));
        assert!(four > 2.5 * one && four < 8.0, "{one} {four}");
    }
}
