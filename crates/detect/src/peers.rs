//! What the peers of one time have in common.

/// The median absolute deviation of a normal distribution, times this, is its standard deviation; and the mean one.
const OF_MEDIAN: f64 = 1.4826;
const OF_MEAN: f64 = 1.2533;
/// 99 of 100 of a normal distribution are within so many standard deviations.
const WITHIN: f64 = 2.576;
/// The surprise for each deviation: 5.6 of them have a score of 0.65.
const SURPRISE: f64 = 0.4;
const SURPRISE_MAX: f64 = 30.0;

/// The middle of the numbers of one time, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peers {
    pub median: f64,
    /// As a standard deviation; 0 where all are equal.
    scale: f64,
}

impl Peers {
    /// Takes the numbers, in any order; none of none.
    pub fn of(numbers: &mut [f64]) -> Option<Self> {
        let median = middle(numbers)?;
        let count = numbers.len() as f64;
        numbers.iter_mut().for_each(|number| *number = half_apart(*number, median));
        // In order, so that the sum is the same however they came.
        let of_median = middle(numbers)?;
        let of_mean: f64 = numbers.iter().map(|half| half / count).sum();
        let half = if of_median > 0.0 { OF_MEDIAN * of_median } else { OF_MEAN * of_mean };
        Some(Self { median, scale: (2.0 * half).min(f64::MAX / 8.0) })
    }

    /// Returns how surprising a number is among them, in decades.
    pub fn surprise(&self, number: f64) -> f64 {
        let apart = 2.0 * half_apart(number, self.median).min(f64::MAX / 8.0);
        if self.scale > 0.0 { (SURPRISE * (apart / self.scale)).min(SURPRISE_MAX) } else { 0.0 }
    }

    /// Returns how far from the median 99 of 100 are.
    pub fn reach(&self) -> f64 {
        WITHIN * self.scale
    }
}

/// Half of the distance: the whole may leave the range of numbers.
fn half_apart(number: f64, median: f64) -> f64 {
    (number / 2.0 - median / 2.0).abs()
}

/// Sorts the numbers. Returns the one in the middle, or the middle of the two there.
fn middle(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    let lower = *numbers.get((numbers.len() - 1) / 2)?;
    Some(lower / 2.0 + upper / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_far_from_the_others_is_a_surprise() {
        let peers = Peers::of(&mut [10.0, 11.0, 9.0, 10.0, 30.0, 10.5, 9.5]).unwrap();
        assert_eq!(peers.median, 10.0);
        assert!(peers.surprise(30.0) > 5.0 && peers.surprise(11.0) < 1.0, "{peers:?}");
    }

    #[test]
    fn one_that_differs_where_all_others_are_equal_is_a_surprise() {
        let mut numbers = [5.0; 20];
        numbers[3] = 5.5;
        let peers = Peers::of(&mut numbers).unwrap();
        assert!(peers.surprise(5.5) > 3.0 && peers.surprise(5.0) == 0.0, "{peers:?}");
        assert_eq!(Peers::of(&mut [5.0; 20]).unwrap().surprise(5.0), 0.0);
    }

    #[test]
    fn the_largest_numbers_give_finite_results() {
        let peers = Peers::of(&mut [f64::MAX, f64::MIN, 0.0, f64::MAX]).unwrap();
        assert!(peers.surprise(f64::MIN).is_finite() && peers.reach().is_finite() && peers.median.is_finite());
        assert_eq!(Peers::of(&mut []), None);
    }
}
