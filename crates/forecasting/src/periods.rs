//! Finds the seasons of a series by its periodogram and its autocorrelation (after Vlachos, Yu and Castelli, "On
//! periodicity detection and structural periodicity similarity", 2005: the periodogram says that there is a season, the
//! autocorrelation how long it is).

use crate::fft::{Complex, transform};
use crate::line::Line;

/// A series has at least so many whole seasons.
const SEASONS_MIN: usize = 3;
/// The autocorrelation at a season is at least this.
const CORRELATION_MIN: f64 = 0.2;
/// A season is preferred to a longer one with an autocorrelation up to so much greater.
const SHORTER_SHARE: f64 = 0.8;
/// So rarely noise alone has a power as great as is asked for.
const FALSE_ALARMS: f64 = 0.01;

/// Returns the lengths of up to two seasons in steps, the shortest first; none where the series has less than three of
/// them. The second is sought in what is left without the first.
#[must_use]
pub fn find(series: &[f64]) -> Vec<usize> {
    let mut rest = without_line(series);
    let Some(first) = strongest(&rest, 0) else { return Vec::new() };
    take_out(&mut rest, first);
    let second = strongest(&rest, first);
    let mut found: Vec<usize> = std::iter::once(first).chain(second).collect();
    found.sort_unstable();
    found
}

/// What is over the line of least squares, scaled so that squares stay within range; empty for values that are not finite.
fn without_line(series: &[f64]) -> Vec<f64> {
    let largest = series.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return Vec::new();
    }
    let scaled: Vec<f64> = series.iter().map(|value| value / largest).collect();
    let line = Line::through(&scaled);
    let rest: Vec<f64> = scaled.iter().enumerate().map(|(at, value)| value - line.at(at as f64)).collect();
    // What rounding leaves of a straight line is no season.
    if rest.iter().all(|value| value.abs() < 1e-9) { Vec::new() } else { rest }
}

/// The season that the series shows most; none like `known`.
fn strongest(series: &[f64], known: usize) -> Option<usize> {
    if series.len() < 2 * SEASONS_MIN {
        return None;
    }
    let spectrum = Spectrum::of(series);
    let correlations = spectrum.correlations();
    let is_hill = |lag: usize| {
        let near = &correlations[lag - 1..=lag + 1];
        near[1] >= near[0]
            && near[1] >= near[2]
            && near[1] >= CORRELATION_MIN.max(noise(&correlations, lag, series.len()))
    };
    let lags = 2..series.len() / SEASONS_MIN + 1;
    let is_new = |lag: usize| known == 0 || is_apart(lag, known, &correlations);
    let candidates: Vec<usize> =
        lags.filter(|lag| is_hill(*lag) && is_new(*lag) && spectrum.stands_out(*lag)).collect();
    let best = candidates.iter().map(|lag| correlations[*lag]).fold(0.0, f64::max);
    candidates.into_iter().find(|lag| correlations[*lag] >= SHORTER_SHARE * best)
}

/// The season is not what the known one left, because it changes with time: that is seen at its length and all multiples.
fn is_apart(lag: usize, known: usize, correlations: &[f64]) -> bool {
    let over = lag % known;
    let is_near_multiple = lag >= known - 1 && (over == 1 || over == known - 1);
    let is_multiple = over == 0;
    lag != known && !is_near_multiple && (!is_multiple || SHORTER_SHARE * correlations[lag] > correlations[known])
}

/// Twice the deviation of an autocorrelation where those at shorter lags are what they are, but for the half of them that
/// belong to the season itself (Bartlett 1946).
fn noise(correlations: &[f64], lag: usize, len: usize) -> f64 {
    let near: f64 = correlations[1..lag.div_ceil(2)].iter().map(|r| r * r).sum();
    2.0 * ((1.0 + 2.0 * near) / len as f64).sqrt()
}

/// Takes the mean of each place in the season out.
fn take_out(series: &mut [f64], season: usize) {
    for place in 0..season {
        let values = || series.iter().skip(place).step_by(season);
        let mean = values().sum::<f64>() / values().count().max(1) as f64;
        series.iter_mut().skip(place).step_by(season).for_each(|value| *value -= mean);
    }
}

/// The power at each frequency, of the series followed by as many zeros or more.
struct Spectrum {
    powers: Vec<f64>,
    len: usize,
    mean: f64,
}

impl Spectrum {
    fn of(series: &[f64]) -> Spectrum {
        let padded = (2 * series.len()).next_power_of_two();
        let mut values = vec![Complex::default(); padded];
        values.iter_mut().zip(series).for_each(|(value, of)| value.re = *of);
        transform(&mut values);
        let powers: Vec<f64> = values.iter().map(|value| value.power()).collect();
        let mean = powers[1..padded / 2].iter().sum::<f64>() / (padded / 2 - 1) as f64;
        Spectrum { powers, len: series.len(), mean }
    }

    /// The power at the frequency of this period, or at twice of it, is beyond what noise would show anywhere: its powers
    /// are exponential. The noise is what is seen in the two octaves around, so it need not be white.
    fn stands_out(&self, period: usize) -> bool {
        let limit = libm::log(self.len as f64 / 2.0 / FALSE_ALARMS);
        let frequency = self.powers.len() as f64 / period as f64;
        [frequency, 2.0 * frequency].into_iter().any(|at| self.peak(at) > limit * self.around(at))
    }

    /// Bins that differ by this are independent.
    fn width(&self) -> f64 {
        self.powers.len() as f64 / self.len as f64
    }

    fn peak(&self, at: f64) -> f64 {
        let (low, high) = (at - self.width() / 2.0, at + self.width() / 2.0);
        self.bins(low, high).fold(0.0, f64::max)
    }

    fn around(&self, at: f64) -> f64 {
        let below = self.bins(at / 2.0 + self.width(), at - self.width());
        let above = self.bins(at + self.width(), 2.0 * at - self.width());
        let (sum, count) = below.chain(above).fold((0.0, 0.0), |(sum, count), power| (sum + power, count + 1.0));
        if count > 0.0 { sum / count } else { self.mean }
    }

    fn bins(&self, low: f64, high: f64) -> impl Iterator<Item = f64> {
        let half = &self.powers[..=self.powers.len() / 2];
        let start = (low.max(1.0) as usize).min(half.len());
        let end = if high < low { start } else { (high.max(0.0) as usize + 1).clamp(start, half.len()) };
        half[start..end].iter().copied()
    }

    /// The autocorrelations (Wiener and Khinchin): the transform of the powers.
    fn correlations(&self) -> Vec<f64> {
        let mut values: Vec<Complex> = self.powers.iter().map(|power| Complex { re: *power, im: 0.0 }).collect();
        transform(&mut values);
        let all = values[0].re;
        // With fewer pairs the sum is smaller: divided by their share, a strict season has 1 at each of its lags.
        let share = |lag: usize| (self.len - lag) as f64 / self.len as f64;
        let at = |lag: usize| if all > 0.0 { values[lag].re / all / share(lag) } else { 0.0 };
        (0..self.len).map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(state: &mut u64) -> f64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    }

    fn series(len: usize, of: impl Fn(usize) -> f64, noisy: f64) -> Vec<f64> {
        let mut state = 7;
        (0..len).map(|at| of(at) + noisy * noise(&mut state)).collect()
    }

    #[test]
    fn a_day_and_a_week_are_found_in_hours() {
        let day = |at: usize| if (8..18).contains(&(at % 24)) { 3.0 } else { 0.0 };
        let week = |at: usize| if at / 24 % 7 >= 5 { -2.0 } else { 0.0 };
        assert_eq!(find(&series(24 * 7 * 6, |at| day(at) + week(at) + 0.001 * at as f64, 1.0)), [24, 168]);
        assert_eq!(find(&series(200, day, 0.5)), [24]);
    }

    #[test]
    fn noise_walks_and_lines_have_no_season() {
        let mut walk = 0.0;
        let walks: Vec<f64> = series(1_000, |_| 0.0, 1.0)
            .iter()
            .map(|step| {
                walk += step;
                walk
            })
            .collect();
        assert_eq!(find(&walks), [0; 0]);
        for flat in [
            series(1_000, |_| 0.0, 1.0),
            series(500, |at| at as f64, 0.0),
            vec![5.0; 100],
            vec![],
            vec![1.0],
            vec![f64::NAN; 9],
            vec![1e308; 50],
        ] {
            assert_eq!(find(&flat), [0; 0]);
        }
    }

    #[test]
    fn short_seasons_and_few_values() {
        assert_eq!(find(&series(12, |at| (at % 2) as f64, 0.0)), [2]);
        assert_eq!(find(&series(48, |at| [1.0, 3.0, 2.0, 9.0][at % 4], 0.5)), [4]);
    }
}
