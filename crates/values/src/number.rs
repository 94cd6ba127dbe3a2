//! JSON numbers, exact where they fit.
//!
//! A [`Number`] is an exact decimal (an `i128` mantissa and up to 38 decimal places) or, beyond that, the nearest
//! `f64`. It takes 24 bytes, so that the state of a group stays small.

use std::cmp::Ordering;

use crate::number_text::{self, NumberError, Parsed};
use crate::powers::{SCALE_MAX, power_of_ten};

/// A JSON number: exact decimal or `f64`.
#[derive(Clone, Copy, Debug)]
pub struct Number(Repr);

/// The mantissa in halves, since an `i128` would align the whole to 16 bytes.
#[derive(Clone, Copy, Debug)]
enum Repr {
    Decimal { scale: u8, high: i64, low: u64 },
    Float(f64),
}

impl Number {
    pub const ZERO: Number = Number(Repr::Decimal { scale: 0, high: 0, low: 0 });

    /// `mantissa / 10^scale`.
    ///
    /// # Panics
    /// If `scale` is above 38.
    #[inline]
    #[must_use]
    pub fn decimal(mantissa: i128, scale: u8) -> Number {
        assert!(scale <= SCALE_MAX, "a decimal has at most {SCALE_MAX} places");
        Number(Repr::Decimal { scale, high: (mantissa >> 64) as i64, low: mantissa as u64 })
    }

    /// A float that need not be exact.
    #[inline]
    #[must_use]
    pub fn float(value: f64) -> Number {
        Number(Repr::Float(value))
    }

    /// Reads JSON number text.
    ///
    /// # Errors
    /// Text that is no JSON number, or one beyond the range of `f64`.
    #[inline]
    pub fn parse(text: &[u8]) -> Result<Number, NumberError> {
        match number_text::parse_short(text) {
            Some((mantissa, scale)) => {
                let high = if mantissa < 0 { -1 } else { 0 };
                Ok(Number(Repr::Decimal { scale, high, low: mantissa as u64 }))
            }
            None => number_text::parse_long(text).map(Number::from),
        }
    }

    /// Mantissa and scale of an exact number.
    #[inline]
    #[must_use]
    pub fn as_decimal(&self) -> Option<(i128, u8)> {
        match self.0 {
            Repr::Decimal { scale, high, low } => Some((i128::from(high) << 64 | i128::from(low), scale)),
            Repr::Float(_) => None,
        }
    }

    /// The nearest `f64`, correctly rounded.
    #[inline]
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        match self.0 {
            Repr::Float(value) => value,
            Repr::Decimal { scale, high, low } => {
                let short = low as i64;
                if high == short >> 63 && short.unsigned_abs() <= 1 << 53 && scale <= 22 {
                    // Both are exact in f64, so one division rounds once (Clinger 1990).
                    short as f64 / POWERS_F64[usize::from(scale)]
                } else {
                    number_text::decimal_to_f64(i128::from(high) << 64 | i128::from(low), scale)
                }
            }
        }
    }

    /// The number with its sign changed.
    #[must_use]
    pub fn negated(&self) -> Number {
        match self.as_decimal().and_then(|(mantissa, scale)| Some((mantissa.checked_neg()?, scale))) {
            Some((mantissa, scale)) => Number::decimal(mantissa, scale),
            None => Number::float(-self.to_f64()),
        }
    }

    /// Appends the shortest JSON text with this value: `3`, not `3.00`; an exponent only where f64 needs one.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.as_decimal() {
            Some((mantissa, scale)) => number_text::write_decimal(mantissa, scale, out),
            None => number_text::write_f64(self.to_f64(), out),
        }
    }
}

impl From<Number> for f64 {
    #[inline]
    fn from(number: Number) -> f64 {
        number.to_f64()
    }
}

impl From<Parsed> for Number {
    fn from(parsed: Parsed) -> Number {
        match parsed {
            Parsed::Decimal(mantissa, scale) => Number::decimal(mantissa, scale),
            Parsed::Float(value) => Number::float(value),
        }
    }
}

/// Two exact numbers compare exactly; with a float in it, as `f64`.
impl Ord for Number {
    #[inline]
    fn cmp(&self, other: &Number) -> Ordering {
        match (self.0, other.0) {
            (Repr::Decimal { scale: s1, high: h1, low: l1 }, Repr::Decimal { scale: s2, high: h2, low: l2 })
                if s1 == s2 =>
            {
                (h1, l1).cmp(&(h2, l2))
            }
            _ => self.cmp_slow(other),
        }
    }
}

impl Number {
    fn cmp_slow(&self, other: &Number) -> Ordering {
        match (self.as_decimal(), other.as_decimal()) {
            (Some(a), Some(b)) => cmp_decimals(a, b),
            // Adding zero makes -0 and 0 one.
            _ => (self.to_f64() + 0.0).total_cmp(&(other.to_f64() + 0.0)),
        }
    }
}

impl PartialOrd for Number {
    #[inline]
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

/// Whole parts first, then the fractions at a common 38 places, where they still fit.
fn cmp_decimals((m1, s1): (i128, u8), (m2, s2): (i128, u8)) -> Ordering {
    let split = |mantissa: i128, scale: u8| {
        let unit = power_of_ten(scale);
        (mantissa / unit, (mantissa % unit) * power_of_ten(SCALE_MAX - scale))
    };
    split(m1, s1).cmp(&split(m2, s2))
}

/// Exact in f64 up to 10^22.
static POWERS_F64: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_number_takes_24_bytes() {
        assert_eq!(size_of::<Number>(), 24);
    }

    #[test]
    fn decimals_of_different_scale_compare_exactly() {
        assert!(number("0.1") < number("0.10000000000000000000000000000000000001"));
        assert!(number("-0.1") > number("-0.10000000000000000000000000000000000001"));
        assert!(number("170141183460469231731687303715884105727") > number("1.5"));
        assert!(number("-170141183460469231731687303715884105727") < number("-1.5"));
        assert!(number("9007199254740993") > number("9007199254740992"));
        assert!(number("-0.5") < number("0.5"));
        assert_eq!(number("1.50"), number("1.5"));
        assert_eq!(number("-0"), number("0.0"));
        assert_eq!(number("1e2"), number("100"));
    }

    #[test]
    fn numbers_beyond_i128_compare_as_floats() {
        assert!(number("1e300") > number("170141183460469231731687303715884105727"));
        assert!(number("-1e300") < number("0"));
    }

    proptest! {
        #[test]
        fn comparison_agrees_with_wide_integers(a: i64, b: i64, s in 0u8..19, t in 0u8..19) {
            let left = i128::from(a) * power_of_ten(18 - s.min(18));
            let right = i128::from(b) * power_of_ten(18 - t.min(18));
            prop_assert_eq!(
                Number::decimal(a.into(), s.min(18)).cmp(&Number::decimal(b.into(), t.min(18))),
                left.cmp(&right)
            );
        }

        #[test]
        fn the_f64_is_correctly_rounded(mantissa: i128, scale in 0u8..39) {
            let expected: f64 = format!("{mantissa}e-{scale}").parse().unwrap();
            prop_assert_eq!(Number::decimal(mantissa, scale).to_f64(), expected);
        }

        #[test]
        fn the_f64_of_a_short_decimal_is_correctly_rounded(mantissa in -(1i64 << 54)..(1i64 << 54), scale in 0u8..39) {
            let expected: f64 = format!("{mantissa}e-{scale}").parse().unwrap();
            prop_assert_eq!(Number::decimal(mantissa.into(), scale).to_f64(), expected);
        }
    }
}
