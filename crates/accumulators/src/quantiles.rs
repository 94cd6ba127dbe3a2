//! Percentiles of the values of one field: exact while they are few, then by the chosen method.

use values::state_text::{StateReader, write_finite, write_items};

use crate::bytes::{Reader, Writer};
use crate::ddsketch::DdSketch;
use crate::digest::Digest;
use crate::interpolation::{estimated, of_sample, of_sketch, of_values};
use crate::percentiles::Percentiles;
use crate::ranks::Ranks;
use crate::reservoir::Reservoir;
use crate::settings::Settings;
use crate::spread::Spread;
use crate::state::{State, block};
use crate::value_text::save_bytes;

/// Room for the first values of a group: most groups that have one value get more.
const FIRST_CAPACITY: usize = 16;

/// Longer lists of values are saved as bytes: nobody reads them, and it is faster.
const SHOWN_VALUES_MAX: usize = 64;

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

    /// How far values lie apart; none if there are no values.
    pub(crate) fn spread(&self, ranks: &mut Ranks) -> Option<Spread> {
        match self {
            Quantiles::Values(values) => Spread::of_values(values, ranks),
            Quantiles::Reservoir(reservoir) => Spread::of_values(reservoir.sample(), ranks),
            Quantiles::DdSketch(sketch) => Some(Spread::of_sketch(sketch)),
            Quantiles::Digest(digest) => Spread::of_digest(digest),
        }
    }

    /// Reads a little from where the next value goes.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        match self {
            Quantiles::Values(values) => values.last().map_or(0, |value| value.to_bits()),
            _ => 0,
        }
    }

    /// The state as bytes, and what kind of state it is.
    fn to_bytes(&self) -> (&'static str, Vec<u8>) {
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
    fn from_bytes(kind: &str, bytes: &[u8], percentiles: Percentiles) -> Option<Quantiles> {
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

impl State for Quantiles {
    const MEMBER: &'static [u8] = b",\"quantiles\":";
    const NAME: &'static str = "quantiles";

    /// `[value,…]`, or `{"ddsketch":"…"}`, by the name of what the bytes are
    fn save(&self, out: &mut Vec<u8>) {
        match self {
            Quantiles::Values(values) if values.len() <= SHOWN_VALUES_MAX => {
                write_items(values, out, |value, out| write_finite(*value, out));
            }
            _ => {
                let (kind, bytes) = self.to_bytes();
                save_bytes(kind, &bytes, out);
            }
        }
    }

    fn load(from: &mut StateReader<'_>, settings: &Settings) -> Option<Quantiles> {
        if from.is_at(b'[') {
            let mut values = Vec::with_capacity(FIRST_CAPACITY);
            from.items(|from| {
                values.push(from.finite()?);
                Some(())
            })?;
            return (values.len() <= settings.percentiles.values_max()).then_some(Quantiles::Values(values));
        }
        from.literal(b"{")?;
        let kind = from.string()?;
        from.literal(b":")?;
        let bytes = from.base64()?;
        from.literal(b"}")?;
        Quantiles::from_bytes(str::from_utf8(&kind).ok()?, &bytes, settings.percentiles)
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Quantiles::Values(values) => block(values.capacity() * size_of::<f64>()),
            Quantiles::DdSketch(sketch) => block(size_of_val(&**sketch)) + block(sketch.heap_bytes()),
            Quantiles::Digest(digest) => block(size_of_val(&**digest)) + block(digest.heap_bytes()),
            Quantiles::Reservoir(reservoir) => {
                block(size_of_val(&**reservoir)) + block(size_of_val(reservoir.sample()))
            }
        }
    }
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
                    let (name, bytes) = quantiles.to_bytes();
                    let restored = Quantiles::from_bytes(name, &bytes, percentiles).unwrap();
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
            let (name, bytes) = kept.to_bytes();
            let mut restored = Quantiles::from_bytes(name, &bytes, percentiles).unwrap();
            for value in lognormal(more, 6) {
                kept.add(value, percentiles, 1);
                restored.add(value, percentiles, 1);
            }
            prop_assert_eq!(kept.to_bytes(), restored.to_bytes());
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
