//! The t-digest (Dunning, Ertl 2019) of the datasketches library, behind a buffer of our own.
//!
//! The library compresses its buffer whenever it is read or written out. Here it is fed whole buffers only, so that
//! neither a snapshot nor an early result changes what comes after.

use datasketches::tdigest::TDigestMut;

use crate::bytes::{Reader, Writer};
use values::state_text::COUNT_MAX;

/// Values held back until they are fed to the digest together.
const PENDING_MAX: usize = 512;

/// Quantiles by centroids, most exact towards both ends.
#[derive(Clone, Debug)]
pub struct Digest {
    digest: TDigestMut,
    pending: Vec<f64>,
}

impl Digest {
    /// An empty digest of about `2 × compression` centroids.
    #[must_use]
    pub fn new(compression: u16) -> Digest {
        let digest = TDigestMut::new(compression.max(10)).unwrap_or_default();
        Digest { digest, pending: Vec::new() }
    }

    pub fn add(&mut self, value: f64) {
        self.pending.push(value);
        if self.pending.len() >= PENDING_MAX {
            self.compress();
        }
    }

    fn compress(&mut self) {
        self.pending.drain(..).for_each(|value| self.digest.update(value));
        // Reading compresses, and there is no other way to ask for it.
        let _ = self.digest.quantile(0.5);
    }

    /// The library's part is about two centroids for each unit of compression, and a buffer of four times that.
    pub fn heap_bytes(&self) -> usize {
        self.pending.capacity() * size_of::<f64>()
            + usize::from(self.digest.k()) * 2 * 16
            + usize::from(self.digest.k()) * 8 * 8
    }

    pub fn merge(&mut self, other: &Digest) {
        self.digest.merge(&other.digest);
        other.pending.iter().for_each(|value| self.add(*value));
    }

    /// Values at `percents`, of all values added.
    #[must_use]
    pub fn percentiles(&self, percents: &[f64]) -> Vec<Option<f64>> {
        let mut all = self.clone();
        all.compress();
        percents.iter().map(|percent| all.digest.quantile(percent / 100.0).ok().flatten()).collect()
    }

    /// The distance from `middle` within which half of all values are.
    pub(crate) fn half_within(&self, middle: f64) -> Option<f64> {
        let mut all = self.clone();
        all.compress();
        let (least, largest) = (all.digest.min_value()?, all.digest.max_value()?);
        let mut below = |value: f64| all.digest.rank(value).ok().flatten();
        let (mut low, mut high) = (0.0, (middle - least).max(largest - middle));
        // As often as a double has bits.
        for _ in 0..64 {
            let distance = low + (high - low) / 2.0;
            match below(middle + distance)? - below(middle - distance)? >= 0.5 {
                true => high = distance,
                false => low = distance,
            }
        }
        Some(high)
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.bytes(&self.digest.clone().serialize());
        self.pending.iter().for_each(|value| out.f64(*value));
    }

    pub(crate) fn load(input: &mut Reader<'_>) -> Option<Digest> {
        let digest =
            TDigestMut::deserialize(input.bytes()?).ok().filter(|digest| digest.total_weight() <= COUNT_MAX)?;
        let pending = (0..input.numbers_left()).map(|_| input.finite()).collect::<Option<Vec<_>>>()?;
        (pending.len() < PENDING_MAX).then_some(Digest { digest, pending })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn filled(count: usize) -> Digest {
        let mut random = Random::new(3);
        let mut digest = Digest::new(200);
        (0..count).for_each(|_| digest.add((random.below(1_000_000) as f64 / 1e5).exp()));
        digest
    }

    #[test]
    fn a_digest_goes_on_from_its_bytes_as_it_would_have() {
        let mut kept = filled(7_001);
        let mut out = Writer::default();
        kept.save(&mut out);
        let mut restored = Digest::load(&mut Reader::new(&out.finish())).unwrap();
        for step in 0..3_000 {
            kept.add(f64::from(step));
            restored.add(f64::from(step));
        }
        let percents = [0.0, 1.0, 50.0, 99.0, 99.9, 100.0];
        assert_eq!(kept.percentiles(&percents), restored.percentiles(&percents));
    }

    #[test]
    fn reading_a_result_changes_nothing() {
        let (mut read, mut unread) = (filled(5_000), filled(5_000));
        let _ = read.percentiles(&[50.0]);
        (0..2_000).for_each(|step| {
            read.add(f64::from(step));
            unread.add(f64::from(step));
        });
        assert_eq!(read.percentiles(&[10.0, 99.0]), unread.percentiles(&[10.0, 99.0]));
    }

    #[test]
    fn high_percentiles_of_merged_digests_are_close() {
        let mut values: Vec<f64> = Vec::new();
        let mut merged = Digest::new(200);
        let mut random = Random::new(9);
        for _ in 0..10 {
            let mut part = Digest::new(200);
            for _ in 0..5_000 {
                let value = (random.below(1_000_000) as f64 / 2e5).exp();
                part.add(value);
                values.push(value);
            }
            merged.merge(&part);
        }
        values.sort_by(f64::total_cmp);
        for (percent, estimate) in [50.0, 90.0, 99.0, 99.9].iter().zip(merged.percentiles(&[50.0, 90.0, 99.0, 99.9])) {
            let exact = values[(percent / 100.0 * 49_999.0) as usize];
            let estimate = estimate.unwrap();
            assert!((estimate / exact - 1.0).abs() < 0.01, "p{percent}: {estimate} for {exact}");
        }
    }
}
