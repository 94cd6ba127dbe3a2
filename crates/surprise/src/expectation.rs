//! Expects the next value, and between which bounds it lies.

use values::state_text::StateReader;

use crate::mean_error::MeanError;
use crate::state;

/// This part of ordinary values is outside of the bounds.
const OUTSIDE: f64 = 0.01;
/// How fast the width of the bounds follows.
const GAIN: f64 = 0.05;
/// In mean errors: 99 % of a normal distribution at the start (2.576 times 1.2533).
const WIDTH_START: f64 = 2.0554;
/// How fast the mean error of the newest points follows: about the last 16.
const NEWEST_GAIN: f64 = 1.0 / 16.0;
/// The newest errors are so many times as large as all: the spread is no longer what it was.
const UNSTEADY: f64 = 2.0;

/// Between which bounds a value was expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub expected: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Chooses of three simple forecasts the one with the smallest mean error so far: the long mean, the last value, the season.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    of_mean: MeanError,
    of_last: MeanError,
    of_season: MeanError,
    last: Option<f64>,
    /// Half of the distance between the bounds, in mean errors.
    width: f64,
    /// The mean error of the newest points, in mean errors of all.
    newest: f64,
}

impl Default for Expectation {
    fn default() -> Self {
        let error = MeanError::default();
        Self { of_mean: error, of_last: error, of_season: error, last: None, width: WIDTH_START, newest: 0.0 }
    }
}

impl Expectation {
    /// Returns the last value.
    pub fn last(&self) -> Option<f64> {
        self.last
    }

    /// Returns true if the last values were much further from what was expected than those before.
    pub fn is_unsteady(&self) -> bool {
        self.newest > UNSTEADY
    }

    /// Takes a value, and what its long mean and its season were before it. Returns what was expected in its place; none for
    /// the first two values.
    pub fn take(&mut self, value: f64, mean: f64, seasonal: Option<f64>) -> Option<Interval> {
        let last = self.last.replace(value)?;
        let forecasts = [(&self.of_season, seasonal), (&self.of_mean, Some(mean)), (&self.of_last, Some(last))];
        let known = forecasts.into_iter().filter_map(|(error, forecast)| Some((error, forecast?)));
        let best = known.filter(|(error, _)| error.count() > 0).min_by(|a, b| a.0.mean().total_cmp(&b.0.mean()));
        let interval = best.map(|(error, expected)| (expected, error.mean()));
        let interval = interval.map(|(expected, error)| self.interval(value, expected, error));
        self.of_mean.take((value - mean).abs());
        self.of_last.take((value - last).abs());
        if let Some(seasonal) = seasonal {
            self.of_season.take((value - seasonal).abs());
        }
        interval
    }

    /// The width follows the share of values outside (a stochastic approximation of the quantile, Robbins and Monro 1951).
    fn interval(&mut self, value: f64, expected: f64, error: f64) -> Interval {
        let half = self.width * error;
        if error > 0.0 {
            let size = ((value - expected).abs() / error).min(5.0 * UNSTEADY);
            self.newest += NEWEST_GAIN * (size - self.newest);
        }
        let is_outside = (value - expected).abs() > half;
        self.width *= 1.0 + GAIN * (if is_outside { 1.0 } else { 0.0 } - OUTSIDE);
        self.width = self.width.clamp(1.0, 100.0);
        Interval { expected, lower: expected - half, upper: expected + half }
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for error in [&self.of_mean, &self.of_last, &self.of_season] {
            error.save(out);
            out.push(b',');
        }
        let numbers: Vec<f64> =
            [self.width].into_iter().chain(self.last).chain(self.last.map(|_| self.newest)).collect();
        state::write_floats(&numbers, out);
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let mut errors = [MeanError::default(); 3];
        for error in &mut errors {
            *error = MeanError::load(from)?;
            from.literal(b",")?;
        }
        let numbers = state::floats(from)?;
        from.literal(b"]")?;
        let (width, last, newest) = match numbers[..] {
            [width] => (width, None, 0.0),
            // Of a version that did not know the newest.
            [width, last] => (width, Some(last), 0.0),
            [width, last, newest] => (width, Some(last), newest),
            _ => return None,
        };
        let [of_mean, of_last, of_season] = errors;
        Some(Self { of_mean, of_last, of_season, last, width, newest })
    }
}
