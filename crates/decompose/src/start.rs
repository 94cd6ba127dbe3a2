//! Takes the first cycles of a series apart, for [`Running`] to go on from.

use forecasting::stl::{Parts, StlSettings, mstl};

use crate::running::{Running, Start};
use crate::season::Season;

/// Errors beyond so many deviations are cut off before the series is taken apart again.
const ERROR_MAX: f64 = 3.0;
/// The standard deviation of normal errors in units of their median size.
const DEVIATIONS_OF_MEDIAN: f64 = 1.482_602_218_505_602;

/// Each season as one profile, the mean of its cycles: two cycles tell no more.
const SETTINGS: StlSettings = StlSettings { seasonal: 7, periodic: true, trend: None, robust: false, exact: false };

/// Decomposes a series of at least two cycles of each of these seasons, the shortest first: twice, the second time with its
/// outliers cut off. None if there is no season, or not enough of it.
pub fn start(series: &[f64], lengths: &[usize]) -> Option<Running> {
    let first = mstl(series, lengths, SETTINGS)?;
    let limit = ERROR_MAX * DEVIATIONS_OF_MEDIAN * median_size(&first.remainder);
    let tame: Vec<f64> =
        series.iter().zip(&first.remainder).map(|(value, rest)| value - rest + cut(*rest, limit)).collect();
    let parts = mstl(&tame, lengths, SETTINGS)?;
    let (longest, last) = (*parts.lengths.last()?, series.len() - 1);
    let cycles = series.len() as f64 / longest as f64;
    // Errors within the points that a profile was made of are smaller than those to come: by (cycles - 1) / cycles in the mean square.
    let share = cycles / (cycles - 1.0);
    let mean = |of: &dyn Fn(usize) -> f64| (0..series.len()).map(of).sum::<f64>() / series.len() as f64;
    let rest = |at: usize| cut(parts.remainder[at], limit);
    let square = |value: f64| value * value;
    let seasons = parts.lengths.iter().zip(&parts.seasons);
    let mut level = parts.trend[last];
    let seasons: Vec<Season> = seasons
        .map(|(length, season)| {
            let profile = profile(season, *length);
            level += profile.iter().sum::<f64>() / *length as f64;
            Season::new(&profile, last % length)
        })
        .collect();
    Some(Running::new(Start {
        points: series.len() as u64,
        level,
        slope: (parts.trend[last] - parts.trend[last - longest]) / longest as f64,
        error: share.sqrt() * mean(&|at| rest(at).abs()),
        rest_power: share * mean(&|at| square(rest(at))),
        all_power: mean(&|at| square(season_at(&parts, at) + rest(at))),
        seasons,
    }))
}

fn season_at(parts: &Parts, at: usize) -> f64 {
    parts.seasons.iter().map(|season| season[at]).sum()
}

/// What is added at each place: the mean of all cycles.
fn profile(season: &[f64], length: usize) -> Vec<f64> {
    let mean = |place: usize| {
        let values = || season.iter().skip(place).step_by(length);
        values().sum::<f64>() / values().count() as f64
    };
    (0..length).map(mean).collect()
}

fn median_size(values: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    let middle = sizes.len() / 2;
    *sizes.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Where all errors are about 0 none is an outlier.
fn cut(error: f64, limit: f64) -> f64 {
    if limit > 0.0 { error.clamp(-limit, limit) } else { error }
}
