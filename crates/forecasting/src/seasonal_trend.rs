//! MSTL with exponential smoothing: the seasons are taken out, what is left is forecast by ETS without a season, and the
//! last season of each length is put back (as `stlf` of R's forecast and `MSTL` of statsforecast).

use crate::ets::{Choice, Ets};
use crate::forecast::Forecast;
use crate::stl::{StlSettings, mstl};

/// A fitted model with its state after the last value.
#[derive(Clone, Debug, PartialEq)]
pub struct SeasonalTrend {
    /// The model is of the logarithms of the values: seasons multiply.
    pub is_log: bool,
    pub rest: Ets,
    pub cycles: Vec<Cycle>,
}

/// The last season of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle {
    /// From `next` on, around, what is to be added to the steps to come.
    pub indices: Vec<f64>,
    pub next: usize,
}

impl Cycle {
    fn at(&self, step: usize) -> f64 {
        self.indices[(self.next + step) % self.indices.len()]
    }
}

impl SeasonalTrend {
    /// Fits a series with seasons of which it has two or more each; others are left out. None when there are none, and
    /// for logarithms of values that are not above zero.
    #[must_use]
    pub fn fit(series: &[f64], seasons: &[usize], is_log: bool) -> Option<SeasonalTrend> {
        if is_log && series.iter().any(|value| *value <= 0.0) {
            return None;
        }
        let logs: Vec<f64> = series.iter().map(|value| if is_log { libm::log(*value) } else { *value }).collect();
        let parts = mstl(&logs, seasons, StlSettings { exact: false, ..StlSettings::default() })?;
        let rest: Vec<f64> = parts.trend.iter().zip(&parts.remainder).map(|(trend, rest)| trend + rest).collect();
        let rest = Ets::fit(&rest, 1, Choice::WithoutSeason)?;
        let last = |(length, season): (&usize, &Vec<f64>)| Cycle {
            indices: season[season.len() - length..].to_vec(),
            next: 0,
        };
        let cycles = parts.lengths.iter().zip(&parts.seasons).map(last).collect();
        Some(SeasonalTrend { is_log, rest, cycles })
    }

    /// Takes the next value: the state of what is left moves on; parameters and seasons stay.
    ///
    /// Returns false, and does nothing, when the model cannot take this value.
    pub fn update(&mut self, value: f64) -> bool {
        if self.is_log && value <= 0.0 {
            return false;
        }
        let value = if self.is_log { libm::log(value) } else { value };
        let index: f64 = self.cycles.iter().map(|cycle| cycle.at(0)).sum();
        if !self.rest.update(value - index) {
            return false;
        }
        for cycle in &mut self.cycles {
            cycle.next = (cycle.next + 1) % cycle.indices.len();
        }
        true
    }

    /// Forecasts this many steps. Of logarithms the mean is the median of the values, and the deviation to first order.
    #[must_use]
    pub fn forecast(&self, horizon: usize) -> Forecast {
        let mut forecast = self.rest.forecast(horizon);
        for (step, (mean, deviation)) in forecast.means.iter_mut().zip(&mut forecast.deviations).enumerate() {
            *mean += self.cycles.iter().map(|cycle| cycle.at(step)).sum::<f64>();
            if self.is_log {
                *mean = libm::exp(*mean);
                *deviation *= *mean;
            }
        }
        forecast
    }
}
