//! Percentiles of lists, samples and sketches, with linear interpolation between the two nearest ranks.

use crate::ddsketch::DdSketch;
use crate::digits::rounded;
use crate::ranks::Ranks;
use crate::reservoir::Reservoir;

/// The last digit of a computed double is noise: half way between 0.2 and 1.5 is 0.85, not 0.8500000000000001.
pub(crate) const INTERPOLATED_DIGITS: usize = 15;
/// A sketch is right to one in a hundred, a digest to one in a thousand.
pub(crate) const SKETCH_DIGITS: usize = 6;

/// The percentiles of all values of a list.
pub(crate) fn of_values(values: &[f64], percents: &[f64], ranks: &mut Ranks, results: &mut Vec<f64>) {
    let count = values.len() as u64;
    if count == 0 {
        return;
    }
    settle(values, percents, ranks);
    results.extend(percents.iter().map(|percent| interpolated(*percent, count, |rank| ranks.value_at(rank as usize))));
}

/// Makes `ranks` ready for the values at percentiles of a list that is not empty.
// Here and in `Ranks::settle`: lists of percentiles are written too often for a call.
#[inline(always)]
pub(crate) fn settle(values: &[f64], percents: &[f64], ranks: &mut Ranks) {
    let count = values.len() as u64;
    ranks.settle(
        values,
        percents.iter().flat_map(|percent| {
            let (rank, part) = place(*percent, count);
            let next = (part > 0.0 && rank + 1 < count).then_some(rank as usize + 1);
            std::iter::once(rank as usize).chain(next)
        }),
    );
}

pub(crate) fn of_sample(reservoir: &Reservoir, percents: &[f64], ranks: &mut Ranks, results: &mut Vec<f64>) {
    let first = results.len();
    of_values(reservoir.sample(), percents, ranks, results);
    for (percent, result) in percents.iter().zip(&mut results[first..]) {
        if *percent <= 0.0 {
            *result = reservoir.least();
        } else if *percent >= 100.0 {
            *result = reservoir.largest();
        }
    }
}

/// The percentiles of all values that a sketch has seen.
pub(crate) fn of_sketch(percents: &[f64], sketch: &DdSketch, results: &mut Vec<f64>) {
    let mut reader = sketch.reader();
    results.extend(
        percents
            .iter()
            .map(|percent| estimated(*percent, interpolated(*percent, sketch.count(), |rank| reader.value_at(rank)))),
    );
}

/// An estimate with the digits that mean something; p0 and p100 are the least and the largest value themselves.
pub(crate) fn estimated(percent: f64, value: f64) -> f64 {
    if percent <= 0.0 || percent >= 100.0 { value } else { rounded(value, SKETCH_DIGITS) }
}

/// The rank at or below a percentile, and how far it lies towards the next one.
fn place(percent: f64, count: u64) -> (u64, f64) {
    let position = percent * (count - 1) as f64 / 100.0;
    let rank = (position as u64).min(count - 1);
    (rank, position - rank as f64)
}

/// The value at a percentile of so many, of which `value_at` knows each by its rank; the digits of what lies between two are
/// those that mean something.
fn interpolated(percent: f64, count: u64, value_at: impl FnMut(u64) -> f64) -> f64 {
    let (rank, part) = place(percent, count);
    let value = between(percent, count, value_at);
    if part <= 0.0 || rank + 1 >= count { value } else { rounded(value, INTERPOLATED_DIGITS) }
}

/// The same with all digits.
#[inline]
pub(crate) fn between(percent: f64, count: u64, mut value_at: impl FnMut(u64) -> f64) -> f64 {
    let (rank, part) = place(percent, count);
    let low = value_at(rank);
    if part <= 0.0 || rank + 1 >= count {
        return low;
    }
    let high = value_at(rank + 1);
    let step = high - low;
    // The difference of two huge values overflows; their shares do not.
    if step.is_finite() { low + step * part } else { low * (1.0 - part) + high * part }
}
