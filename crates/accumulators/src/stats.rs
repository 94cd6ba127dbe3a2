//! Count, sum, extremes and spread of numbers.

use values::Number;
use values::state_text::{StateReader, write_exact, write_float, write_items, write_number};

use crate::settings::Settings;
use crate::state::State;
use crate::sum::Sum;

/// How many values there are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count(u64);

impl Count {
    pub fn get(self) -> u64 {
        self.0
    }

    #[inline]
    pub fn add(&mut self) {
        self.0 += 1;
    }

    /// Takes back a value; there must be one.
    pub fn take_back(&mut self) {
        self.0 -= 1;
    }

    pub fn merge(&mut self, other: &Count) {
        self.0 += other.0;
    }
}

impl State for Count {
    const MEMBER: &'static [u8] = b",\"counts\":";
    const NAME: &'static str = "counts";

    fn save(&self, out: &mut Vec<u8>) {
        write_number(self.0, out);
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Count> {
        from.count().map(Count)
    }
}

/// What count, sum, avg, min and max need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats {
    count: u64,
    sum: Sum,
    /// Of no meaning while the count is zero, as is `max`.
    min: Number,
    max: Number,
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

    /// Takes back a value that was added. The extremes stay.
    pub fn take_back(&mut self, number: &Number) {
        match self.count {
            0 | 1 => *self = Stats::default(),
            _ => {
                self.count -= 1;
                self.sum.add(&number.negated());
            }
        }
    }

    #[inline]
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn sum(&self) -> &Sum {
        &self.sum
    }

    /// The least value; of no meaning while there is none.
    pub fn min(&self) -> &Number {
        &self.min
    }

    /// The largest value; of no meaning while there is none.
    pub fn max(&self) -> &Number {
        &self.max
    }

    /// Whether a value is the least or the largest.
    pub fn has_extreme(&self, number: &Number) -> bool {
        self.count > 0 && (*number == self.min || *number == self.max)
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

impl State for Stats {
    const MEMBER: &'static [u8] = b",\"stats\":";
    const NAME: &'static str = "stats";

    /// `[count,sum,min,max]`, or `[0]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        if self.count > 0 {
            out.push(b',');
            self.sum.save(out);
            for number in [&self.min, &self.max] {
                out.push(b',');
                write_exact(number, out);
            }
        }
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Stats> {
        from.literal(b"[")?;
        let mut stats = Stats { count: from.count()?, ..Stats::default() };
        if stats.count > 0 {
            from.literal(b",")?;
            stats.sum = Sum::load(from)?;
            from.literal(b",")?;
            stats.min = from.exact()?;
            from.literal(b",")?;
            stats.max = from.exact()?;
        }
        from.literal(b"]")?;
        Some(stats)
    }
}

/// Mean and sum of squared deviations (Welford 1962), merged as by Chan, Golub and LeVeque (1979).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Moments {
    mean: f64,
    squares: f64,
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

impl State for Moments {
    const MEMBER: &'static [u8] = b",\"moments\":";
    const NAME: &'static str = "moments";

    /// `[mean,squares]`
    fn save(&self, out: &mut Vec<u8>) {
        write_items(&[self.mean, self.squares], out, |value, out| write_float(*value, out));
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Moments> {
        from.literal(b"[")?;
        let mean = from.float()?;
        from.literal(b",")?;
        let squares = from.float()?;
        from.literal(b"]")?;
        Some(Moments { mean, squares })
    }
}
