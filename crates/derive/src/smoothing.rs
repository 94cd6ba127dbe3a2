//! Weighted averages, and what else smooths a series from its last value alone.

use values::state_text::StateReader;

use crate::digests::save_floats;

/// Returns the mean of two values, the second with a share: the same value for two that are equal, and no overflow.
#[inline]
fn between(first: f64, second: f64, share: f64) -> f64 {
    let step = second - first;
    if step.is_finite() { first + step * share } else { first * (1.0 - share) + second * share }
}

/// An average in which a value counts half after a time: that of all values, each with the weight 2^(-age / half-life). Exact for
/// times at any distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decaying {
    mean: f64,
    /// Of all values at the time of the last one.
    weight: f64,
    last_ms: i64,
}

impl Decaying {
    pub fn new(value: f64, time_ms: i64) -> Decaying {
        Decaying { mean: value, weight: 1.0, last_ms: time_ms }
    }

    #[inline]
    pub fn take(&mut self, value: f64, time_ms: i64, half_life_ms: i64) {
        let age = time_ms.saturating_sub(self.last_ms) as f64 / half_life_ms as f64;
        let decay = if age == 0.0 { 1.0 } else { libm::exp2(-age) };
        self.weight = self.weight * decay + 1.0;
        self.mean = between(self.mean, value, 1.0 / self.weight);
        self.last_ms = time_ms;
    }

    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Appends `[mean,weight,time]`; times are exact in a float.
    pub fn save(&self, out: &mut Vec<u8>) {
        save_floats(&[self.mean, self.weight, self.last_ms as f64], out);
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Decaying> {
        let [mean, weight, last_ms] = all_floats(from)?;
        Some(Decaying { mean, weight, last_ms: last_ms as i64 })
    }
}

/// An exponentially weighted average of values in their order: y = (1 - a) y + a x, from the first value on.
#[inline]
pub fn ewma(mean: Option<f64>, value: f64, alpha: f64) -> f64 {
    mean.map_or(value, |mean| between(mean, value, alpha))
}

/// Holt's linear method (Holt 1957). The first two values are the first level and trend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holt {
    level: f64,
    /// None after one value.
    trend: Option<f64>,
}

impl Holt {
    pub fn new(value: f64) -> Holt {
        Holt { level: value, trend: None }
    }

    /// Takes a value; what leaves the range of doubles begins anew.
    pub fn take(&mut self, value: f64, level_share: f64, trend_share: f64) {
        let next = match self.trend {
            None => Holt { level: value, trend: Some(value - self.level) },
            Some(trend) => {
                let level = between(self.level + trend, value, level_share);
                Holt { level, trend: Some(between(trend, level - self.level, trend_share)) }
            }
        };
        let is_finite = next.level.is_finite() && next.trend.is_none_or(f64::is_finite);
        *self = if is_finite { next } else { Holt::new(value) };
    }

    pub fn level(&self) -> f64 {
        self.level
    }

    pub fn trend(&self) -> Option<f64> {
        self.trend
    }

    /// Appends `[level]` or `[level,trend]`.
    pub fn save(&self, out: &mut Vec<u8>) {
        match self.trend {
            None => save_floats(&[self.level], out),
            Some(trend) => save_floats(&[self.level, trend], out),
        }
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Holt> {
        from.literal(b"[")?;
        let level = from.float()?;
        let trend = match from.literal(b",") {
            None => None,
            Some(()) => Some(from.float()?),
        };
        from.literal(b"]")?;
        Some(Holt { level, trend })
    }
}

/// The local level model (Durbin and Koopman, *Time Series Analysis by State Space Methods*, 2012, chapter 2): a level that makes
/// random steps, seen through noise. The first level is that of the first value, as nothing was known before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kalman {
    level: f64,
    variance: f64,
}

impl Kalman {
    pub fn new(value: f64, noise: f64) -> Kalman {
        Kalman { level: value, variance: noise }
    }

    #[inline]
    pub fn take(&mut self, value: f64, step: f64, noise: f64) {
        let before = self.variance + step;
        let gain = before / (before + noise);
        self.level = between(self.level, value, gain);
        self.variance = gain * noise;
    }

    pub fn level(&self) -> f64 {
        self.level
    }

    pub fn save(&self, out: &mut Vec<u8>) {
        save_floats(&[self.level, self.variance], out);
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Kalman> {
        let [level, variance] = all_floats(from)?;
        Some(Kalman { level, variance })
    }
}

/// Reads `[float,…]` of so many.
fn all_floats<const N: usize>(from: &mut StateReader<'_>) -> Option<[f64; N]> {
    let mut values = [0.0; N];
    from.literal(b"[")?;
    for (number, value) in values.iter_mut().enumerate() {
        if number > 0 {
            from.literal(b",")?;
        }
        *value = from.float()?;
    }
    from.literal(b"]")?;
    Some(values)
}

/// The weights that make of the last values the end of the polynomial of a degree that fits them best (Savitzky and Golay 1964):
/// by polynomials that are orthogonal over the points (Forsythe 1957), the oldest first.
#[must_use]
pub fn savgol_weights(points: usize, degree: usize) -> Vec<f64> {
    let half = (points.max(2) - 1) as f64 / 2.0;
    let at: Vec<f64> = (0..points).map(|point| (point as f64 - half) / half).collect();
    let (mut before, mut now, mut norm_before) = (vec![0.0; points], vec![1.0; points], 1.0);
    let mut weights = vec![0.0; points];
    for _ in 0..=degree {
        let norm: f64 = now.iter().map(|value| value * value).sum();
        let end = now.last().copied().unwrap_or(0.0);
        weights.iter_mut().zip(&now).for_each(|(weight, value)| *weight += value * end / norm);
        // The points are symmetric, so a polynomial follows from the two before it with one factor.
        let factor = norm / norm_before;
        let next = at.iter().zip(&now).zip(&before).map(|((x, now), before)| x * now - factor * before).collect();
        (before, now, norm_before) = (now, next, norm);
    }
    weights
}
