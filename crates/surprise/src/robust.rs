//! Says how surprising each point of a stream is, in 136 bytes.

use std::f64::consts::{LN_2, LN_10};

use values::state_text::{StateReader, write_number};

use crate::flat::Flat;
use crate::hours::{Hours, hour_of};
use crate::{Evidence, Interval, POINTS_FEW, Verdict, state};

/// A point moves a median by this part of the deviation, and a deviation by this part of itself, at least.
const LEVEL_GAIN: f64 = 0.03;
const DEVIATION_GAIN: f64 = 0.01;
/// This part of ordinary values is outside of the bounds.
const OUTSIDE: f64 = 0.01;
/// How fast the bounds, and the mean excess over them, follow.
const BOUND_GAIN: f64 = 0.05;
const EXCESS_GAIN: f64 = 0.05;
/// In median deviations, for a normal distribution: the bounds, and the mean excess of what is outside.
const BOUND_START: f32 = 3.82;
const EXCESS_START: f32 = 0.6;
/// The season, and then the last value, has to make the median error less than this part of what it is without.
const HELPS: f64 = 0.8;
/// At the bounds the surprise is 1, half of what the share outside is in decades; beyond them a decade counts by this.
const DECADE: f64 = 0.6;
const SURPRISE_MAX: f64 = 30.0;
/// A surprise counts if it is larger than that of each of so many points before it.
const REFRACTORY_POINTS: u32 = 80;
/// Larger values are taken as this, so that no difference leaves the range of numbers.
const VALUE_MAX: f64 = 1e290;
/// Larger distances, in deviations, are taken as this.
const DISTANCE_MAX: f64 = 1e12;

/// Medians of a series and of its errors, each by steps of the sign (Robbins and Monro 1951; Ma, Muthukrishnan and Sandler,
/// *Frugal Streaming for Estimating Quantiles*, 2013).
///
/// The next value is expected at the median, at the median of the hour of the day, or at the last value, whichever had the
/// smallest median error. An error is judged in median errors, against the 99th percentile of all before and the mean excess
/// over it: an exponential tail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Robust {
    level: f64,
    last: f64,
    /// Median absolute errors of the level, of the last value, of the season; 0 before the first that is not 0.
    errors: [f64; 3],
    hours: Hours,
    /// The 99th percentile of errors, and the mean excess over it, in median errors; of the forecast that was best.
    bound: f32,
    excess: f32,
    count: u32,
    /// The largest surprise of the last points, and the point that had it.
    peak: f32,
    peak_at: u32,
    flat: Flat,
}

const OF_LEVEL: usize = 0;
const OF_LAST: usize = 1;
const OF_SEASON: usize = 2;

impl Robust {
    /// Takes the next point, finite, at a time in milliseconds of the epoch. What it returns depends on this point and on
    /// those before it.
    pub fn take(&mut self, value: f64, time_ms: i64) -> Verdict {
        let value = value.clamp(-VALUE_MAX, VALUE_MAX);
        if self.count == 0 {
            (self.level, self.bound, self.excess) = (value, BOUND_START, EXCESS_START);
        }
        let hour = hour_of(time_ms);
        let offset = self.hours.enter(hour, self.errors[OF_LEVEL]);
        let forecasts = [self.level, self.last, self.level + offset.unwrap_or(0.0)];
        let best = self.best(offset.is_some());
        let (expected, error) = (forecasts[best], self.errors[best]);
        let size = (value - expected).abs();
        let surprise = if u64::from(self.count) > POINTS_FEW { self.surprise(size, error) } else { 0.0 };
        let interval = self.interval(expected, error);
        self.follow_tail(size, error);
        let is_same = self.count > 0 && value == self.last;
        let is_flat = self.flat.take(is_same, self.count.into());
        self.follow(value, forecasts, offset.is_some());
        let counts = self.is_peak(surprise);
        self.count = self.count.saturating_add(1);
        let evidence = if best == OF_SEASON { Evidence::Season } else { Evidence::Value };
        let seasonal = if best == OF_SEASON { Some(expected) } else { None };
        Verdict { surprise, counts, evidence, interval, seasonal, is_unsteady: false, is_flat }
    }

    /// Returns how many points there were.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    #[inline]
    fn best(&self, has_season: bool) -> usize {
        let [of_level, of_last, of_season] = self.errors;
        let is_seasonal = has_season && of_season > 0.0 && of_season < HELPS * of_level;
        let best = if is_seasonal { OF_SEASON } else { OF_LEVEL };
        if of_last < HELPS * self.errors[best] { OF_LAST } else { best }
    }

    fn surprise(&self, size: f64, error: f64) -> f64 {
        if size <= 0.0 {
            return 0.0;
        }
        let distance = distance(size, error);
        let beyond = distance - f64::from(self.bound);
        if beyond <= 0.0 {
            return 0.0;
        }
        (1.0 + DECADE * beyond / (f64::from(self.excess) * LN_10)).min(SURPRISE_MAX)
    }

    /// None for the first two points.
    fn interval(&self, expected: f64, error: f64) -> Option<Interval> {
        let half = f64::from(self.bound) * error;
        (self.count > 1).then_some(Interval { expected, lower: expected - half, upper: expected + half })
    }

    fn follow_tail(&mut self, size: f64, error: f64) {
        if error <= 0.0 {
            return;
        }
        let (distance, bound) = (distance(size, error), f64::from(self.bound));
        let is_outside = distance > bound;
        if is_outside {
            // Of an exponential distribution the median is the mean times the logarithm of 2.
            let excess = f64::from(self.excess);
            let is_large = distance - bound > LN_2 * excess;
            let factor = if is_large { 1.0 + EXCESS_GAIN } else { 1.0 - EXCESS_GAIN };
            self.excess = (excess * factor).clamp(0.05, 1e6) as f32;
        }
        let step = BOUND_GAIN * (if is_outside { 1.0 } else { 0.0 } - OUTSIDE);
        self.bound = (bound * (1.0 + step)).clamp(1.5, 1e6) as f32;
    }

    /// Lets medians and errors follow the value.
    fn follow(&mut self, value: f64, forecasts: [f64; 3], has_season: bool) {
        let young = 2.0 / (f64::from(self.count) + 1.0);
        let gain = DEVIATION_GAIN.max(young.min(0.5));
        if has_season && self.errors[OF_SEASON] == 0.0 {
            // It has to show that it is better.
            self.errors[OF_SEASON] = self.errors[OF_LEVEL];
        }
        let errors = [true, self.count > 0, has_season];
        for (place, error) in self.errors.iter_mut().enumerate().filter(|(place, _)| errors[*place]) {
            let size = (value - forecasts[place]).abs();
            if size > 0.0 {
                let factor = if size > *error { 1.0 + gain } else { 1.0 - gain };
                *error = if *error > 0.0 { (*error * factor).clamp(1e-290, VALUE_MAX) } else { size };
            }
        }
        let remainder = value - forecasts[OF_SEASON];
        let step = LEVEL_GAIN.max(young) * self.errors[OF_LEVEL].min(self.step_size());
        if remainder != 0.0 {
            let step = if remainder > 0.0 { step } else { -step };
            self.level = (self.level + step).clamp(-VALUE_MAX, VALUE_MAX);
        }
        self.hours.add(remainder, self.step_size());
        self.last = value;
    }

    /// The error that steps are measured in: with a season that of the season, as the others have the season in them.
    fn step_size(&self) -> f64 {
        let of_season = self.errors[OF_SEASON];
        if of_season > 0.0 { of_season } else { self.errors[OF_LEVEL] }
    }

    fn is_peak(&mut self, surprise: f64) -> bool {
        let surprise = surprise as f32;
        if surprise <= 0.0 {
            return false;
        }
        let is_over = self.count.saturating_sub(self.peak_at) > REFRACTORY_POINTS;
        let is_peak = is_over || surprise > self.peak;
        if is_peak {
            (self.peak, self.peak_at) = (surprise, self.count);
        }
        is_peak
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        let [of_level, of_last, of_season] = self.errors;
        state::write_floats(&[self.level, self.last, of_level, of_last, of_season], out);
        out.push(b',');
        let words = [self.bound.to_bits(), self.excess.to_bits(), self.peak.to_bits(), self.peak_at, self.flat.words()];
        state::write_words(&words, out);
        out.push(b',');
        write_number(self.count.into(), out);
        out.push(b',');
        self.hours.save(out);
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let [level, last, of_level, of_last, of_season] = state::floats(from)?.try_into().ok()?;
        from.literal(b",")?;
        let [bound, excess, peak, peak_at, flat] = state::words(from)?.try_into().ok()?;
        from.literal(b",")?;
        let count = u32::try_from(from.number()?).ok()?;
        from.literal(b",")?;
        let hours = Hours::load(from)?;
        from.literal(b"]")?;
        let [bound, excess, peak] = [bound, excess, peak].map(f32::from_bits);
        let errors = [of_level, of_last, of_season];
        let is_valid = [bound, excess, peak].iter().all(|number| number.is_finite() && *number >= 0.0)
            && errors.iter().all(|error| *error >= 0.0);
        let flat = Flat::of_words(flat);
        is_valid.then_some(Self { level, last, errors, hours, bound, excess, count, peak, peak_at, flat })
    }
}

/// Returns an error in median errors; `error` may be 0 where all values were equal.
#[inline]
fn distance(size: f64, error: f64) -> f64 {
    if error > 0.0 { (size / error).min(DISTANCE_MAX) } else { DISTANCE_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small() {
        assert!(size_of::<Robust>() <= 136, "{}", size_of::<Robust>());
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let mut robust = Robust::default();
        for point in 0..2000i64 {
            if point % 91 == 0 || point < 9 {
                let mut text = Vec::new();
                robust.save(&mut text);
                let mut from = StateReader::new(&text);
                let loaded = Robust::load(&mut from);
                assert!(from.end().is_some(), "{point}: {}", String::from_utf8_lossy(&text));
                assert_eq!(loaded.as_ref(), Some(&robust), "{point}");
            }
            let value = if point % 500 == 499 { 1e6 } else { (point * point % 97) as f64 };
            robust.take(value, point * 700_000);
        }
    }

    #[test]
    fn any_number_gives_finite_results() {
        let wild = [1e308, -1e308, 0.0, 5e-324, -0.0, 1e290, 1.0, 1e308, -1e308, 7.0];
        for period in 1..wild.len() - 2 {
            let mut robust = Robust::default();
            for point in 0..3000usize {
                let verdict = robust.take(wild[point % period + point / 1000], point as i64 * 60_000);
                assert!(verdict.surprise.is_finite() && verdict.score() < 1.0);
                let interval = verdict.interval;
                assert!(interval.is_none_or(|it| it.lower.is_finite() && it.upper.is_finite()), "{interval:?}");
            }
        }
    }
}
