//! The Theta method (Assimakopoulos and Nikolopoulos, "The theta model", 2000) as a model of states with an optimised
//! theta, the dynamic one (Fiorucci et al., "Models for optimising the theta method", 2016, DOTM).
//!
//! The season is taken out by classical decomposition where a test finds one, and put back afterwards: it multiplies
//! where all values are above zero, else it adds.

use crate::forecast::Forecast;
use crate::naive::Naive;
use crate::part::Part;
use crate::season_figure::{SeasonFigure, is_seasonal};
use crate::simplex::{self, Coordinate, Patience};

/// A fitted model with its state after the last value.
#[derive(Clone, Debug, PartialEq)]
pub struct Theta {
    pub alpha: f64,
    pub theta: f64,
    pub lines: Lines,
    pub figure: Option<SeasonFigure>,
    pub variance: f64,
}

/// The level, and the line through all values so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lines {
    pub count: f64,
    pub level: f64,
    pub mean: f64,
    pub intercept: f64,
    pub slope: f64,
    /// (1 - alpha)^count
    pub left: f64,
}

/// Errors of the first steps say little: the line is not known yet.
const FIRST_ERRORS: usize = 3;

impl Theta {
    /// Fits alpha, theta and the first level. None for an empty series.
    #[must_use]
    pub fn fit(series: &[f64], season: usize) -> Option<Theta> {
        let first = *series.first()?;
        let figure = is_seasonal(series, season)
            .then(|| {
                let is_positive = series.iter().all(|value| *value > 0.0);
                let multiplied = SeasonFigure::of(series, season, Part::Multiplicative).filter(|_| is_positive);
                multiplied.or_else(|| SeasonFigure::of(series, season, Part::Additive))
            })
            .flatten();
        let adjusted: Vec<f64> = series
            .iter()
            .enumerate()
            .map(|(at, value)| figure.as_ref().map_or(*value, |figure| figure.without(*value, at)))
            .collect();
        let spread = adjusted.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / adjusted.len() as f64;
        let start_level = if figure.is_some() { adjusted[0] } else { first };
        let bounds = [
            Coordinate { low: 0.1, high: 0.99, start: 0.5, step: 0.2 },
            Coordinate { low: 1.0, high: 1e3, start: 2.0, step: 1.0 },
            Coordinate { low: -1e3, high: 1e3, start: 0.0, step: 0.5 },
        ];
        let dims = if adjusted.len() > 4 { 3 } else { 0 };
        let read = |point: &[f64]| {
            let get = |n: usize, default: f64| point.get(n).copied().unwrap_or(default);
            (get(0, 0.5), get(1, 2.0), start_level / 2.0 + spread * get(2, 0.0))
        };
        let len = adjusted.len() as f64;
        let patience = Patience { evaluations: 400, tolerance: 1e-5 * len };
        let (point, _) = simplex::least(&bounds[..dims], patience, |point| {
            let (alpha, theta, level) = read(point);
            len * libm::log(Lines::new(level).run(alpha, theta, &adjusted).0.max(1e-300))
        });
        let (alpha, theta, level) = read(&point);
        let mut lines = Lines::new(level);
        let (squares, count) = lines.run(alpha, theta, &adjusted);
        let variance =
            if count > 0.0 { squares / (count - dims as f64).max(1.0) } else { Naive::fit(&adjusted, 1)?.variance };
        Some(Theta { alpha, theta, lines, figure, variance })
    }

    /// Takes the next value: the state moves on, the parameters stay.
    pub fn update(&mut self, value: f64) {
        let at = self.lines.count as usize;
        let adjusted = self.figure.as_ref().map_or(value, |figure| figure.without(value, at));
        self.lines.take(self.alpha, adjusted);
    }

    /// Forecasts this many steps; each one is taken as if it had come.
    #[must_use]
    pub fn forecast(&self, horizon: usize) -> Forecast {
        let mut lines = self.lines;
        let (mut means, mut variances) = (Vec::with_capacity(horizon), Vec::with_capacity(horizon));
        for step in 0..horizon {
            let at = lines.count as usize;
            let mean = lines.expected(self.alpha, self.theta);
            lines.take(self.alpha, mean);
            let scale = self.figure.as_ref().map_or(1.0, |figure| figure.scale(at));
            means.push(self.figure.as_ref().map_or(mean, |figure| figure.with(mean, at)));
            variances.push(self.variance * (1.0 + step as f64 * self.alpha * self.alpha) * scale * scale);
        }
        Forecast::new(means, variances)
    }
}

impl Lines {
    fn new(level: f64) -> Lines {
        Lines { count: 0.0, level, mean: 0.0, intercept: 0.0, slope: 0.0, left: 1.0 }
    }

    #[inline]
    fn expected(&self, alpha: f64, theta: f64) -> f64 {
        let slopes = (1.0 - self.left * (1.0 - alpha)) / alpha;
        self.level + (1.0 - 1.0 / theta) * (self.left * self.intercept + slopes * self.slope)
    }

    #[inline]
    fn take(&mut self, alpha: f64, value: f64) {
        let count = self.count + 1.0;
        if self.count == 0.0 {
            (self.mean, self.slope) = (value, 0.0);
        } else {
            self.slope = ((count - 2.0) * self.slope + 6.0 * (value - self.mean) / count) / (count + 1.0);
            self.mean = (self.count * self.mean + value) / count;
        }
        self.intercept = self.mean - self.slope * (count + 1.0) / 2.0;
        self.level = alpha * value + (1.0 - alpha) * self.level;
        self.left *= 1.0 - alpha;
        self.count = count;
    }

    /// Runs over the series; returns the sum of the squares of the errors, and of how many.
    fn run(&mut self, alpha: f64, theta: f64, series: &[f64]) -> (f64, f64) {
        let (mut squares, mut count) = (0.0, 0.0);
        for (at, &value) in series.iter().enumerate() {
            if at >= FIRST_ERRORS {
                let error = value - self.expected(alpha, theta);
                squares += error * error;
                count += 1.0;
            }
            self.take(alpha, value);
        }
        (squares, count)
    }
}
