//! The recursion of exponential smoothing: one pass over a series, for its likelihood or for its last state.

use crate::ets::form::{Form, Trend};
use crate::part::Part;

/// The smoothing parameters; those that a form does not have are not read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Of the level, 0 to 1.
    pub alpha: f64,
    /// Of the trend, as a share of `alpha`, 0 to 1.
    pub beta_share: f64,
    /// Of the season, 0 to 1 - `alpha`.
    pub gamma: f64,
    /// What is left of the trend after a step, 0.8 to 0.98.
    pub phi: f64,
}

/// Level, trend and season at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub level: f64,
    pub slope: f64,
    /// The seasonal states of the next steps, in their order from `next`, around.
    pub season: Vec<f64>,
    pub next: usize,
}

/// How well a model fits.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Sum of the squares of the errors: relative ones where the error multiplies.
    pub squares: f64,
    /// Twice the sum of the logarithms of what was expected, where the error multiplies, else 0.
    pub log_expected: f64,
}

impl Fit {
    const NONE: Fit = Fit { squares: f64::INFINITY, log_expected: 0.0 };

    /// Returns -2 log likelihood without what is the same for all models of a series.
    #[must_use]
    pub fn deviance(self, len: usize) -> f64 {
        // A fit without any error would be preferred to all others whatever its number of parameters.
        len as f64 * libm::log(self.squares.max(1e-300)) + self.log_expected
    }
}

/// Runs over the series from this state, which becomes the last one. `expect` is called with what each step expected.
pub fn run(form: Form, weights: Weights, state: &mut State, series: &[f64], expect: impl FnMut(f64)) -> Fit {
    let run = Run { weights, state, series, expect };
    match form.error {
        Part::Additive => run.trend::<false>(form),
        Part::Multiplicative => run.trend::<true>(form),
    }
}

struct Run<'a, E> {
    weights: Weights,
    state: &'a mut State,
    series: &'a [f64],
    expect: E,
}

const NO_SEASON: u8 = 0;
const ADDED: u8 = 1;
const MULTIPLIED: u8 = 2;

impl<E: FnMut(f64)> Run<'_, E> {
    fn trend<const RELATIVE: bool>(self, form: Form) -> Fit {
        match form.trend {
            Trend::None => self.season::<RELATIVE, false>(form),
            _ => self.season::<RELATIVE, true>(form),
        }
    }

    fn season<const RELATIVE: bool, const SLOPES: bool>(self, form: Form) -> Fit {
        match form.season {
            None => self.steps::<RELATIVE, SLOPES, NO_SEASON>(),
            Some(Part::Additive) => self.steps::<RELATIVE, SLOPES, ADDED>(),
            Some(Part::Multiplicative) => self.steps::<RELATIVE, SLOPES, MULTIPLIED>(),
        }
    }

    /// One loop for each form, without a branch on the form in it.
    fn steps<const RELATIVE: bool, const SLOPES: bool, const SEASON: u8>(mut self) -> Fit {
        let Weights { alpha, beta_share, gamma, phi } = self.weights;
        let (mut level, mut slope, mut next) = (self.state.level, self.state.slope, self.state.next);
        let season = &mut self.state.season[..];
        let (mut squares, mut logs) = (0.0, Logs::default());
        for &value in self.series {
            let damped = if SLOPES { phi * slope } else { 0.0 };
            let base = level + damped;
            let index = if SEASON == NO_SEASON { 0.0 } else { season[next] };
            let expected = match SEASON {
                ADDED => base + index,
                MULTIPLIED => base * index,
                _ => base,
            };
            (self.expect)(expected);
            let mut error = value - expected;
            let error_of_base = match SEASON {
                MULTIPLIED => value / index - base,
                _ => error,
            };
            let new_level = base + alpha * error_of_base;
            if SLOPES {
                slope = damped + beta_share * (new_level - base);
            }
            if SEASON != NO_SEASON {
                let new_index = if SEASON == ADDED { value - base } else { value / base };
                season[next] = index + gamma * (new_index - index);
                next += 1;
                if next == season.len() {
                    next = 0;
                }
            }
            level = new_level;
            if RELATIVE {
                // What multiplies has to stay above zero.
                if expected <= 0.0 {
                    return Fit::NONE;
                }
                error /= expected;
                logs.add(expected);
            }
            squares += error * error;
        }
        (self.state.level, self.state.slope, self.state.next) = (level, slope, next);
        Fit { squares, log_expected: 2.0 * logs.sum() }
    }
}

/// Adds logarithms up as the logarithm of a product: one for each hundred digits or so.
struct Logs {
    product: f64,
    sum: f64,
}

impl Default for Logs {
    fn default() -> Logs {
        Logs { product: 1.0, sum: 0.0 }
    }
}

impl Logs {
    #[inline]
    fn add(&mut self, value: f64) {
        self.product *= value.max(1e-150);
        if !(1e-150..1e150).contains(&self.product) {
            self.sum += libm::log(self.product);
            self.product = 1.0;
        }
    }

    fn sum(&self) -> f64 {
        self.sum + libm::log(self.product)
    }
}
