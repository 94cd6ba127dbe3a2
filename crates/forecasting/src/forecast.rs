//! What models forecast.

use crate::normal;

/// Means and variances of the steps to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    pub means: Vec<f64>,
    /// As many as means; not below 0.
    pub deviations: Vec<f64>,
}

impl Forecast {
    /// Makes a forecast of means and variances.
    #[must_use]
    pub fn new(means: Vec<f64>, variances: Vec<f64>) -> Forecast {
        Forecast { means, deviations: variances.iter().map(|variance| variance.max(0.0).sqrt()).collect() }
    }

    /// Returns the forecast of values that are this many times as large.
    #[must_use]
    pub fn times(mut self, unit: f64) -> Forecast {
        self.means.iter_mut().chain(&mut self.deviations).for_each(|number| *number *= unit);
        self
    }

    /// Returns the bounds between which this share of values is expected: `level` in percent, above 0 and below 100.
    pub fn bounds(&self, level: f64) -> impl Iterator<Item = (f64, f64)> {
        let width = normal::quantile(0.5 + level / 200.0);
        self.means
            .iter()
            .zip(&self.deviations)
            .map(move |(mean, deviation)| (mean - width * deviation, mean + width * deviation))
    }
}
