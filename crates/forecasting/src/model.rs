//! Models by name, fitted, updated and kept.

use crate::combined::combine;
use crate::ets::{Choice, Ets, SEASON_MAX};
use crate::forecast::Forecast;
use crate::naive::Naive;
use crate::season_figure::is_seasonal;
use crate::seasonal_trend::SeasonalTrend;
use crate::theta::Theta;

/// How to forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The median of ETS, Theta and, where the series is seasonal, MSTL of the values and of their logarithms.
    Auto,
    Naive,
    SeasonalNaive,
    Ets,
    Theta,
    Mstl,
}

/// A fitted model, or several whose forecasts are combined.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// A power of two by which values are divided first, so that sums and squares stay within an `f64`.
    pub(crate) unit: f64,
    /// One or more.
    pub(crate) members: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Member {
    Naive(Naive),
    Ets(Ets),
    Theta(Theta),
    SeasonalTrend(SeasonalTrend),
}

/// A larger value, as a multiple of the unit, is none of the same series.
const LARGEST: f64 = 1e30;

impl Model {
    /// Fits a series of finite values, oldest first, one for each step. `seasons` are lengths in steps; those of which the series has
    /// less than two count for nothing. None when the series is empty or has a value that is not finite.
    ///
    /// ETS and Theta know one season: the longest of at most 24 steps. Of a longer one alone ETS knows nothing.
    #[must_use]
    pub fn fit(series: &[f64], seasons: &[usize], method: Method) -> Option<Model> {
        if !series.iter().all(|value| value.is_finite()) {
            return None;
        }
        let unit = unit(series);
        let scaled: Vec<f64> = series.iter().map(|value| value / unit).collect();
        let mut members = members(&scaled, seasons, method);
        members.retain(Member::is_sound);
        if members.is_empty() {
            members.push(Member::Naive(Naive::fit(&scaled, 1)?));
        }
        Some(Model { unit, members })
    }

    /// Takes the next value: states move on, parameters stay.
    ///
    /// Returns false when a model cannot take it (zero or less, where parts multiply; 1e30 times those that it knows): then it
    /// must be fitted anew.
    #[must_use]
    pub fn update(&mut self, value: f64) -> bool {
        let scaled = value / self.unit;
        scaled.abs() < LARGEST && self.members.iter_mut().all(|member| member.update(scaled) && member.is_sound())
    }

    /// Forecasts this many steps. What is beyond the range of an `f64` is infinite.
    #[must_use]
    pub fn forecast(&self, horizon: usize) -> Forecast {
        let members: Vec<Forecast> = self.members.iter().map(|member| member.forecast(horizon)).collect();
        combine(&members).times(self.unit)
    }
}

fn members(series: &[f64], seasons: &[usize], method: Method) -> Vec<Member> {
    let mut known: Vec<usize> =
        seasons.iter().copied().filter(|season| *season >= 2 && series.len() >= 2 * season).collect();
    known.sort_unstable();
    let season = season_of_one(&known);
    let ets = || Ets::fit(series, season, Choice::All).map(Member::Ets);
    let theta = || Theta::fit(series, season).map(Member::Theta);
    let mstl = |seasons: &[usize], is_log| SeasonalTrend::fit(series, seasons, is_log).map(Member::SeasonalTrend);
    match method {
        Method::Naive => Naive::fit(series, 1).map(Member::Naive).into_iter().collect(),
        Method::SeasonalNaive => {
            Naive::fit(series, season_of(seasons, series.len())).map(Member::Naive).into_iter().collect()
        }
        Method::Ets => ets().into_iter().collect(),
        Method::Theta => theta().into_iter().collect(),
        Method::Mstl => mstl(&known, false).or_else(ets).into_iter().collect(),
        Method::Auto => {
            known.retain(|season| is_seasonal(series, *season));
            [ets(), theta(), mstl(&known, false), mstl(&known, true)].into_iter().flatten().collect()
        }
    }
}

/// The season of models that know one: the longest that ETS can have, which holds the shorter ones if it is a multiple of
/// them, else the shortest.
fn season_of_one(sorted: &[usize]) -> usize {
    let short = sorted.iter().rev().find(|season| **season <= SEASON_MAX);
    short.or(sorted.first()).copied().unwrap_or(1)
}

/// The longest season that the series has once: it holds the shorter ones, if it is a multiple of them.
fn season_of(seasons: &[usize], len: usize) -> usize {
    seasons.iter().copied().filter(|season| *season <= len).max().unwrap_or(1)
}

/// The power of two next above all values; 1 if all are 0.
fn unit(series: &[f64]) -> f64 {
    let largest = series.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let (_, exponent) = libm::frexp(largest);
    libm::ldexp(1.0, exponent.clamp(-1_000, 1_000))
}

impl Member {
    fn update(&mut self, value: f64) -> bool {
        match self {
            Member::Naive(model) => {
                model.update(value);
                true
            }
            Member::Ets(model) => model.update(value),
            Member::Theta(model) => {
                model.update(value);
                true
            }
            Member::SeasonalTrend(model) => model.update(value),
        }
    }

    fn forecast(&self, horizon: usize) -> Forecast {
        match self {
            Member::Naive(model) => model.forecast(horizon),
            Member::Ets(model) => model.forecast(horizon),
            Member::Theta(model) => model.forecast(horizon),
            Member::SeasonalTrend(model) => model.forecast(horizon),
        }
    }

    /// Its next forecast is a number, and so is its deviation, but for a naive one of a single value.
    fn is_sound(&self) -> bool {
        let next = self.forecast(1);
        let is_known = |deviation: &f64| deviation.is_finite() || matches!(self, Member::Naive(_));
        next.means.iter().all(|mean| mean.is_finite()) && next.deviations.iter().all(is_known)
    }
}
