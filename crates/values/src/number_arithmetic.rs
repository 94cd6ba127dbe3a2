//! Differences, products and quotients of numbers: exact while they fit.

use crate::number::Number;
use crate::powers::{SCALE_MAX, power_of_ten};

impl Number {
    /// Returns the difference, exact if both numbers are and it fits; else the `f64`, which may be infinite.
    #[inline]
    #[must_use]
    pub fn minus(&self, other: &Number) -> Number {
        let exact = self.as_decimal().zip(other.as_decimal()).and_then(|(a, b)| {
            let (a, b, scale) = aligned(a, b)?;
            Some(Number::decimal(a.checked_sub(b)?, scale))
        });
        exact.unwrap_or_else(|| Number::float(self.to_f64() - other.to_f64()))
    }

    /// Returns the product, exact if both numbers are and it fits; else the `f64`, which may be infinite.
    #[inline]
    #[must_use]
    pub fn times(&self, other: &Number) -> Number {
        let exact = self.as_decimal().zip(other.as_decimal()).and_then(|((m1, s1), (m2, s2))| {
            let scale = (s1 + s2).min(SCALE_MAX + 1);
            if scale > SCALE_MAX { None } else { Some(Number::decimal(m1.checked_mul(m2)?, scale)) }
        });
        exact.unwrap_or_else(|| Number::float(self.to_f64() * other.to_f64()))
    }

    /// Returns the quotient, rounded once where both numbers are short; none by zero and beyond the range of `f64`.
    #[inline]
    #[must_use]
    pub fn over(&self, divisor: &Number) -> Option<f64> {
        const EXACT_MAX: u128 = 1 << 53;
        let short = self.as_decimal().zip(divisor.as_decimal()).and_then(|(a, b)| {
            let (a, b, _) = aligned(a, b)?;
            (a.unsigned_abs() <= EXACT_MAX && b.unsigned_abs() <= EXACT_MAX).then_some((a as f64, b as f64))
        });
        let (above, below) = short.unwrap_or_else(|| (self.to_f64(), divisor.to_f64()));
        // Adding zero makes -0 zero.
        Some(above / below + 0.0).filter(|quotient| below != 0.0 && quotient.is_finite())
    }
}

/// Both mantissas at the larger of the scales.
#[inline]
fn aligned((m1, s1): (i128, u8), (m2, s2): (i128, u8)) -> Option<(i128, i128, u8)> {
    if s1 == s2 {
        return Some((m1, m2, s1));
    }
    let scale = s1.max(s2);
    Some((m1.checked_mul(power_of_ten(scale - s1))?, m2.checked_mul(power_of_ten(scale - s2))?, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text.as_bytes()).unwrap()
    }

    fn text(number: Number) -> String {
        let mut out = Vec::new();
        number.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_have_no_noise() {
        assert_eq!(text(number("0.3").minus(&number("0.1"))), "0.2");
        assert_eq!(text(number("1e3").minus(&number("0.001"))), "999.999");
        assert_eq!(text(number("1.1").times(&number("1.1"))), "1.21");
        assert_eq!(number("0.3").over(&number("0.1")), Some(3.0));
        assert_eq!(number("0.07").over(&number("100")), Some(0.0007));
        assert_eq!((number("1").over(&number("0.0")), number("0").over(&number("-2"))), (None, Some(0.0)));
    }

    #[test]
    fn what_does_not_fit_is_a_float() {
        let huge = number("170141183460469231731687303715884105727");
        assert_eq!(text(huge.minus(&number("-1"))), text(Number::float(huge.to_f64() + 1.0)));
        assert_eq!(text(number("1e308").minus(&number("-1e308"))), "null");
        assert_eq!(text(number("1e20").times(&number("1e20"))), "1e40");
        assert_eq!(number("1e308").over(&number("1e-300")), None);
        assert_eq!(number("1e300").over(&number("2e300")), Some(0.5));
    }

    proptest! {
        #[test]
        fn they_agree_with_wide_integers(a: i64, b: i64, s in 0u8..10, t in 0u8..10) {
            let (left, right) = (Number::decimal(a.into(), s), Number::decimal(b.into(), t));
            let wide = i128::from(a) * power_of_ten(10 - s) - i128::from(b) * power_of_ten(10 - t);
            prop_assert_eq!(left.minus(&right), Number::decimal(wide, 10));
            prop_assert_eq!(left.times(&right), Number::decimal(i128::from(a) * i128::from(b), s + t));
            let expected = left.to_f64() / right.to_f64();
            prop_assert!(b == 0 || (left.over(&right).unwrap() - expected).abs() <= expected.abs() * 1e-15);
        }
    }
}
