//! What is known of several values in their order, and how two of them are joined.
//!
//! Nothing is ever taken away from a digest: a window that moves joins digests of its parts anew (see `folds`). So sums do not
//! drift, and no variance is a difference of two large numbers.

use accumulators::Sum;
use values::Number;
use values::state_text::{StateReader, write_exact, write_float, write_items, write_number, write_signed};

/// A value and the time of its line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    pub time_ms: i64,
    pub number: Number,
}

/// Of values one after the other.
pub trait Digest: Clone {
    /// Of one value. Times are counted from `origin_ms`.
    fn of(entry: &Entry, origin_ms: i64) -> Self;

    /// Takes in what comes after it.
    fn join(&mut self, later: &Self);
}

impl Digest for Sum {
    #[inline]
    fn of(entry: &Entry, _: i64) -> Sum {
        let mut sum = Sum::default();
        sum.add(&entry.number);
        sum
    }

    #[inline]
    fn join(&mut self, later: &Sum) {
        self.merge(later);
    }
}

/// The least value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Least(pub Number);

impl Digest for Least {
    #[inline]
    fn of(entry: &Entry, _: i64) -> Least {
        Least(entry.number)
    }

    #[inline]
    fn join(&mut self, later: &Least) {
        self.0 = self.0.min(later.0);
    }
}

/// The largest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Most(pub Number);

impl Digest for Most {
    #[inline]
    fn of(entry: &Entry, _: i64) -> Most {
        Most(entry.number)
    }

    #[inline]
    fn join(&mut self, later: &Most) {
        self.0 = self.0.max(later.0);
    }
}

/// Mean and sum of squared deviations (Welford 1962), joined as by Chan, Golub and LeVeque (1979).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Digest for Moments {
    #[inline]
    fn of(entry: &Entry, _: i64) -> Moments {
        Moments { count: 1, mean: entry.number.to_f64(), squares: 0.0 }
    }

    #[inline]
    fn join(&mut self, later: &Moments) {
        let (own, others) = (self.count as f64, later.count as f64);
        let all = own + others;
        let step = later.mean - self.mean;
        self.mean += step * (others / all);
        self.squares += later.squares + step * step * (own * others / all);
        self.count += later.count;
    }
}

impl Moments {
    /// The variance of a sample; none of one value.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count - 1) as f64)
    }

    /// How many standard deviations a value lies above the mean; none where all values are equal, or the deviation is beyond the range of `f64`.
    pub fn zscore(&self, value: f64) -> Option<f64> {
        let deviation = libm::sqrt(self.variance()?);
        (deviation > 0.0 && deviation.is_finite()).then(|| (value - self.mean) / deviation)
    }

    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        for value in [self.mean, self.squares] {
            out.push(b',');
            write_float(value, out);
        }
        out.push(b']');
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Moments> {
        from.literal(b"[")?;
        let count = from.count()?;
        let [mean, squares] = floats(from)?;
        Some(Moments { count, mean, squares })
    }
}

/// The line of least squares of values over times: means, and sums of squared and of crossed deviations, joined in the same way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    count: u64,
    /// In milliseconds from the origin.
    time: f64,
    value: f64,
    times: f64,
    crossed: f64,
}

impl Digest for Line {
    #[inline]
    fn of(entry: &Entry, origin_ms: i64) -> Line {
        let time = entry.time_ms.saturating_sub(origin_ms) as f64;
        Line { count: 1, time, value: entry.number.to_f64(), times: 0.0, crossed: 0.0 }
    }

    #[inline]
    fn join(&mut self, later: &Line) {
        let (own, others) = (self.count as f64, later.count as f64);
        let all = own + others;
        let (time, value) = (later.time - self.time, later.value - self.value);
        let weight = own * others / all;
        self.times += later.times + time * time * weight;
        self.crossed += later.crossed + time * value * weight;
        self.time += time * (others / all);
        self.value += value * (others / all);
        self.count += later.count;
    }
}

impl Line {
    /// How much the line rises in a second; none where all times are equal.
    pub fn slope(&self) -> Option<f64> {
        (self.times > 0.0).then(|| self.crossed / self.times * 1000.0)
    }

    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        for value in [self.time, self.value, self.times, self.crossed] {
            out.push(b',');
            write_float(value, out);
        }
        out.push(b']');
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Line> {
        from.literal(b"[")?;
        let count = from.count()?;
        let [time, value, times, crossed] = floats(from)?;
        Some(Line { count, time, value, times, crossed })
    }
}

/// How much a counter grew: a value below the one before is one after a reset to zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Rise {
    count: u64,
    first: Entry,
    last: Entry,
    grown: Sum,
}

impl Digest for Rise {
    fn of(entry: &Entry, _: i64) -> Rise {
        Rise { count: 1, first: *entry, last: *entry, grown: Sum::default() }
    }

    fn join(&mut self, later: &Rise) {
        self.grown.add(&increase(&self.last.number, &later.first.number));
        self.grown.merge(&later.grown);
        self.last = later.last;
        self.count += later.count;
    }
}

/// By how much a counter grew from one value to the next.
#[inline]
pub fn increase(before: &Number, value: &Number) -> Number {
    if value < before { *value } else { value.minus(before) }
}

impl Rise {
    /// None of one value.
    pub fn grown(&self) -> Option<&Sum> {
        (self.count > 1).then_some(&self.grown)
    }

    /// Returns the growth for each second; none where there is no time between first and last.
    pub fn rate(&self) -> Option<f64> {
        let grown = match self.grown.as_decimal() {
            Some((mantissa, scale)) => Number::decimal(mantissa, scale),
            None => Number::float(self.grown.to_f64()),
        };
        per_second(&grown, self.last.time_ms.saturating_sub(self.first.time_ms))
    }

    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        out.push(b',');
        save_entry(&self.first, out);
        out.push(b',');
        save_entry(&self.last, out);
        out.push(b',');
        self.grown.save(out);
        out.push(b']');
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Rise> {
        from.literal(b"[")?;
        let count = from.count()?;
        from.literal(b",")?;
        let first = load_entry(from)?;
        from.literal(b",")?;
        let last = load_entry(from)?;
        from.literal(b",")?;
        let grown = Sum::load(from)?;
        from.literal(b"]")?;
        Some(Rise { count, first, last, grown })
    }
}

/// Returns a growth for each second of a time; none if that is zero.
#[inline]
pub fn per_second(grown: &Number, within_ms: i64) -> Option<f64> {
    const SECOND_MS: i128 = 1000;
    let rate = grown.times(&Number::decimal(SECOND_MS, 0)).over(&Number::decimal(within_ms.into(), 0));
    // So many in a thousand times as long may be beyond the range.
    let in_another_order = || grown.to_f64() / (within_ms as f64 / SECOND_MS as f64);
    rate.or_else(|| Some(in_another_order()).filter(|rate| rate.is_finite()))
}

/// Appends `time,number`.
pub fn save_entry(entry: &Entry, out: &mut Vec<u8>) {
    write_signed(entry.time_ms, out);
    out.push(b',');
    write_exact(&entry.number, out);
}

pub fn load_entry(from: &mut StateReader<'_>) -> Option<Entry> {
    let time_ms = from.signed()?;
    from.literal(b",")?;
    Some(Entry { time_ms, number: from.exact()? })
}

/// Appends `[float,float]`.
pub fn save_floats(values: &[f64], out: &mut Vec<u8>) {
    write_items(values, out, |value, out| write_float(*value, out));
}

/// Reads `,float,float]`.
pub fn floats<const N: usize>(from: &mut StateReader<'_>) -> Option<[f64; N]> {
    let mut values = [0.0; N];
    for value in &mut values {
        from.literal(b",")?;
        *value = from.float()?;
    }
    from.literal(b"]")?;
    Some(values)
}
