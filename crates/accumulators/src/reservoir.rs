//! Uniform samples of fixed size: Vitter's Algorithm R (ACM TOMS 1985), and a merge that stays uniform.

use crate::bytes::{Reader, Writer};
use crate::random::{Random, hash, mix};
use values::state_text::COUNT_MAX;

/// Up to `size` values, each subset of that size of all values seen being equally likely.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservoir {
    size: usize,
    seen: u64,
    sample: Vec<f64>,
    random: Random,
    /// Of all values seen; infinite while there is none.
    least: f64,
    largest: f64,
}

impl Reservoir {
    /// A sample that is all values so far. The values take part in the seed, lest groups of one run be sampled alike.
    ///
    /// # Panics
    /// If there are more values than `size`.
    #[must_use]
    pub fn of_all(size: usize, seed: u64, values: Vec<f64>) -> Reservoir {
        assert!(values.len() <= size, "a reservoir starts from values that fit");
        let fold = values.iter().fold(seed, |state, value| mix(state ^ value.to_bits()));
        let seen = values.len() as u64;
        let random = Random::new(mix(fold ^ hash(&seed.to_le_bytes())));
        let (least, largest) = ends(&values);
        Reservoir { size, seen, sample: values, random, least, largest }
    }

    pub fn add(&mut self, value: f64) {
        self.seen += 1;
        self.least = self.least.min(value);
        self.largest = self.largest.max(value);
        if self.sample.len() < self.size {
            self.sample.push(value);
            return;
        }
        let slot = self.random.below(self.seen);
        if let Ok(slot) = usize::try_from(slot)
            && slot < self.size
        {
            self.sample[slot] = value;
        }
    }

    /// Makes this a uniform sample of both populations: each draw goes to a side by what is left of its *population*,
    /// as if drawn from both without replacement. Drawing by the samples' sizes would favour the smaller population.
    pub fn merge(&mut self, other: &Reservoir) {
        let (mut left, mut right) = (std::mem::take(&mut self.sample), other.sample.clone());
        let (mut left_population, mut right_population) = (self.seen, other.seen);
        self.random.state = mix(self.random.state ^ mix(other.random.state));
        self.seen += other.seen;
        self.least = self.least.min(other.least);
        self.largest = self.largest.max(other.largest);
        while self.sample.len() < self.size && left_population + right_population > 0 {
            let from_left = self.random.below(left_population + right_population) < left_population;
            let (side, population) =
                if from_left { (&mut left, &mut left_population) } else { (&mut right, &mut right_population) };
            *population -= 1;
            let pick = self.random.below(side.len() as u64) as usize;
            self.sample.push(side.swap_remove(pick));
        }
    }

    #[must_use]
    pub fn sample(&self) -> &[f64] {
        &self.sample
    }

    /// Of all values, in the sample or not.
    #[must_use]
    pub fn least(&self) -> f64 {
        self.least
    }

    #[must_use]
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The ends come last: they are missing in states of before.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.u64(self.seen);
        out.u64(self.random.state);
        let ends = [self.least, self.largest];
        let ends = if self.sample.is_empty() { &[][..] } else { &ends };
        self.sample.iter().chain(ends).for_each(|value| out.f64(*value));
    }

    pub(crate) fn load(size: usize, input: &mut Reader<'_>) -> Option<Reservoir> {
        let (seen, state) = (input.u64()?, input.u64()?);
        let mut sample: Vec<f64> = (0..input.numbers_left()).map(|_| input.finite()).collect::<Option<_>>()?;
        let count = usize::try_from(seen).unwrap_or(usize::MAX).min(size);
        let (mut least, mut largest) = ends(&sample);
        if count > 0 && sample.len() == count + 2 {
            (largest, least) = (sample.pop()?, sample.pop()?);
        }
        let full = sample.len() == count && seen <= COUNT_MAX;
        full.then_some(Reservoir { size, seen, sample, random: Random::new(state), least, largest })
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POPULATION: usize = 40;
    const SIZE: usize = 10;
    const TRIALS: u64 = 20_000;

    /// Chi-square of how often each value was sampled, over its degrees of freedom: about 1 for a uniform sample.
    fn unevenness(mut draw: impl FnMut(u64) -> Vec<f64>) -> f64 {
        let mut hits = [0_u64; POPULATION];
        for seed in 0..TRIALS {
            draw(seed).iter().for_each(|value| hits[*value as usize] += 1);
        }
        let odds = SIZE as f64 / POPULATION as f64;
        let expected = TRIALS as f64 * odds;
        // Without replacement the variance is n·p·(1-p), and one degree is lost to the fixed total.
        let squares: f64 = hits.iter().map(|hit| (*hit as f64 - expected).powi(2)).sum();
        squares / (expected * (1.0 - odds)) / (POPULATION - 1) as f64
    }

    fn sampled(seed: u64, values: std::ops::Range<usize>) -> Reservoir {
        let mut reservoir = Reservoir::of_all(SIZE, seed, Vec::new());
        values.for_each(|value| reservoir.add(value as f64));
        reservoir
    }

    /// With 39 degrees of freedom, 2 is exceeded with odds of 2 in 10,000.
    const LIMIT: f64 = 2.0;

    #[test]
    fn every_value_is_as_likely_in_the_sample() {
        let unevenness = unevenness(|seed| sampled(seed, 0..POPULATION).sample);
        assert!(unevenness < LIMIT, "{unevenness}");
    }

    #[test]
    fn pairs_of_values_are_as_likely_too() {
        let mut both = [0_u32; 3];
        for seed in 0..TRIALS {
            let sample = sampled(seed, 0..POPULATION).sample;
            let has = |value: f64| sample.contains(&value);
            for (hits, pair) in both.iter_mut().zip([(0.0, 1.0), (0.0, 39.0), (38.0, 39.0)]) {
                *hits += u32::from(has(pair.0) && has(pair.1));
            }
        }
        let odds = 10.0 * 9.0 / (40.0 * 39.0);
        let (expected, deviation) = (20_000.0 * odds, (20_000.0_f64 * odds * (1.0 - odds)).sqrt());
        assert!(both.iter().all(|hits| (f64::from(*hits) - expected).abs() < 4.0 * deviation), "{both:?} {expected}");
    }

    #[test]
    fn a_merge_of_unequal_populations_stays_uniform() {
        for cut in [1, 5, 12, 20, 33] {
            let unevenness = unevenness(|seed| {
                let mut left = sampled(seed, 0..cut);
                left.merge(&sampled(mix(seed + 1_000_000), cut..POPULATION));
                left.sample
            });
            assert!(unevenness < LIMIT, "{cut}: {unevenness}");
        }
    }

    #[test]
    fn adding_after_a_merge_stays_uniform() {
        let unevenness = unevenness(|seed| {
            let mut left = sampled(seed, 0..12);
            left.merge(&sampled(mix(seed + 1_000_000), 12..30));
            (30..POPULATION).for_each(|value| left.add(value as f64));
            left.sample
        });
        assert!(unevenness < LIMIT, "{unevenness}");
    }

    #[test]
    fn the_proof_catches_a_merge_by_sample_size() {
        let unevenness = unevenness(|seed| {
            let (mut pool, mut random) = (sampled(seed, 0..12).sample, Random::new(seed));
            pool.extend(sampled(mix(seed + 1_000_000), 12..POPULATION).sample);
            (0..SIZE).map(|_| pool.swap_remove(random.below(pool.len() as u64) as usize)).collect()
        });
        assert!(unevenness > 10.0 * LIMIT, "{unevenness}");
    }

    #[test]
    fn the_proof_catches_a_sample_redrawn_from_sampled_values() {
        let unevenness = unevenness(|seed| {
            let mut random = Random::new(seed);
            let mut sample: Vec<f64> = (0..SIZE).map(|value| value as f64).collect();
            for block in (SIZE..POPULATION).step_by(SIZE) {
                sample.extend((block..block + SIZE).map(|value| value as f64));
                sample = (0..SIZE).map(|_| sample.swap_remove(random.below(sample.len() as u64) as usize)).collect();
            }
            sample
        });
        assert!(unevenness > 10.0 * LIMIT, "{unevenness}");
    }

    #[test]
    fn a_reservoir_goes_on_from_its_bytes_as_it_would_have() {
        let mut kept = sampled(7, 0..25);
        let mut out = Writer::default();
        kept.save(&mut out);
        let mut restored = Reservoir::load(SIZE, &mut Reader::new(&out.finish())).unwrap();
        (25..40).for_each(|value| {
            kept.add(value as f64);
            restored.add(value as f64);
        });
        assert_eq!(kept, restored);
    }
}
