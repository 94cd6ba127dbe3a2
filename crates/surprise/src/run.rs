//! One answer to the question when the present regime of a series began.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// Beyond so many points a run forgets: it follows slow changes.
const POINTS_MAX: usize = 600;
/// What is known of a run before its first point, in variances of the noise: of its level, and of its slope a point.
const LEVEL_VARIANCE: f64 = 100.0;
const SLOPE_VARIANCE: f64 = 0.0025;
/// As many points as this, by half, is the noise of the series worth for the noise of a new run.
const SHAPE_START: f64 = 1.0;
/// From so many points on an error counts as at most so many deviations.
const CLIP_FROM: usize = 10;
const CLIP: f64 = 6.0;

/// What a run is in a state: numbers, since when, points.
pub type State = (Vec<f64>, i64, u64);

/// A line through the points since it began, with normal noise of unknown variance: a Bayesian regression with a
/// normal-inverse-gamma prior, in which the next value has Student's t distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    pub since_ms: i64,
    pub points: usize,
    /// The probability that the present regime began here.
    pub weight: f64,
    /// Where the next value is expected, and how much that grows a point.
    pub ahead: f64,
    pub slope: f64,
    /// The rate of the inverse gamma distribution of the variance.
    rate: f64,
    /// What was likeliest before it began: where its first value was expected, the slope and the variance.
    pub before: [f64; 3],
}

/// What a run of so many points does with the next one. It depends on their number alone.
struct Step {
    level_gain: f64,
    slope_gain: f64,
    /// The variance of the next value, in variances of the noise.
    spread: f64,
    shape: f64,
    /// The logarithm of what is constant in the density.
    constant: f64,
}

static STEPS: LazyLock<Vec<Step>> = LazyLock::new(steps);

fn steps() -> Vec<Step> {
    // The covariance of level and slope, in variances of the noise.
    let (mut level, mut both, mut slope) = (LEVEL_VARIANCE, 0.0, SLOPE_VARIANCE);
    let mut steps = Vec::with_capacity(POINTS_MAX);
    for points in 0..POINTS_MAX {
        let spread = level + 1.0;
        let (level_gain, slope_gain) = (level / spread, both / spread);
        let shape = SHAPE_START + points as f64 / 2.0;
        let constant = libm::lgamma(shape + 0.5) - libm::lgamma(shape) - 0.5 * libm::log(2.0 * PI * spread);
        steps.push(Step { level_gain, slope_gain, spread, shape, constant });
        slope -= slope_gain * both;
        both -= slope_gain * level;
        level -= level_gain * level;
        level += 2.0 * both + slope;
        both += slope;
    }
    steps
}

impl Run {
    /// Begins with a point that has not been taken; `variance` is that of the noise.
    pub fn new(since_ms: i64, weight: f64, variance: f64, before: [f64; 3]) -> Self {
        let (ahead, slope) = (before[0], before[1]);
        Self { since_ms, points: 0, weight, ahead, slope, rate: SHAPE_START * variance, before }
    }

    fn step(&self) -> &'static Step {
        &STEPS[self.points.min(POINTS_MAX - 1)]
    }

    /// Takes a value. Returns the logarithm of how likely it was.
    pub fn take(&mut self, value: f64) -> f64 {
        let step = self.step();
        let mut error = value - self.ahead;
        let variance = self.rate / step.shape * step.spread;
        // A square root is the same on every machine.
        let most = CLIP * variance.sqrt();
        if self.points >= CLIP_FROM {
            error = error.clamp(-most, most);
        }
        let ratio = (error * error / (2.0 * self.rate * step.spread)).min(1e300);
        let log = step.constant - 0.5 * libm::log(self.rate) - (step.shape + 0.5) * libm::log1p(ratio);
        self.rate = (self.rate + error * error / (2.0 * step.spread)).clamp(1e-300, 1e305);
        if self.points >= POINTS_MAX {
            self.rate *= step.shape / (step.shape + 0.5);
        }
        self.slope += step.slope_gain * error;
        self.ahead += step.level_gain * error + self.slope;
        self.points += 1;
        log
    }

    /// Returns the variance of the noise.
    pub fn variance(&self) -> f64 {
        self.rate / self.step().shape
    }

    /// Returns where the line is at its first point.
    pub fn first(&self) -> f64 {
        self.ahead - self.slope * self.points as f64
    }

    /// Gives the state.
    pub fn save(&self) -> State {
        let [ahead, slope, variance] = self.before;
        let floats = vec![self.weight, self.ahead, self.slope, self.rate, ahead, slope, variance];
        (floats, self.since_ms, self.points as u64)
    }

    /// Takes what `save` gave.
    pub fn load((floats, since_ms, points): State) -> Option<Self> {
        let [weight, ahead, slope, rate, before @ ..] = <[f64; 7]>::try_from(floats).ok()?;
        let is_valid = rate > 0.0 && weight >= 0.0;
        is_valid.then_some(Self { since_ms, points: points as usize, weight, ahead, slope, rate, before })
    }
}
