//! STL (Cleveland et al., "STL: a seasonal-trend decomposition procedure based on loess", 1990) and MSTL for several
//! seasons (Bandara, Hyndman and Bergmeir 2021), with the settings and defaults of statsmodels. The loess is that of the
//! crate `stlrs`.

/// How a series is decomposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StlSettings {
    /// Length of the seasonal smoother: odd, 3 or more.
    pub seasonal: usize,
    /// The season is the same all the time, for which `seasonal` is not read: the smoother of each place in it is a mean.
    pub periodic: bool,
    /// Length of the trend smoother: odd, more than the season; none: as long as the others ask for.
    pub trend: Option<usize>,
    /// Weigh outliers less.
    pub robust: bool,
    /// Evaluate each loess at every value, as statsmodels does by default, or only as often as is needed to be smooth.
    pub exact: bool,
}

impl Default for StlSettings {
    fn default() -> StlSettings {
        StlSettings { seasonal: 7, periodic: false, trend: None, robust: false, exact: true }
    }
}

/// The parts of a series: it is their sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The lengths of the seasons, shortest first.
    pub lengths: Vec<usize>,
    pub trend: Vec<f64>,
    /// For each season one number for each value.
    pub seasons: Vec<Vec<f64>>,
    pub remainder: Vec<f64>,
}

/// In sizes of the largest value, what is left of a series by rounding alone.
const ROUNDING: f64 = 1e-12;

/// Decomposes a series with one season. None when it has less than two whole seasons, or a value that is not finite.
///
/// Outliers are not weighed less where the parts leave nothing of most values but rounding, as of exactly two seasons: weights are
/// made of what is left. statsmodels does so only where that is 0 to the bit.
#[must_use]
pub fn stl(series: &[f64], season: usize, settings: StlSettings) -> Option<Parts> {
    if season < 2 || series.len() < 2 * season || !is_tame(series) {
        return None;
    }
    if settings.robust {
        let parts = stl(series, season, StlSettings { robust: false, ..settings })?;
        if leaves_rounding(series, &parts.remainder) {
            return Some(parts);
        }
    }
    let seasonal = if settings.periodic { odd_from(10 * series.len()) } else { (settings.seasonal | 1).max(3) };
    let usual = || (1.5 * season as f64 / (1.0 - 1.5 / seasonal as f64)).ceil() as usize;
    let trend = odd_from(settings.trend.unwrap_or_else(usual));
    let low_pass = odd_from(season + 1);
    let jump = |len: usize| if settings.exact { 1 } else { len.div_ceil(10) };
    let (inner, outer) = if settings.robust { (2, 15) } else { (5, 0) };
    let mut params = stlrs::params();
    params.seasonal_length(seasonal).trend_length(trend).low_pass_length(low_pass);
    params.seasonal_degree(i32::from(!settings.periodic)).trend_degree(1).low_pass_degree(1);
    params.seasonal_jump(jump(seasonal)).trend_jump(jump(trend)).low_pass_jump(jump(low_pass));
    params.inner_loops(inner).outer_loops(outer).robust(settings.robust);
    let result = params.fit(series, season).ok()?;
    Some(Parts {
        lengths: vec![season],
        trend: result.trend().to_vec(),
        seasons: vec![result.seasonal().to_vec()],
        remainder: result.remainder().to_vec(),
    })
}

/// Decomposes a series with several seasons, as [`mstl_with`] does: `seasonal` of the settings is not read, the smoothers are
/// 11, 15, 19, … long, the shortest season first.
#[must_use]
pub fn mstl(series: &[f64], seasons: &[usize], settings: StlSettings) -> Option<Parts> {
    let mut lengths = seasons.to_vec();
    lengths.sort_unstable();
    lengths.dedup();
    // Those that the series is too short for have no number.
    lengths.retain(|length| *length >= 2 && 2 * length <= series.len());
    let smoothers: Vec<(usize, usize)> = lengths.into_iter().zip((11..).step_by(4)).collect();
    mstl_with(series, &smoothers, settings)
}

/// Decomposes a series with several seasons, each given with the length of its seasonal smoother; those of which it has less
/// than two are left out, and of the same length one is taken.
#[must_use]
pub fn mstl_with(series: &[f64], smoothers: &[(usize, usize)], settings: StlSettings) -> Option<Parts> {
    let mut smoothers: Vec<(usize, usize)> =
        smoothers.iter().copied().filter(|(season, _)| *season >= 2 && 2 * season <= series.len()).collect();
    smoothers.sort_unstable();
    smoothers.dedup_by_key(|(season, _)| *season);
    let lengths: Vec<usize> = smoothers.iter().map(|(season, _)| *season).collect();
    let rounds = if lengths.len() == 1 { 1 } else { 2 };
    let mut rest = series.to_vec();
    let mut found = vec![vec![0.0; series.len()]; lengths.len()];
    let mut trend = None;
    for _ in 0..rounds {
        for ((length, seasonal), season) in smoothers.iter().copied().zip(&mut found) {
            rest.iter_mut().zip(&*season).for_each(|(rest, index)| *rest += index);
            let mut parts = stl(&rest, length, StlSettings { seasonal, ..settings })?;
            *season = parts.seasons.pop()?;
            rest.iter_mut().zip(&*season).for_each(|(rest, index)| *rest -= index);
            trend = Some(parts.trend);
        }
    }
    let trend = trend?;
    let remainder = rest.iter().zip(&trend).map(|(rest, trend)| rest - trend).collect();
    Some(Parts { lengths, trend, seasons: found, remainder })
}

/// Returns the least odd number that is not less.
fn odd_from(number: usize) -> usize {
    number | 1
}

/// Half of the values or more leave no more than rounding does.
fn leaves_rounding(series: &[f64], remainder: &[f64]) -> bool {
    let largest = series.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let rounded = remainder.iter().filter(|rest| rest.abs() <= ROUNDING * largest).count();
    2 * rounded >= series.len()
}

/// Sums of so many values stay finite.
fn is_tame(series: &[f64]) -> bool {
    series.iter().all(|value| value.abs() < 1e290)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A season and a trend, and an outlier.
    fn series(season: usize, count: usize) -> Vec<f64> {
        let value = |n: usize| (n % season * 7 % season) as f64 + n as f64 * 0.1 + (n * n % 11) as f64 * 0.3;
        (0..count).map(|n| value(n) + if n == season + 1 { 50.0 } else { 0.0 }).collect()
    }

    #[test]
    fn no_value_of_exactly_two_seasons_is_an_outlier() {
        let (plain, robust) = (StlSettings::default(), StlSettings { robust: true, ..StlSettings::default() });
        for season in [2, 4, 7, 12, 24, 168] {
            let two = series(season, 2 * season);
            assert_eq!(stl(&two, season, robust), stl(&two, season, plain), "{season}");
        }
        let four = series(12, 48);
        assert!(stl(&four, 12, robust).unwrap().remainder[13] > stl(&four, 12, plain).unwrap().remainder[13] + 5.0);
    }
}
