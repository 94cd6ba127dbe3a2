//! Decides which points are anomalies, and which of them are one alarm.

use values::state_text::{StateReader, write_number};

use crate::judged::{Cause, Judged};
use crate::open_alarm::Open;
use crate::records::Records;

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
    points: u32,
    /// How many alarms there were.
    count: u32,
    open: Option<Box<Open>>,
    /// For [`Rule::Rate`].
    records: Option<Box<Records>>,
}

/// The alarm that a point belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alarm {
    /// From 1.
    pub id: u32,
    pub since_ms: i64,
    /// How many points it has so far.
    pub points: u32,
    pub cause: Cause,
    /// The number has gone on in the direction in which it began, and as far again.
    pub departs: bool,
}

impl Alarms {
    /// Returns how many points there were.
    pub fn points(&self) -> u32 {
        self.points
    }

    /// Takes a point. Returns its alarm, if it is an anomaly. The first `warm_up` points are none.
    ///
    /// An alarm goes on while its number stays on the same side of the middle between what was expected and what began it.
    pub fn take(&mut self, point: &Judged<'_>, rule: Rule, warm_up: u64) -> Option<Alarm> {
        let begins = self.begins(point, rule);
        self.points = self.points.saturating_add(1);
        let begins = begins.filter(|_| u64::from(self.points) > warm_up);
        let going_on = self.open.take().filter(|open| open.goes_on(point.numbers));
        self.open = match (going_on, begins) {
            (None, Some(cause)) => {
                self.count = self.count.saturating_add(1);
                Open::new(point, cause).map(Box::new)
            }
            (open, _) => open.map(Open::with_a_point),
        };
        let open = self.open.as_ref()?;
        let (departs, cause) = (open.departs(point.numbers), open.cause);
        Some(Alarm { id: self.count, since_ms: open.since_ms, points: open.points, cause, departs })
    }

    fn begins(&mut self, point: &Judged<'_>, rule: Rule) -> Option<Cause> {
        let is_surprise = match rule {
            Rule::Threshold(threshold) => point.verdict.score() >= threshold,
            Rule::Rate { count, within_ms } => self.is_among_records(point, count, within_ms),
        };
        match point.verdict.is_flat {
            _ if is_surprise => Some(Cause::Number),
            true => Some(Cause::Flat),
            false => point.is_after_gap.then_some(Cause::Gap),
        }
    }

    fn is_among_records(&mut self, point: &Judged<'_>, count: usize, within_ms: i64) -> bool {
        let records = self.records.get_or_insert_with(|| Box::new(Records::new(point.time_ms)));
        let is_record = records.take(point.verdict.surprise, point.time_ms, count, within_ms);
        let is_young = records.is_younger_than(within_ms, point.time_ms);
        is_record && (!is_young || point.verdict.score() >= THRESHOLD_DEFAULT)
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        let records = self.records.as_ref().map_or(0, |records| size_of::<Records>() + records.heap_bytes());
        records + if self.open.is_some() { size_of::<Open>() } else { 0 }
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for number in [self.points, self.count] {
            write_number(number.into(), out);
            out.push(b',');
        }
        match &self.records {
            Some(records) => records.save_first(out),
            None => out.push(b'0'),
        }
        out.extend_from_slice(b",[");
        if let Some(open) = &self.open {
            open.save(out);
        }
        out.extend_from_slice(b"],");
        match &self.records {
            Some(records) => records.save_peaks(out),
            None => out.extend_from_slice(b"[]"),
        }
        out.push(b']');
    }

    /// Takes what `save` wrote by this rule, or a version before it.
    pub fn load(from: &mut StateReader<'_>, rule: Rule) -> Option<Self> {
        from.literal(b"[")?;
        let points = u32::try_from(from.count()?).ok()?;
        from.literal(b",")?;
        let count = u32::try_from(from.count()?).ok()?;
        from.literal(b",")?;
        let first_ms = from.signed()?;
        from.literal(b",")?;
        let mut open = None;
        from.items(|from| {
            open = Some(Box::new(Open::load(from)?));
            Some(())
        })?;
        from.literal(b",")?;
        let records = Records::load(from, first_ms)?;
        from.literal(b"]")?;
        let has_records = matches!(rule, Rule::Rate { .. }) && points > 0;
        Some(Self { points, count, open, records: has_records.then(|| Box::new(records)) })
    }
}

#[cfg(test)]
mod tests;
