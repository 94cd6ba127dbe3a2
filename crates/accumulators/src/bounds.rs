//! What the buckets of a histogram are.

use std::fmt;
use std::sync::Arc;

use values::Number;

/// Most bounds of a histogram.
pub const BOUNDS_MAX: usize = 1_000;

/// The number of the bucket of 2^0 = 1: those of smaller powers are numbered down to 1, and 0 is that of zero.
const OF_ONE: i32 = 1_100;

/// The upper bounds of buckets, each of which has the values up to its bound and above the one before.
#[derive(Clone, Debug, PartialEq)]
pub enum Bounds {
    /// Powers of two, zero, and their negatives.
    Log2,
    /// Ascending; a last bucket has what is above all of them.
    Listed(Arc<[Number]>),
}

impl Bounds {
    /// Reads `log2`, or numbers with commas between them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Bounds> {
        if text == "log2" {
            return Some(Bounds::Log2);
        }
        let numbers = text.split(',').map(|number| Number::parse(number.trim().as_bytes()).ok());
        let numbers: Vec<Number> = numbers.collect::<Option<_>>()?;
        let ascend = numbers.windows(2).all(|pair| pair[0] < pair[1]);
        (ascend && numbers.len() <= BOUNDS_MAX).then(|| Bounds::Listed(numbers.into()))
    }

    /// The number of a value's bucket; they ascend as the values do.
    pub(crate) fn bucket_of(&self, number: &Number) -> i32 {
        match self {
            Bounds::Listed(bounds) => bounds.partition_point(|bound| bound < number) as i32,
            Bounds::Log2 => log2_bucket_of(number.to_f64()),
        }
    }

    /// How many buckets there are, all of which are results; none where only those with values are.
    pub(crate) fn buckets(&self) -> Option<usize> {
        match self {
            Bounds::Listed(bounds) => Some(bounds.len() + 1),
            Bounds::Log2 => None,
        }
    }

    /// The upper bound of a bucket; none where there is no number above it.
    pub(crate) fn upper(&self, bucket: i32) -> Option<Number> {
        match self {
            Bounds::Listed(bounds) => bounds.get(bucket as usize).copied(),
            Bounds::Log2 => {
                let power = libm::ldexp(1.0, bucket.saturating_abs() - OF_ONE);
                let bound = if bucket == 0 { 0.0 } else { power.copysign(f64::from(bucket)) };
                bound.is_finite().then(|| Number::float(bound))
            }
        }
    }
}

/// The power at or above a positive value; at or below the magnitude of a negative one, which is the bound above it.
fn log2_bucket_of(value: f64) -> i32 {
    if value == 0.0 {
        return 0;
    }
    // The magnitude is half of 2^exponent, or more.
    let (half, exponent) = libm::frexp(value.abs());
    match value > 0.0 {
        true => OF_ONE + exponent - i32::from(half == 0.5),
        false => -(OF_ONE + exponent - 1),
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds::Listed(bounds) = self else { return f.write_str("log2") };
        let mut text = Vec::new();
        for (at, bound) in bounds.iter().enumerate() {
            text.extend_from_slice(if at > 0 { b"," } else { b"" });
            bound.write(&mut text);
        }
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(bounds: &Bounds, value: f64) -> Option<f64> {
        let bucket = bounds.bucket_of(&Number::float(value));
        bounds.upper(bucket).map(|bound| bound.to_f64())
    }

    #[test]
    fn a_value_is_at_most_the_bound_of_its_bucket_and_above_the_one_before() {
        let bounds = Bounds::parse("-1,0,2.5").unwrap();
        let found = [-7.0, -1.0, -0.5, 0.0, 0.1, 2.5, 2.6].map(|value| upper(&bounds, value));
        assert_eq!(found, [Some(-1.0), Some(-1.0), Some(0.0), Some(0.0), Some(2.5), Some(2.5), None]);
    }

    #[test]
    fn powers_of_two_are_the_bounds_of_log2() {
        let of = |value| upper(&Bounds::Log2, value);
        assert_eq!([1.0, 1.1, 2.0, 3.0, 0.5, 0.3, 0.0].map(of), [1.0, 2.0, 2.0, 4.0, 0.5, 0.5, 0.0].map(Some));
        assert_eq!([-1.0, -1.1, -2.0, -3.0, -0.3].map(of), [-1.0, -1.0, -2.0, -2.0, -0.25].map(Some));
        assert_eq!([f64::MAX, -f64::MAX].map(of), [None, Some(-(2.0_f64.powi(1023)))]);
        assert_eq!(of(f64::from_bits(1)), Some(f64::from_bits(1)));
        assert_eq!(of(f64::MIN_POSITIVE), Some(f64::MIN_POSITIVE));
    }
}
