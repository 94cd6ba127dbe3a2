//! The parts of a point.

/// The largest number of seasons of a series.
pub const SEASONS_MAX: usize = 4;

/// What a number is made of: it is the sum of trend, season and remainder.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    pub trend: f64,
    /// The sum of all seasons.
    pub season: f64,
    /// Each season by itself, the shortest first.
    pub seasons: [f64; SEASONS_MAX],
    pub remainder: f64,
    /// 0 to 1: how much of what is left without the trend the seasons explain.
    pub strength: f64,
    /// The lengths of the seasons in steps; 0 for those that are not there.
    pub lengths: [u32; SEASONS_MAX],
}

/// What rounding may leave of a number, as a share of it.
const ROUNDING: f64 = 1e-11;

/// Returns 1 - rest / all, at least 0 (Wang, Smith and Hyndman, "Characteristic-based clustering for time series data", 2006); 0
/// where there is nothing to explain but rounding, at numbers of this size.
pub fn strength(rest: f64, all: f64, size: f64) -> f64 {
    let rounding = ROUNDING * size;
    if all > rounding * rounding { (1.0 - rest / all).clamp(0.0, 1.0) } else { 0.0 }
}
