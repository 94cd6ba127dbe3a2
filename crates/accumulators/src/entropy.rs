//! How evenly values are spread over what they may be.

use crate::digits::rounded;
use crate::frequencies::Frequencies;

/// Digits of a result that mean something.
const DIGITS: usize = 15;

/// Shannon's entropy in bits: the sum of p · log2(1/p) over the different values, p being the part of all values that each
/// has. None without values.
///
/// Above the number of different values that are counted, those that are surely frequent have the counts that `top` shows, and
/// what is left is spread evenly over the other of the `distinct` values.
pub(crate) fn entropy(frequencies: &Frequencies, values: u64, distinct: u64) -> Option<f64> {
    let error = frequencies.error();
    let mut counts = frequencies.counts();
    // In an order of their own: a sum depends on it, and a map has none.
    counts.sort_unstable();
    counts.retain(|count| *count > error);
    counts.iter_mut().for_each(|count| *count += error);
    let counted: u64 = counts.iter().sum();
    let all = values.max(counted) as f64;
    let rest = values.saturating_sub(counted);
    let others = distinct.saturating_sub(counts.len() as u64).clamp(1, rest.max(1));
    let known = counts.iter().map(|count| *count as f64).map(|count| count / all * libm::log2(all / count));
    let known: f64 = known.sum();
    let spread = match rest {
        0 => 0.0,
        rest => rest as f64 / all * libm::log2(all * (others as f64 / rest as f64)),
    };
    (all > 0.0).then_some(rounded(known + spread, DIGITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distinct::Distinct;
    use crate::percentiles::DistinctBy;
    use crate::random::Random;
    use std::collections::BTreeMap;

    fn of(values: impl Iterator<Item = u64>) -> (Option<f64>, f64) {
        let (mut frequencies, mut distinct) = (Frequencies::default(), Distinct::default());
        let mut exact: BTreeMap<u64, u64> = BTreeMap::new();
        for value in values {
            frequencies.add(value.to_string().as_bytes(), 1);
            distinct.add(value.to_string().as_bytes(), DistinctBy::HyperLogLog);
            *exact.entry(value).or_default() += 1;
        }
        let all: u64 = exact.values().sum();
        let part = |count: &u64| *count as f64 / all as f64;
        let expected = exact.values().map(|count| part(count) * -part(count).log2()).sum();
        (entropy(&frequencies, all, distinct.estimate()), expected)
    }

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!(of([].into_iter()).0, None);
        assert_eq!(of([7, 7, 7].into_iter()).0, Some(0.0));
        assert_eq!(of([1, 2, 3, 4].into_iter()).0, Some(2.0));
        let (found, expected) = of((0..4_000).map(|n| n * n % 4_001));
        assert!((found.unwrap() / expected - 1.0).abs() < 1e-12);
    }

    #[test]
    fn of_many_different_values_it_is_near() {
        let mut random = Random::new(5);
        let skewed = (0..200_000).map(|_| match random.below(2) {
            0 => random.below(20),
            _ => 100 + random.below(50_000),
        });
        let (found, expected) = of(skewed);
        assert!((found.unwrap() / expected - 1.0).abs() < 0.03, "{found:?} for {expected}");
        let (found, expected) = of((0..100_000).map(|n| n % 30_000));
        assert!((found.unwrap() / expected - 1.0).abs() < 0.03, "{found:?} for {expected}");
        let mut random = Random::new(6);
        // The more frequent, the smaller: as words in a text.
        let (found, expected) = of((0..300_000).map(|_| 100_000 / (1 + random.below(100_000))));
        assert!((found.unwrap() / expected - 1.0).abs() < 0.03, "{found:?} for {expected}");
    }
}
