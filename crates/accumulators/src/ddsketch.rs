//! DDSketch: quantiles within a relative error (Masson, Rim, Lee, VLDB 2019).
//!
//! Values fall into bins whose bounds grow by a constant factor, so that each bin's middle is within `alpha` of
//! everything in it. The logarithm is replaced by a piecewise quadratic one: no call into a maths library, hence the
//! same bins on every machine, for 8 % more of them. Which values share the lowest bin depends on the largest one
//! only, so a sketch is the same whatever the order of its values and however it was merged.

use crate::bins::Bins;
use crate::bytes::{Reader, Writer};
use values::state_text::COUNT_MAX;

/// Bins of each sign at `alpha` = 0.01 and above, covering 32 decimal orders of magnitude.
const BINS_MAX: usize = 4096;

/// Values whose bins are computed together.
const BLOCK: usize = 64;

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

    /// Adds many values: faster than one by one.
    pub fn extend(&mut self, values: &[f64]) {
        for block in values.chunks(BLOCK) {
            let (least, largest) = ends(block);
            if least >= f64::MIN_POSITIVE && self.positive.cover(self.bin_of(least), self.bin_of(largest)) {
                self.min = self.min.min(least);
                self.max = self.max.max(largest);
                let mut bins = [0; BLOCK];
                for (bin, value) in bins.iter_mut().zip(block) {
                    *bin = self.bin_of(*value);
                }
                self.positive.count(&bins[..block.len()]);
            } else {
                block.iter().for_each(|value| self.add(*value));
            }
        }
    }

    /// Makes the sketch empty, to be filled anew.
    pub fn clear(&mut self) {
        for bins in [&mut self.positive, &mut self.negative] {
            bins.counts.clear();
            (bins.first, bins.total) = (0, 0);
        }
        self.zeros = 0;
        (self.min, self.max) = (f64::INFINITY, f64::NEG_INFINITY);
    }

    #[inline]
    fn bin_of(&self, magnitude: f64) -> i32 {
        floor(log2_quadratic(magnitude) / self.width)
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

    /// The least or the largest value, which are known, if the rank is theirs.
    fn end_at(&self, rank: u64) -> Option<f64> {
        match rank {
            0 => Some(self.min),
            _ if rank + 1 >= self.count() => Some(self.max),
            _ => None,
        }
    }

    /// The value of 0-based `rank` in ascending order, within `alpha` of it; the first and the last one are exact.
    #[must_use]
    pub fn value_at(&self, rank: u64) -> f64 {
        if let Some(end) = self.end_at(rank) {
            return end;
        }
        let estimate = if rank < self.negative.total {
            -self.middle(self.negative.bin_at(self.negative.total - 1 - rank))
        } else if rank < self.negative.total + self.zeros {
            0.0
        } else {
            self.middle(self.positive.bin_at(rank - self.negative.total - self.zeros))
        };
        estimate.clamp(self.min, self.max)
    }

    /// For ranks that mostly ascend.
    pub fn reader(&self) -> RankReader<'_> {
        RankReader { sketch: self, slot: 0, before: 0, estimate: None }
    }

    /// What values are taken for, in ascending order, each with how many there are.
    pub(crate) fn values(&self) -> impl Iterator<Item = (f64, u64)> {
        let value_of = |bin: i32, sign: f64| (sign * self.middle(bin)).clamp(self.min, self.max);
        let negative = self.negative.filled().rev().map(move |(bin, count)| (value_of(bin, -1.0), count));
        let positive = self.positive.filled().map(move |(bin, count)| (value_of(bin, 1.0), count));
        let zeros = (self.zeros > 0).then_some((0.0, self.zeros));
        negative.chain(zeros).chain(positive)
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

/// Reads values at ranks, going on from the last one.
#[derive(Debug)]
pub struct RankReader<'a> {
    sketch: &'a DdSketch,
    /// A positive bin, how many positive values are below it, and what its values are taken for, once known.
    slot: usize,
    before: u64,
    estimate: Option<f64>,
}

impl RankReader<'_> {
    /// The same as [`DdSketch::value_at`].
    pub fn value_at(&mut self, rank: u64) -> f64 {
        let sketch = self.sketch;
        if let Some(end) = sketch.end_at(rank) {
            return end;
        }
        let Some(rank) = rank.checked_sub(sketch.negative.total + sketch.zeros) else { return sketch.value_at(rank) };
        if rank < self.before {
            *self = sketch.reader();
        }
        let counts = &sketch.positive.counts;
        while let Some(count) = counts.get(self.slot).filter(|count| self.before + *count <= rank) {
            (self.slot, self.before, self.estimate) = (self.slot + 1, self.before + count, None);
        }
        let slot = self.slot.min(counts.len().saturating_sub(1));
        let bin = sketch.positive.first + slot as i32;
        *self.estimate.get_or_insert_with(|| sketch.middle(bin).clamp(sketch.min, sketch.max))
    }
}

/// As `value.floor() as i32` for a value of ordinary size, without a call: processors from before 2008 have no
/// instruction for it.
#[inline]
fn floor(value: f64) -> i32 {
    /// Added to a number below 2^51, it leaves the nearest whole number in the lowest bits.
    const ROUND: f64 = (3_u64 << 51) as f64;
    let shifted = value + ROUND;
    let nearest = shifted - ROUND;
    shifted.to_bits() as i32 - i32::from(nearest > value)
}

/// The least and the largest of values, in four lanes, which do not wait for each other.
fn ends(values: &[f64]) -> (f64, f64) {
    let (mut least, mut largest) = ([f64::INFINITY; 4], [f64::NEG_INFINITY; 4]);
    let mut take = |lane: usize, value: f64| {
        least[lane] = if value < least[lane] { value } else { least[lane] };
        largest[lane] = if value > largest[lane] { value } else { largest[lane] };
    };
    let (fours, rest) = values.as_chunks::<4>();
    for four in fours {
        four.iter().enumerate().for_each(|(lane, value)| take(lane, *value));
    }
    rest.iter().for_each(|value| take(0, *value));
    (least.into_iter().fold(f64::INFINITY, f64::min), largest.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

/// A stand-in for log2: exponent plus a quadratic through both ends of the significand, increasing and continuous.
#[inline]
fn log2_quadratic(value: f64) -> f64 {
    const SIGNIFICAND: u64 = (1 << 52) - 1;
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let fraction = f64::from_bits((bits & SIGNIFICAND) | (1023 << 52)) - 1.0;
    exponent as f64 + fraction * (4.0 - fraction) / 3.0
}

/// The inverse of [`log2_quadratic`].
fn exp2_quadratic(position: f64) -> f64 {
    let exponent = floor(position);
    let fraction = 2.0 - (4.0 - 3.0 * (position - f64::from(exponent))).max(1.0).sqrt();
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
        fn many_values_together_give_the_same_sketch_as_one_by_one(
            lists in prop::collection::vec(prop_oneof![
                prop::collection::vec(1e-3..1e3, 0..200),
                prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 0..5),
                prop::collection::vec(prop::sample::select(vec![0.0, 1e-310, f64::MIN_POSITIVE, f64::MAX, -3.0]), 0..5),
            ], 0..8),
            alpha in prop::sample::select(vec![0.001, 0.01, 0.2]),
        ) {
            let mut together = sketch(alpha, &[5.0, -7.0, 0.0]);
            together.clear();
            lists.iter().for_each(|list| together.extend(list));
            prop_assert_eq!(together, sketch(alpha, &lists.concat()));
        }

        #[test]
        fn the_floor_is_that_of_the_library(value in prop_oneof![-1e6..1e6, -3.0..3.0], whole in -1_000_000i32..1_000_000) {
            prop_assert_eq!(floor(value), value.floor() as i32);
            for value in [f64::from(whole), f64::from(whole).next_down(), f64::from(whole).next_up(), f64::from(whole) + 0.5] {
                prop_assert_eq!(floor(value), value.floor() as i32, "{}", value);
            }
        }

        #[test]
        fn every_rank_is_within_alpha(
            mut values in prop::collection::vec((-12.0f64..12.0, any::<bool>()).prop_map(|(e, s)| if s { 10f64.powf(e) } else { -(10f64.powf(e)) }), 1..300),
            zeros in 0usize..5,
            alpha in prop::sample::select(vec![0.001, 0.01, 0.02, 0.2]),
        ) {
            values.extend(std::iter::repeat_n(0.0, zeros));
            let sketch = sketch(alpha, &values);
            values.sort_by(f64::total_cmp);
            let mut reader = sketch.reader();
            for rank in (0..values.len()).chain((0..values.len()).rev()) {
                prop_assert_eq!(reader.value_at(rank as u64).to_bits(), sketch.value_at(rank as u64).to_bits());
            }
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
