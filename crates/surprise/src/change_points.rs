//! Says when the level, the trend or the spread of a series has changed.

use values::state_text::{StateReader, write_items, write_number, write_signed};

use crate::run::Run;
use crate::state;

/// A regime ends after a point with this probability.
const HAZARD: f64 = 0.002;
/// Runs that are less likely are forgotten, and beyond so many the least likely one.
const WEIGHT_MIN: f64 = 1e-5;
const RUNS_MAX: usize = 48;
/// A change is told when it is so likely, and so many points are in the new regime: fewer where the evidence is strong.
const LIKELY: f64 = 0.9;
const POINTS_LEAST: usize = 6;
const POINTS_FEW: usize = 20;
const EVIDENCE_STRONG: f64 = 60.0;
/// The least that must speak for a change: twice the logarithm of how much likelier the points are with it, about.
const EVIDENCE_MIN: f64 = 14.0;
/// The same for a new slope where it is known that something has changed.
const EVIDENCE_OF_TREND: f64 = 6.0;
/// The first points say how large the noise is.
const POINTS_FIRST: u64 = 8;
/// How fast the noise follows, at least.
const NOISE_GAIN: f64 = 0.01;
/// Larger values are taken as this, so that squares stay in the range of numbers.
const VALUE_MAX: f64 = 1e140;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Level,
    Variance,
    Trend,
}

/// A change of the regime of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    pub kind: ChangeKind,
    /// The time of the first point of the new regime.
    pub since_ms: i64,
    /// How likely it is that there was one, about then or later.
    pub probability: f64,
}

/// Bayesian online change point detection (Adams and MacKay 2007), in which each regime is a line with normal noise; at most
/// 48 run lengths are kept, so a point takes bounded time and a series 5 KiB.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangePoints {
    count: u64,
    last: f64,
    /// The variance of the noise, as new regimes expect it.
    noise: f64,
    /// In the order in which they began.
    runs: Vec<Run>,
    /// The time at which the regime that was told last began.
    since_ms: i64,
}

impl ChangePoints {
    /// Takes a point. Returns the change that is now known.
    pub fn take(&mut self, value: f64, time_ms: i64) -> Option<Change> {
        let value = value.clamp(-VALUE_MAX, VALUE_MAX);
        self.count += 1;
        if self.count <= POINTS_FIRST {
            self.begin(value, time_ms);
            return None;
        }
        self.last = value;
        self.grow(value, time_ms);
        self.prune();
        self.told()
    }

    fn begin(&mut self, value: f64, time_ms: i64) {
        if self.count == 1 {
            self.since_ms = time_ms;
        } else {
            // The mean of squared differences of neighbours is twice the variance.
            let square = (value - self.last) * (value - self.last) / 2.0;
            self.noise += (square - self.noise) / (self.count - 1) as f64;
        }
        self.last = value;
        if self.count == POINTS_FIRST {
            self.restart(value);
        }
    }

    fn restart(&mut self, value: f64) {
        self.noise = at_least_some(self.noise, value);
        self.runs = vec![Run::new(self.since_ms, 1.0, self.noise, [value, 0.0, self.noise])];
    }

    /// Begins a run with this point, and weighs all by how likely they had it.
    fn grow(&mut self, value: f64, time_ms: i64) {
        let Some(best) = likeliest(&self.runs) else { return };
        let before = [best.ahead, best.slope, best.variance()];
        self.runs.iter_mut().for_each(|run| run.weight *= 1.0 - HAZARD);
        self.runs.push(Run::new(time_ms, HAZARD, self.noise, before));
        let logs: Vec<f64> = self.runs.iter_mut().map(|run| run.take(value)).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (run, log) in self.runs.iter_mut().zip(logs) {
            run.weight *= libm::exp(log - most);
        }
        self.normalise(value);
        let variance = likeliest(&self.runs).map_or(self.noise, Run::variance);
        self.noise += NOISE_GAIN * (variance.min(10.0 * self.noise) - self.noise);
        self.noise = at_least_some(self.noise, value);
    }

    fn normalise(&mut self, value: f64) {
        let sum: f64 = self.runs.iter().map(|run| run.weight).sum();
        if sum > 0.0 && sum.is_finite() {
            self.runs.iter_mut().for_each(|run| run.weight /= sum);
        } else {
            self.restart(value);
        }
    }

    fn prune(&mut self) {
        self.runs.retain(|run| run.weight >= WEIGHT_MIN);
        if self.runs.len() > RUNS_MAX {
            let weights = self.runs.iter().map(|run| run.weight).enumerate();
            let least = weights.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place);
            self.runs.remove(least.unwrap_or(0));
        }
    }

    fn told(&mut self) -> Option<Change> {
        let best = *likeliest(&self.runs)?;
        if best.since_ms <= self.since_ms || best.points < POINTS_LEAST {
            return None;
        }
        let (kind, evidence) = strongest(&best);
        if evidence < if best.points < POINTS_FEW { EVIDENCE_STRONG } else { EVIDENCE_MIN } {
            return None;
        }
        // Runs are in the order of their beginnings; all that are longer by not more than half are about the same.
        let longest = best.points + (best.points / 2).max(5);
        let recent = self.runs.iter().filter(|run| run.points <= longest && run.since_ms > self.since_ms);
        let probability = recent.map(|run| run.weight).sum::<f64>().min(1.0);
        if probability < LIKELY {
            return None;
        }
        self.since_ms = best.since_ms;
        self.runs.retain(|run| run.points <= best.points);
        self.normalise(best.ahead);
        Some(Change { kind, since_ms: best.since_ms, probability })
    }

    /// Returns what it takes in memory beside its own size, about.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.runs.capacity() * size_of::<Run>()
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        out.push(b',');
        write_signed(self.since_ms, out);
        out.push(b',');
        state::write_floats(&[self.last, self.noise], out);
        out.push(b',');
        write_items(&self.runs, out, |run, out| {
            let (floats, since_ms, points) = run.save();
            out.push(b'[');
            state::write_floats(&floats, out);
            out.push(b',');
            write_signed(since_ms, out);
            out.push(b',');
            write_number(points, out);
            out.push(b']');
        });
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let count = from.count()?;
        from.literal(b",")?;
        let since_ms = from.signed()?;
        from.literal(b",")?;
        let [last, noise] = state::floats(from)?.try_into().ok()?;
        from.literal(b",")?;
        let mut runs = Vec::new();
        from.items(|from| {
            from.literal(b"[")?;
            let floats = state::floats(from)?;
            from.literal(b",")?;
            let since_ms = from.signed()?;
            from.literal(b",")?;
            runs.push(Run::load((floats, since_ms, from.count()?))?);
            from.literal(b"]")
        })?;
        from.literal(b"]")?;
        Some(Self { count, last, noise, runs, since_ms })
    }
}

/// Of equal ones the first.
fn likeliest(runs: &[Run]) -> Option<&Run> {
    runs.iter().rev().max_by(|a, b| a.weight.total_cmp(&b.weight))
}

/// Series without noise have some, so that nothing is divided by zero.
fn at_least_some(noise: f64, value: f64) -> f64 {
    noise.max(1e-18 * value * value).max(1e-200)
}

/// Returns what differs most between a run and what was before it, and how much speaks for that.
fn strongest(run: &Run) -> (ChangeKind, f64) {
    let [ahead, slope, before] = run.before;
    let (points, variance) = (run.points as f64, run.variance());
    let (jump, turn) = (run.first() - ahead, run.slope - slope);
    let both = before + variance;
    let level = jump * jump * points / (2.0 * both);
    let trend = turn * turn * points * points * points / (6.0 * both);
    let ratio = variance / before;
    let spread = points * (ratio - 1.0 - libm::log(ratio)).max(0.0) / 2.0;
    // A slope is noticed when it has led some way off: the lines then meet shortly before.
    let meet = jump / turn;
    if trend > EVIDENCE_OF_TREND && meet > 0.0 && meet < 2.0 * points {
        return (ChangeKind::Trend, trend.max(level));
    }
    let kinds = [(ChangeKind::Level, level), (ChangeKind::Trend, trend), (ChangeKind::Variance, spread)];
    kinds.into_iter().fold((ChangeKind::Level, 0.0), |best, other| if other.1 > best.1 { other } else { best })
}

#[cfg(test)]
mod tests;
