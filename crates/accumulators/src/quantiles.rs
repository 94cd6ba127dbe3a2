//! Percentiles of the values of one field: exact while they are few, then by the chosen method.

use crate::bytes::{Reader, Writer};
use crate::ddsketch::DdSketch;
use crate::digest::Digest;
use crate::digits::rounded;
use crate::percentiles::Percentiles;
use crate::ranks::Ranks;
use crate::reservoir::Reservoir;

/// The values of one field in one group.
#[derive(Clone, Debug)]
pub enum Quantiles {
    Values(Vec<f64>),
    DdSketch(Box<DdSketch>),
    Digest(Box<Digest>),
    Reservoir(Box<Reservoir>),
}

impl Default for Quantiles {
    fn default() -> Quantiles {
        Quantiles::Values(Vec::new())
    }
}

impl Quantiles {
    /// Whether one more value would be more than `exact` allows.
    #[must_use]
    pub fn is_full(&self, percentiles: Percentiles, more: usize) -> bool {
        matches!((self, percentiles), (Quantiles::Values(values), Percentiles::Exact(max)) if values.len() + more > max)
    }

    #[inline]
    pub fn add(&mut self, value: f64, percentiles: Percentiles, seed: u64) {
        match self {
            Quantiles::Values(values) if values.len() < percentiles.values_max() => {
                if values.capacity() == 0 {
                    values.reserve_exact(FIRST_CAPACITY.min(percentiles.values_max()));
                }
                values.push(value);
            }
            _ => self.add_large(value, percentiles, seed),
        }
    }

    fn add_large(&mut self, value: f64, percentiles: Percentiles, seed: u64) {
        match self {
            Quantiles::Values(_) => {
                self.condense(percentiles, seed);
                self.add_large(value, percentiles, seed);
            }
            Quantiles::DdSketch(sketch) => sketch.add(value),
            Quantiles::Digest(digest) => digest.add(value),
            Quantiles::Reservoir(reservoir) => reservoir.add(value),
        }
    }

    /// Turns plain values into what follows them. Sorted first, so that the order of values that came by different
    /// ways (slices, sessions) leaves no trace.
    fn condense(&mut self, percentiles: Percentiles, seed: u64) {
        let Quantiles::Values(values) = self else { return };
        let mut values = std::mem::take(values);
        if let Percentiles::DdSketch(alpha) = percentiles {
            let mut sketch = Box::new(DdSketch::new(alpha));
            sketch.extend(&values);
            *self = Quantiles::DdSketch(sketch);
            return;
        }
        values.sort_unstable_by(f64::total_cmp);
        *self = match percentiles {
            Percentiles::TDigest(compression) => {
                let mut digest = Box::new(Digest::new(compression));
                values.iter().for_each(|value| digest.add(*value));
                Quantiles::Digest(digest)
            }
            Percentiles::Reservoir(size) => Quantiles::Reservoir(Box::new(Reservoir::of_all(size, seed, values))),
            Percentiles::DdSketch(_) => unreachable!("a sketch is the same in any order"),
            Percentiles::Exact(_) => unreachable!("the limit of exact percentiles is checked before a value is added"),
        };
    }

    /// Adds another group's values. With `exact`, ask [`Quantiles::is_full`] before.
    pub fn merge(&mut self, other: &Quantiles, percentiles: Percentiles, seed: u64) {
        match (&mut *self, other) {
            (Quantiles::Values(own), Quantiles::Values(values))
                if own.len() + values.len() <= percentiles.values_max() =>
            {
                own.extend_from_slice(values);
            }
            (Quantiles::Values(own), _) if own.is_empty() => *self = other.clone(),
            (_, Quantiles::Values(values)) if values.is_empty() => {}
            _ => self.merge_large(other, percentiles, seed),
        }
    }

    fn merge_large(&mut self, other: &Quantiles, percentiles: Percentiles, seed: u64) {
        self.condense(percentiles, seed);
        match (&mut *self, other) {
            // The same bins as by way of a sketch of the other values.
            (Quantiles::DdSketch(own), Quantiles::Values(values)) => own.extend(values),
            (Quantiles::DdSketch(own), Quantiles::DdSketch(sketch)) => own.merge(sketch),
            (Quantiles::Digest(own), Quantiles::Digest(digest)) => own.merge(digest),
            (Quantiles::Reservoir(own), Quantiles::Reservoir(reservoir)) => own.merge(reservoir),
            (_, Quantiles::Values(_)) => {
                let mut other = other.clone();
                other.condense(percentiles, seed);
                self.merge_large(&other, percentiles, seed);
            }
            _ => unreachable!("groups of one plan use one kind of percentiles"),
        }
    }

    /// The values, while they are kept as they are.
    pub(crate) fn listed(&self) -> Option<&[f64]> {
        match self {
            Quantiles::Values(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn sketched(&self) -> Option<&DdSketch> {
        match self {
            Quantiles::DdSketch(sketch) => Some(sketch),
            _ => None,
        }
    }

    /// Appends the value at each of `percents`, with linear interpolation between the two nearest ranks; nothing if
    /// there are no values.
    pub fn percentiles(&self, percents: &[f64], ranks: &mut Ranks, results: &mut Vec<f64>) {
        match self {
            Quantiles::Values(values) => of_values(values, percents, ranks, results),
            Quantiles::Reservoir(reservoir) => of_sample(reservoir, percents, ranks, results),
            Quantiles::DdSketch(sketch) => of_sketch(percents, sketch, results),
            Quantiles::Digest(digest) => {
                let values = percents.iter().zip(digest.percentiles(percents));
                results.extend(values.filter_map(|(percent, value)| Some(estimated(*percent, value?))));
            }
        }
    }

    /// Plain values of a snapshot; none if there are more than may be.
    pub(crate) fn of_values(values: Vec<f64>, percentiles: Percentiles) -> Option<Quantiles> {
        (values.len() <= percentiles.values_max()).then_some(Quantiles::Values(values))
    }

    pub(crate) fn save(&self) -> (&'static str, Vec<u8>) {
        let mut out = Writer::default();
        let kind = match self {
            Quantiles::Values(values) => {
                values.iter().for_each(|value| out.f64(*value));
                "values"
            }
            Quantiles::DdSketch(sketch) => {
                sketch.save(&mut out);
                "ddsketch"
            }
            Quantiles::Digest(digest) => {
                digest.save(&mut out);
                "tdigest"
            }
            Quantiles::Reservoir(reservoir) => {
                reservoir.save(&mut out);
                "reservoir"
            }
        };
        (kind, out.finish())
    }

    /// `None` if the bytes are not such a state, or one of another kind of percentiles.
    pub(crate) fn load(kind: &str, bytes: &[u8], percentiles: Percentiles) -> Option<Quantiles> {
        let mut input = Reader::new(bytes);
        let state = match (kind, percentiles) {
            ("values", _) if input.numbers_left() <= percentiles.values_max() => {
                Quantiles::Values((0..input.numbers_left()).map(|_| input.finite()).collect::<Option<_>>()?)
            }
            ("ddsketch", Percentiles::DdSketch(alpha)) => {
                Quantiles::DdSketch(Box::new(DdSketch::load(alpha, &mut input)?))
            }
            ("tdigest", Percentiles::TDigest(_)) => Quantiles::Digest(Box::new(Digest::load(&mut input)?)),
            ("reservoir", Percentiles::Reservoir(size)) => {
                Quantiles::Reservoir(Box::new(Reservoir::load(size, &mut input)?))
            }
            _ => return None,
        };
        input.is_empty().then_some(state)
    }
}

/// The last digit of a computed double is noise: half way between 0.2 and 1.5 is 0.85, not 0.8500000000000001.
const INTERPOLATED_DIGITS: usize = 15;
/// A sketch is right to one in a hundred, a digest to one in a thousand.
const SKETCH_DIGITS: usize = 6;

/// Room for the first values of a group: most groups that have one value get more.
pub(crate) const FIRST_CAPACITY: usize = 16;

/// The percentiles of all values of a list.
pub(crate) fn of_values(values: &[f64], percents: &[f64], ranks: &mut Ranks, results: &mut Vec<f64>) {
    let count = values.len() as u64;
    if count == 0 {
        return;
    }
    ranks.settle(
        values,
        percents.iter().flat_map(|percent| {
            let (rank, part) = place(*percent, count);
            let next = (part > 0.0 && rank + 1 < count).then_some(rank as usize + 1);
            std::iter::once(rank as usize).chain(next)
        }),
    );
    results.extend(percents.iter().map(|percent| interpolated(*percent, count, |rank| ranks.value_at(rank as usize))));
}

fn of_sample(reservoir: &Reservoir, percents: &[f64], ranks: &mut Ranks, results: &mut Vec<f64>) {
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
fn estimated(percent: f64, value: f64) -> f64 {
    if percent <= 0.0 || percent >= 100.0 { value } else { rounded(value, SKETCH_DIGITS) }
}

/// The rank at or below a percentile, and how far it lies towards the next one.
fn place(percent: f64, count: u64) -> (u64, f64) {
    let position = percent * (count - 1) as f64 / 100.0;
    let rank = (position as u64).min(count - 1);
    (rank, position - rank as f64)
}

fn interpolated(percent: f64, count: u64, mut value_at: impl FnMut(u64) -> f64) -> f64 {
    let (rank, part) = place(percent, count);
    let low = value_at(rank);
    if part <= 0.0 || rank + 1 >= count {
        return low;
    }
    let high = value_at(rank + 1);
    let step = high - low;
    // The difference of two huge values overflows; their shares do not.
    let value = if step.is_finite() { low + step * part } else { low * (1.0 - part) + high * part };
    rounded(value, INTERPOLATED_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::percentiles::EXACT_VALUES;
    use crate::random::Random;
    use proptest::prelude::*;

    fn filled(percentiles: Percentiles, values: &[f64]) -> Quantiles {
        let mut quantiles = Quantiles::default();
        values.iter().for_each(|value| quantiles.add(*value, percentiles, 1));
        quantiles
    }

    fn at(quantiles: &Quantiles, percents: &[f64]) -> Vec<f64> {
        let mut results = Vec::new();
        quantiles.percentiles(percents, &mut Ranks::default(), &mut results);
        results
    }

    fn lognormal(count: usize, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        let mut uniform = || (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (0..count).map(|_| (3.0 + 0.8 * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0)).exp()).collect()
    }

    fn exact(values: &[f64], percent: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let position = percent * (sorted.len() - 1) as f64 / 100.0;
        let low = sorted[position as usize];
        let high = sorted[(position as usize + 1).min(sorted.len() - 1)];
        low + (high - low) * position.fract()
    }

    #[test]
    fn few_values_interpolate_linearly_as_sql_does() {
        let quantiles = filled(Percentiles::default(), &[4.0, 1.0, 2.0, 3.0]);
        assert_eq!(at(&quantiles, &[0.0, 25.0, 50.0, 90.0, 100.0]), [1.0, 1.75, 2.5, 3.7, 4.0]);
        assert_eq!(at(&filled(Percentiles::default(), &[7.0]), &[0.0, 99.0]), [7.0, 7.0]);
        assert_eq!(at(&Quantiles::default(), &[50.0]), Vec::<f64>::new());
    }

    #[test]
    fn the_sketch_takes_over_and_stays_within_one_percent() {
        for count in [EXACT_VALUES, EXACT_VALUES + 1, 5_000, 50_000] {
            let values = lognormal(count, 11);
            let quantiles = filled(Percentiles::default(), &values);
            assert_eq!(matches!(quantiles, Quantiles::Values(_)), count <= EXACT_VALUES);
            for percent in [0.0, 1.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0] {
                let (estimate, exact) = (at(&quantiles, &[percent])[0], exact(&values, percent));
                assert!((estimate / exact - 1.0).abs() <= 0.01, "{count} p{percent}: {estimate} for {exact}");
            }
        }
    }

    #[test]
    fn p0_and_p100_are_the_least_and_the_largest_value_in_every_kind() {
        for percentiles in KINDS {
            for count in [1, 50, EXACT_VALUES, EXACT_VALUES + 1, 5_000] {
                let mut values = lognormal(count, 3);
                values[count / 2] = 0.000_123_456_789_012_3;
                values[count / 3] = 12_345_678.901_234_5;
                let mut merged = filled(percentiles, &values[..count / 2]);
                merged.merge(&filled(percentiles, &values[count / 2..]), percentiles, 1);
                let expected = [exact(&values, 0.0), exact(&values, 100.0)];
                for quantiles in [filled(percentiles, &values), merged] {
                    assert_eq!(at(&quantiles, &[0.0, 100.0]), expected, "{percentiles} of {count}");
                    let (name, bytes) = quantiles.save();
                    let restored = Quantiles::load(name, &bytes, percentiles).unwrap();
                    assert_eq!(at(&restored, &[0.0, 100.0]), expected, "{percentiles} of {count}, restored");
                }
            }
        }
    }

    #[test]
    fn exact_percentiles_say_when_they_are_full() {
        let limit = Percentiles::Exact(3);
        assert!(!filled(limit, &[1.0, 2.0]).is_full(limit, 1));
        assert!(filled(limit, &[1.0, 2.0, 3.0]).is_full(limit, 1));
        assert!(!filled(Percentiles::DdSketch(0.01), &[1.0; 600]).is_full(Percentiles::DdSketch(0.01), 1));
    }

    const KINDS: [Percentiles; 4] = [
        Percentiles::DdSketch(0.01),
        Percentiles::TDigest(100),
        Percentiles::Exact(100_000),
        Percentiles::Reservoir(50),
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_state_survives_its_bytes_and_goes_on_the_same(count in 0usize..1500, more in 0usize..700, kind in 0usize..4) {
            let percentiles = KINDS[kind];
            let mut kept = filled(percentiles, &lognormal(count, 5));
            let (name, bytes) = kept.save();
            let mut restored = Quantiles::load(name, &bytes, percentiles).unwrap();
            for value in lognormal(more, 6) {
                kept.add(value, percentiles, 1);
                restored.add(value, percentiles, 1);
            }
            prop_assert_eq!(kept.save(), restored.save());
            prop_assert_eq!(at(&kept, &[1.0, 50.0, 99.0]), at(&restored, &[1.0, 50.0, 99.0]));
        }

        #[test]
        fn merged_exact_values_and_sketches_equal_those_of_all(count in 0usize..1500, cut in 0usize..1500, kind in prop::sample::select(vec![0usize, 2])) {
            let percentiles = KINDS[kind];
            let values = lognormal(count, 5);
            let (left, right) = values.split_at(cut.min(count));
            let mut merged = filled(percentiles, left);
            merged.merge(&filled(percentiles, right), percentiles, 1);
            let percents = [0.0, 10.0, 50.0, 99.0, 100.0];
            prop_assert_eq!(at(&merged, &percents), at(&filled(percentiles, &values), &percents));
        }

        #[test]
        fn merged_samples_hold_values_of_both(left in 0usize..200, right in 0usize..200) {
            let percentiles = Percentiles::Reservoir(50);
            let mut merged = filled(percentiles, &vec![1.0; left]);
            merged.merge(&filled(percentiles, &vec![2.0; right]), percentiles, 1);
            let size = match &merged {
                Quantiles::Values(values) => values.len(),
                Quantiles::Reservoir(reservoir) => reservoir.sample().len(),
                _ => 0,
            };
            prop_assert_eq!(size, (left + right).min(50));
        }
    }
}
