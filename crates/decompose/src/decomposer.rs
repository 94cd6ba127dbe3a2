//! What is kept of one series: its first points until its seasons are known, then what goes along with it.

use forecasting::periods;
use values::state_text::{StateReader, write_finite, write_items, write_number, write_signed};

use crate::parts::Parts;
use crate::running::Running;
use crate::start::start;

/// The number of points at which seasons are first looked for; the next look is at twice as many.
const FIRST_LOOK: usize = 32;
/// Numbers beyond this count as missing: squares of them and their sums stay within range, and seasons are kept as `f32`.
pub const NUMBER_MAX: f64 = 1e30;

/// Which seasons there are, the same for all series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// These lengths in steps, the shortest first.
    Given(Vec<usize>),
    /// Up to two, found in at most this number of points.
    Auto { points_max: usize },
}

/// The state of one series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decomposer {
    /// The step of the last point.
    at: i64,
    /// The first points, one for each step, until all seasons are known.
    seen: Vec<f64>,
    /// How many of them there were when seasons were looked for.
    looked_at: usize,
    running: Option<Box<Running>>,
}

impl Decomposer {
    /// Takes the number at a step later than that of the last one. After a gap of more than `gap_max` steps the series begins
    /// anew; a shorter one is filled: on a line while the seasons are not known, then by what is expected.
    pub fn take(&mut self, number: Option<f64>, at: i64, gap_max: u64, plan: &Plan) -> Option<Parts> {
        let number = number.filter(|number| number.abs() <= NUMBER_MAX)?;
        let has_begun = self.running.is_some() || !self.seen.is_empty();
        let steps = if has_begun { self.at.abs_diff(at).max(1) } else { 1 };
        if steps - 1 > gap_max {
            *self = Self::default();
        }
        self.at = at;
        match &mut self.running {
            Some(running) if self.seen.is_empty() => Some(running.take(number, steps)),
            _ => self.learn(number, if self.seen.is_empty() { 1 } else { steps }, plan),
        }
    }

    /// Takes a point while not all seasons are known.
    fn learn(&mut self, number: f64, steps: u64, plan: &Plan) -> Option<Parts> {
        self.fill(number, steps);
        let parts = self.running.as_mut().map(|running| running.take(number, steps));
        let is_new = match plan {
            Plan::Given(lengths) => self.learn_given(lengths),
            Plan::Auto { points_max } => self.learn_auto(*points_max),
        };
        if is_new { self.running.as_ref().map(|running| running.parts(number)) } else { parts }
    }

    /// Adds a point, and a line from the last one to it.
    fn fill(&mut self, number: f64, steps: u64) {
        if let Some(last) = self.seen.last().copied() {
            let rise = (number - last) / steps as f64;
            self.seen.extend((1..steps).map(|step| last + rise * step as f64));
        }
        self.seen.push(number);
    }

    /// A season is known when there were two of it.
    fn learn_given(&mut self, lengths: &[usize]) -> bool {
        let running = self.running.as_ref().map_or(0, |running| running.seasons());
        let known = lengths.iter().filter(|length| 2 * **length <= self.seen.len()).count();
        if known == running {
            return false;
        }
        self.running = start(&self.seen, &lengths[..known]).map(Box::new);
        if known == lengths.len() {
            self.seen = Vec::new();
        }
        true
    }

    /// Looks for seasons, and at the limit for the last time; if there are none, all begins anew with the next points.
    fn learn_auto(&mut self, points_max: usize) -> bool {
        let points = self.seen.len();
        let is_last = points >= points_max;
        if points < (2 * self.looked_at).max(FIRST_LOOK) && !is_last {
            return false;
        }
        self.looked_at = points;
        let lengths = periods::find(&self.seen);
        let is_new = !lengths.iter().copied().eq(self.running.iter().flat_map(|running| running.lengths()));
        if is_new {
            self.running = start(&self.seen, &lengths).map(Box::new);
        }
        if is_last {
            self.seen = Vec::new();
            self.looked_at = 0;
        }
        is_new
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        let running = self.running.as_ref().map_or(0, |running| size_of::<Running>() + running.heap_bytes());
        self.seen.capacity() * size_of::<f64>() + running
    }

    /// Appends `[at,looked at,[first point,…],running or null]`.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_signed(self.at, out);
        out.push(b',');
        write_number(self.looked_at as u64, out);
        out.push(b',');
        write_items(&self.seen, out, |value, out| write_finite(*value, out));
        out.push(b',');
        match &self.running {
            Some(running) => running.save(out),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let at = from.signed()?;
        from.literal(b",")?;
        let looked_at = usize::try_from(from.count()?).ok()?;
        from.literal(b",")?;
        let mut seen = Vec::new();
        from.items(|from| {
            seen.push(from.finite()?);
            Some(())
        })?;
        from.literal(b",")?;
        let running = match from.literal(b"null") {
            Some(()) => None,
            None => Some(Box::new(Running::load(from)?)),
        };
        from.literal(b"]")?;
        Some(Self { at, seen, looked_at, running })
    }
}
