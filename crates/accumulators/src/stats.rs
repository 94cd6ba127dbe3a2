//! Count, sum, extremes and spread of numbers.

use crate::sum::Sum;
use values::Number;

/// What count, sum, avg, min and max need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats {
    pub count: u64,
    pub sum: Sum,
    /// Of no meaning while the count is zero, as is `max`.
    pub min: Number,
    pub max: Number,
}

impl Default for Stats {
    fn default() -> Stats {
        Stats { count: 0, sum: Sum::default(), min: Number::ZERO, max: Number::ZERO }
    }
}

impl Stats {
    #[inline]
    pub fn add(&mut self, number: &Number) {
        if self.count == 0 {
            (self.min, self.max) = (*number, *number);
        } else if *number < self.min {
            self.min = *number;
        } else if *number > self.max {
            self.max = *number;
        }
        self.count += 1;
        self.sum.add(number);
    }

    /// Reads a little from each part: they may lie in two lines of the cache.
    #[inline]
    pub fn touch(&self) -> u64 {
        let parts = [self.min.as_decimal(), self.max.as_decimal(), self.sum.as_decimal()];
        parts.iter().fold(self.count, |all, part| all ^ u64::from(part.is_some()))
    }

    pub fn merge(&mut self, other: &Stats) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// Mean and sum of squared deviations (Welford 1962), merged as by Chan, Golub and LeVeque (1979).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Moments {
    pub mean: f64,
    pub squares: f64,
}

impl Moments {
    /// `count` includes the new value.
    #[inline]
    pub fn add(&mut self, value: f64, count: u64) {
        let delta = value - self.mean;
        self.mean += delta / count as f64;
        self.squares += delta * (value - self.mean);
    }

    /// `own` and `others` are the counts of both sides before the merge.
    pub fn merge(&mut self, own: u64, other: &Moments, others: u64) {
        if others == 0 {
            return;
        }
        if own == 0 {
            *self = *other;
            return;
        }
        let (own, others) = (own as f64, others as f64);
        let delta = other.mean - self.mean;
        self.mean += delta * others / (own + others);
        self.squares += other.squares + delta * delta * own * others / (own + others);
    }

    /// The variance of a sample.
    pub fn variance(&self, count: u64) -> Option<f64> {
        (count > 1).then(|| self.squares / (count - 1) as f64)
    }
}
