//! DDSketch: quantiles within a relative error (Masson, Rim, Lee, VLDB 2019).
//!
//! Values fall into bins whose bounds grow by a constant factor, so that each bin's middle is within `alpha` of
//! everything in it. The logarithm is replaced by a piecewise quadratic one: no call into a maths library, hence the
//! same bins on every machine, for 8 % more of them. Which values share the lowest bin depends on the largest one
//! only, so a sketch is the same whatever the order of its values and however it was merged.

use crate::bytes::{Reader, Writer};
use crate::state_text::COUNT_MAX;

/// Bins of each sign at `alpha` = 0.01 and above, covering 32 decimal orders of magnitude.
const BINS_MAX: usize = 4096;

/// The slope of [`log2_quadratic`] against the natural logarithm is at least this.
const SLOPE_MIN: f64 = 4.0 / 3.0;

/// Counts of values in bins of equal relative width.
#[derive(Clone, Debug, PartialEq)]
pub struct DdSketch {
    /// Of a bin, on the scale of [`log2_quadratic`].
    width: f64,
    positive: Bins,
    negative: Bins,
    zeros: u64,
    min: f64,
    max: f64,
}

impl DdSketch {
    /// An empty sketch of relative error `alpha`, 0.001 to 0.2.
    #[must_use]
    pub fn new(alpha: f64) -> DdSketch {
        let bins_max = BINS_MAX.max((BINS_MAX as f64 * 0.01 / alpha) as usize);
        let bins = Bins { first: 0, counts: Vec::new(), total: 0, bins_max };
        // ln((1 + a) / (1 - a)) by its series: exact to the last digits for a up to 0.2, and the same everywhere.
        let series = (0..12).rev().fold(0.0, |sum, k| sum * alpha * alpha + 1.0 / f64::from(2 * k + 1));
        DdSketch {
            width: SLOPE_MIN * 2.0 * alpha * series,
            positive: bins.clone(),
            negative: bins,
            zeros: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }

    pub fn add(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        let magnitude = value.abs();
        if magnitude < f64::MIN_POSITIVE {
            self.zeros += 1;
            return;
        }
        let bin = self.bin_of(magnitude);
        let bins = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        bins.add(bin, 1);
    }

    fn bin_of(&self, magnitude: f64) -> i32 {
        (log2_quadratic(magnitude) / self.width).floor() as i32
    }

    pub fn heap_bytes(&self) -> usize {
        (self.positive.counts.capacity() + self.negative.counts.capacity()) * size_of::<u64>()
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.positive.total + self.negative.total + self.zeros
    }

    pub fn merge(&mut self, other: &DdSketch) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.zeros += other.zeros;
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    /// The value of 0-based `rank` in ascending order, within `alpha` of it.
    #[must_use]
    pub fn value_at(&self, rank: u64) -> f64 {
        let estimate = if rank < self.negative.total {
            -self.middle(self.negative.bin_at(self.negative.total - 1 - rank))
        } else if rank < self.negative.total + self.zeros {
            0.0
        } else {
            self.middle(self.positive.bin_at(rank - self.negative.total - self.zeros))
        };
        estimate.clamp(self.min, self.max)
    }

    /// The point of a bin with the least relative error towards both of its ends.
    fn middle(&self, bin: i32) -> f64 {
        let width = self.width;
        let low = exp2_quadratic(f64::from(bin) * width);
        let high = exp2_quadratic((f64::from(bin) + 1.0) * width);
        // Not 2·low·high / (low + high), which overflows near the end of f64.
        2.0 * low / (1.0 + low / high)
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.f64(self.min);
        out.f64(self.max);
        out.short(self.zeros);
        for bins in [&self.positive, &self.negative] {
            out.u64(bins.first as u64);
            out.u64(bins.counts.len() as u64);
            bins.counts.iter().for_each(|count| out.short(*count));
        }
    }

    /// Every later step relies on what is checked here.
    pub(crate) fn load(alpha: f64, input: &mut Reader<'_>) -> Option<DdSketch> {
        let mut sketch = DdSketch::new(alpha);
        (sketch.min, sketch.max, sketch.zeros) = (input.f64()?, input.f64()?, input.short()?);
        let [lowest, highest] = [f64::MIN_POSITIVE, f64::MAX].map(|value| sketch.bin_of(value));
        for bins in [&mut sketch.positive, &mut sketch.negative] {
            bins.first = i32::try_from(input.u64()? as i64).ok()?;
            let len = usize::try_from(input.u64()?).ok().filter(|len| *len <= bins.bins_max)?;
            bins.counts = (0..len).map(|_| input.short()).collect::<Option<_>>()?;
            bins.total = bins.counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count))?;
            let is_within = bins.first >= lowest && bins.first + len as i32 - 1 <= highest;
            (is_within || len == 0).then_some(())?;
        }
        let count = sketch.positive.total.checked_add(sketch.negative.total)?.checked_add(sketch.zeros)?;
        ((1..=COUNT_MAX).contains(&count) && sketch.min <= sketch.max).then_some(sketch)
    }
}

/// Counts of a contiguous run of bins; bins below the highest `bins_max` are one with the lowest of those.
#[derive(Clone, Debug, PartialEq)]
struct Bins {
    first: i32,
    counts: Vec<u64>,
    total: u64,
    bins_max: usize,
}

impl Bins {
    fn add(&mut self, bin: i32, count: u64) {
        if self.counts.is_empty() {
            self.first = bin;
        }
        let last = self.first + self.counts.len() as i32 - 1;
        if bin > last {
            self.counts.resize((bin - self.first) as usize + 1, 0);
            self.collapse();
        } else if bin < self.first {
            let room = self.bins_max - self.counts.len();
            let growth = ((self.first - bin) as usize).min(room);
            self.counts.splice(0..0, std::iter::repeat_n(0, growth));
            self.first -= growth as i32;
        }
        let slot = (bin - self.first).max(0) as usize;
        self.counts[slot] += count;
        self.total += count;
    }

    /// Folds the lowest bins together once there are more than `bins_max`.
    fn collapse(&mut self) {
        let excess = self.counts.len().saturating_sub(self.bins_max);
        if excess > 0 {
            let folded: u64 = self.counts.drain(..excess).sum();
            self.counts[0] += folded;
            self.first += excess as i32;
        }
    }

    fn merge(&mut self, other: &Bins) {
        // From the top, so that the run grows once and what lies too low folds as it would have on its own.
        for (slot, count) in other.counts.iter().enumerate().rev().filter(|(_, count)| **count > 0) {
            self.add(other.first + slot as i32, *count);
        }
    }

    fn bin_at(&self, rank: u64) -> i32 {
        let mut seen = 0;
        let slot = self.counts.iter().position(|count| {
            seen += count;
            seen > rank
        });
        self.first + slot.unwrap_or(self.counts.len().saturating_sub(1)) as i32
    }
}

/// A stand-in for log2: exponent plus a quadratic through both ends of the significand, increasing and continuous.
fn log2_quadratic(value: f64) -> f64 {
    const SIGNIFICAND: u64 = (1 << 52) - 1;
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let fraction = f64::from_bits((bits & SIGNIFICAND) | (1023 << 52)) - 1.0;
    exponent as f64 + fraction * (4.0 - fraction) / 3.0
}

/// The inverse of [`log2_quadratic`].
fn exp2_quadratic(position: f64) -> f64 {
    let exponent = position.floor();
    let fraction = 2.0 - (4.0 - 3.0 * (position - exponent)).max(1.0).sqrt();
    let exponent = exponent as i32;
    if exponent > 1023 {
        f64::MAX
    } else if exponent < -1022 {
        f64::MIN_POSITIVE
    } else {
        (1.0 + fraction) * f64::from_bits(((exponent + 1023) as u64) << 52)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sketch(alpha: f64, values: &[f64]) -> DdSketch {
        let mut sketch = DdSketch::new(alpha);
        values.iter().for_each(|value| sketch.add(*value));
        sketch
    }

    fn close(estimate: f64, exact: f64, alpha: f64) -> bool {
        (estimate - exact).abs() <= exact.abs() * alpha * (1.0 + 1e-9) + f64::MIN_POSITIVE
    }

    #[test]
    fn the_logarithm_is_increasing_and_its_inverse_fits() {
        let mut last = f64::NEG_INFINITY;
        for step in 0..200_000 {
            let value = 1e-3 * 1.0001f64.powi(step);
            let position = log2_quadratic(value);
            assert!(position > last);
            assert!(close(exp2_quadratic(position), value, 1e-12), "{value}");
            last = position;
        }
    }

    #[test]
    fn equal_bounds_fold_low_values_whatever_the_order() {
        let values = [1e300, 1e-300, 1.0, 1e299, 1e280];
        let mut reversed = values;
        reversed.reverse();
        let sketch_a = sketch(0.01, &values);
        assert_eq!(sketch_a, sketch(0.01, &reversed));
        assert!(sketch_a.positive.counts.len() <= BINS_MAX);
        assert!(close(sketch_a.value_at(4), 1e300, 0.01));
        assert_eq!(sketch_a.count(), 5);
    }

    proptest! {
        #[test]
        fn every_rank_is_within_alpha(
            mut values in prop::collection::vec((-12.0f64..12.0, any::<bool>()).prop_map(|(e, s)| if s { 10f64.powf(e) } else { -(10f64.powf(e)) }), 1..300),
            zeros in 0usize..5,
            alpha in prop::sample::select(vec![0.001, 0.01, 0.02, 0.2]),
        ) {
            values.extend(std::iter::repeat_n(0.0, zeros));
            let sketch = sketch(alpha, &values);
            values.sort_by(f64::total_cmp);
            for (rank, exact) in values.iter().enumerate() {
                let estimate = sketch.value_at(rank as u64);
                prop_assert!(close(estimate, *exact, alpha), "rank {rank}: {estimate} for {exact}");
            }
        }

        #[test]
        fn merging_gives_the_sketch_of_all(values in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 0..100), cut in 0usize..100) {
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut merged = sketch(0.01, left);
            merged.merge(&sketch(0.01, right));
            let all = sketch(0.01, &values);
            prop_assert_eq!(merged.count(), all.count());
            for rank in 0..all.count() {
                prop_assert_eq!(merged.value_at(rank), all.value_at(rank));
            }
        }

        #[test]
        fn a_sketch_survives_its_bytes(values in prop::collection::vec(-1e6f64..1e6, 1..200)) {
            let sketch = sketch(0.01, &values);
            let mut out = Writer::default();
            sketch.save(&mut out);
            let bytes = out.finish();
            prop_assert_eq!(DdSketch::load(0.01, &mut Reader::new(&bytes)), Some(sketch));
        }
    }
}
