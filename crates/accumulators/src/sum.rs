//! Sums: exact while an `i128` holds them, compensated floats beyond.

use values::state_text::{DecimalOrFloat, StateReader, write_decimal, write_float, write_items};
use values::{Number, power_of_ten, write_f64};

/// A sum of numbers. Exact numbers add exactly in any order; once a float or an overflow comes in, the sum goes on
/// in `f64` with Neumaier's compensation (Neumaier 1974), whose error does not grow with the number of values. While such a sum is
/// beyond the range of `f64`, it is kept smaller by a power of two, so that it may come back, and has an average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum(Repr);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Repr {
    Exact {
        scale: u8,
        high: i64,
        low: u64,
    },
    Compensated {
        sum: f64,
        compensation: f64,
    },
    /// The same, both times [`SMALLER`].
    Scaled {
        sum: f64,
        compensation: f64,
    },
}

/// 2^-64, by which no number loses a digit that counts beside the largest ones; it takes 2^63 of those to overflow again.
const SMALLER: f64 = 1.0 / 18_446_744_073_709_551_616.0;

impl Default for Sum {
    fn default() -> Sum {
        Sum::exact(0, 0)
    }
}

impl Sum {
    fn exact(mantissa: i128, scale: u8) -> Sum {
        Sum(Repr::Exact { scale, high: (mantissa >> 64) as i64, low: mantissa as u64 })
    }

    fn compensated(sum: f64, compensation: f64) -> Sum {
        Sum(Repr::Compensated { sum, compensation })
    }

    fn scaled(sum: f64, compensation: f64) -> Sum {
        Sum(Repr::Scaled { sum, compensation })
    }

    /// Mantissa and scale, as long as the sum is exact.
    #[must_use]
    pub fn as_decimal(&self) -> Option<(i128, u8)> {
        match self.0 {
            Repr::Exact { scale, high, low } => Some((i128::from(high) << 64 | i128::from(low), scale)),
            Repr::Compensated { .. } | Repr::Scaled { .. } => None,
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        matches!(self.0, Repr::Exact { .. })
    }

    #[inline]
    pub fn add(&mut self, number: &Number) {
        match (self.as_decimal(), number.as_decimal()) {
            (Some((sum, scale)), Some((mantissa, places))) => self.add_decimal(sum, scale, mantissa, places),
            _ => self.add_float(number.to_f64()),
        }
    }

    /// Adds what another sum holds.
    pub fn merge(&mut self, other: &Sum) {
        match other.0 {
            Repr::Exact { .. } => {
                let (mantissa, scale) = other.as_decimal().unwrap_or_default();
                self.add(&Number::decimal(mantissa, scale));
            }
            Repr::Compensated { sum, compensation } => {
                self.add_float(sum);
                self.compensate(compensation);
            }
            Repr::Scaled { sum, compensation } => self.add_scaled(sum, compensation),
        }
    }

    #[inline]
    fn add_decimal(&mut self, sum: i128, scale: u8, mantissa: i128, places: u8) {
        let total = if scale == places {
            sum.checked_add(mantissa).map(|total| (total, scale))
        } else {
            add_scaled((sum, scale), (mantissa, places))
        };
        match total {
            Some((total, scale)) => *self = Sum::exact(total, scale),
            None => self.add_float(Number::decimal(mantissa, places).to_f64()),
        }
    }

    fn add_float(&mut self, value: f64) {
        let (sum, compensation) = match self.0 {
            Repr::Compensated { sum, compensation } => (sum, compensation),
            Repr::Exact { .. } => (self.to_f64(), 0.0),
            Repr::Scaled { .. } => return self.add_scaled(value * SMALLER, 0.0),
        };
        let total = sum + value;
        if !total.is_finite() {
            return self.add_scaled(value * SMALLER, 0.0);
        }
        *self = Sum::compensated(total, compensation + lost(sum, value, total));
    }

    /// Adds what is smaller than it should be.
    #[cold]
    fn add_scaled(&mut self, value: f64, more: f64) {
        let (sum, compensation) = match self.0 {
            Repr::Scaled { sum, compensation } => (sum, compensation),
            Repr::Compensated { sum, compensation } => (sum * SMALLER, compensation * SMALLER),
            Repr::Exact { .. } => (self.to_f64() * SMALLER, 0.0),
        };
        let total = sum + value;
        let compensation = compensation + lost(sum, value, total) + more;
        let (back, back_compensation) = (total / SMALLER, compensation / SMALLER);
        *self = match (back + back_compensation).is_finite() && back.is_finite() {
            true => Sum::compensated(back, back_compensation),
            false => Sum::scaled(total, compensation),
        };
    }

    fn compensate(&mut self, more: f64) {
        match &mut self.0 {
            Repr::Compensated { compensation, .. } => *compensation += more,
            Repr::Scaled { compensation, .. } => *compensation += more * SMALLER,
            Repr::Exact { .. } => {}
        }
    }

    /// The nearest `f64`; infinite when it is beyond the range of those.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.quotient(1.0)
    }

    /// The sum divided by a number, rounded twice at most.
    #[must_use]
    pub fn quotient(&self, divisor: f64) -> f64 {
        match self.0 {
            Repr::Compensated { sum, compensation } if (sum + compensation).is_finite() => {
                (sum + compensation) / divisor
            }
            Repr::Compensated { sum, .. } => sum / divisor,
            Repr::Scaled { sum, compensation } => (sum + compensation) / divisor / SMALLER,
            Repr::Exact { .. } => {
                let (mantissa, scale) = self.as_decimal().unwrap_or_default();
                Number::decimal(mantissa, scale).to_f64() / divisor
            }
        }
    }

    /// The sum divided by `count`, rounded once where both fit in 53 bits.
    #[must_use]
    pub fn divided_by(&self, count: u64) -> f64 {
        const EXACT_MAX: i128 = 1 << 53;
        if let Some((mantissa, scale)) = self.as_decimal()
            && let Some(divisor) = power_of_ten(scale).checked_mul(i128::from(count))
            && mantissa.abs() <= EXACT_MAX
            && divisor <= EXACT_MAX
        {
            return mantissa as f64 / divisor as f64;
        }
        self.quotient(count as f64)
    }

    /// Appends the sum as a JSON number; null when it left the range of `f64`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.as_decimal() {
            Some((mantissa, scale)) => Number::decimal(mantissa, scale).write(out),
            None => write_f64(self.to_f64(), out),
        }
    }

    /// Appends the sum as text: a decimal, or `[sum,compensation]`, with a third number if both are smaller than they
    /// should be.
    pub fn save(&self, out: &mut Vec<u8>) {
        let write = |values: &[f64], out: &mut Vec<u8>| write_items(values, out, |value, out| write_float(*value, out));
        match self.0 {
            Repr::Exact { .. } => write_decimal(self.as_decimal().unwrap_or_default(), out),
            Repr::Compensated { sum, compensation } => write(&[sum, compensation], out),
            Repr::Scaled { sum, compensation } => write(&[sum, compensation, 1.0], out),
        }
    }

    /// Reads what `save` wrote; none if it is something else.
    #[must_use]
    pub fn load(from: &mut StateReader<'_>) -> Option<Sum> {
        if from.literal(b"[").is_none() {
            return match from.decimal_or_float()? {
                DecimalOrFloat::Decimal(mantissa, scale) => Some(Sum::exact(mantissa, scale)),
                DecimalOrFloat::Float(_) => None,
            };
        }
        let sum = from.float()?;
        from.literal(b",")?;
        let compensation = from.float()?;
        let is_scaled = from.literal(b",").is_some();
        if is_scaled {
            from.float()?;
        }
        from.literal(b"]")?;
        Some(if is_scaled { Sum::scaled(sum, compensation) } else { Sum::compensated(sum, compensation) })
    }
}

/// What `total`, the sum of the two, has lost of the smaller one.
#[inline]
fn lost(sum: f64, value: f64, total: f64) -> f64 {
    if sum.abs() >= value.abs() { (sum - total) + value } else { (value - total) + sum }
}

/// The sum of two decimals at the larger of their scales, if it fits.
fn add_scaled((m1, s1): (i128, u8), (m2, s2): (i128, u8)) -> Option<(i128, u8)> {
    let scale = s1.max(s2);
    let left = m1.checked_mul(power_of_ten(scale - s1))?;
    let right = m2.checked_mul(power_of_ten(scale - s2))?;
    Some((left.checked_add(right)?, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(texts: &[&str]) -> Sum {
        let mut sum = Sum::default();
        texts.iter().for_each(|text| sum.add(&Number::parse(text.as_bytes()).unwrap()));
        sum
    }

    fn text(sum: &Sum) -> String {
        let mut out = Vec::new();
        sum.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers_beyond_2_to_the_53_add_exactly() {
        assert_eq!(text(&sum(&["9007199254740993", "1", "9223372036854775807"])), "9232379236109516801");
    }

    #[test]
    fn tenths_add_exactly() {
        assert_eq!(text(&sum(&["0.1"; 10])), "1");
        assert_eq!(text(&sum(&["0.1", "0.02", "3"])), "3.12");
    }

    #[test]
    fn floats_add_with_compensation() {
        assert_eq!(sum(&["1e100", "1", "-1e100"]).to_f64(), 1.0);
        assert_eq!(sum(&["1", "1e100", "1", "-1e100"]).to_f64(), 2.0);
    }

    #[test]
    fn a_sum_that_overflows_i128_goes_on_in_f64() {
        let huge = "170141183460469231731687303715884105727";
        assert_eq!(sum(&[huge, huge]).to_f64(), 2.0 * 170141183460469231731687303715884105727.0);
    }

    #[test]
    fn a_sum_beyond_f64_is_null() {
        assert_eq!(text(&sum(&["1.7e308", "1.7e308"])), "null");
    }

    #[test]
    fn a_sum_that_overflows_in_between_is_the_same_in_any_order() {
        let permutations: [[&str; 3]; 3] =
            [["1e308", "1e308", "-1e308"], ["1e308", "-1e308", "1e308"], ["-1e308", "1e308", "1e308"]];
        for texts in permutations {
            assert_eq!(text(&sum(&texts)), "1e308", "{texts:?}");
        }
        assert_eq!(sum(&["1e308", "1e308", "17", "-1e308", "-1e308"]).to_f64(), 17.0);
        let all = [["1.7e308"; 100], ["-1.7e308"; 100]].concat();
        assert_eq!(sum(&all).to_f64(), 0.0);
    }

    #[test]
    fn an_average_is_in_range_when_the_values_are() {
        assert_eq!(sum(&["1e308", "1e308"]).divided_by(2), 1e308);
        assert!((sum(&["-1.7e308"; 3]).divided_by(3) / -1.7e308 - 1.0).abs() < 1e-15);
        assert_eq!(sum(&["1e308", "1e308"]).quotient(4.0), 5e307);
    }

    #[test]
    fn a_quotient_is_rounded_once() {
        assert_eq!(sum(&["0.1", "0.2"]).divided_by(2), 0.15);
        assert_eq!(sum(&["1", "2"]).divided_by(2), 1.5);
        assert_eq!(sum(&["9007199254740993", "9007199254740995"]).divided_by(2), 9007199254740994.0);
    }

    #[test]
    fn a_sum_takes_24_bytes() {
        assert_eq!(size_of::<Sum>(), 24);
    }

    proptest! {
        #[test]
        fn exact_sums_merge_to_the_sum_of_all(values in prop::collection::vec((any::<i64>(), 0u8..19), 0..50), cut in 0usize..50) {
            let numbers: Vec<Number> = values.iter().map(|(m, s)| Number::decimal((*m).into(), *s)).collect();
            let mut all = Sum::default();
            numbers.iter().for_each(|n| all.add(n));
            let (left, right) = numbers.split_at(cut.min(numbers.len()));
            let (mut a, mut b) = (Sum::default(), Sum::default());
            left.iter().for_each(|n| a.add(n));
            right.iter().for_each(|n| b.add(n));
            b.merge(&a);
            prop_assert_eq!(text(&b), text(&all));
            let wide: i128 = values.iter().map(|(m, s)| i128::from(*m) * power_of_ten(18 - s)).sum();
            prop_assert_eq!(text(&all), text(&Sum::exact(wide, 18)));
        }

        #[test]
        fn sums_near_the_end_of_the_range_merge_to_the_sum_of_all(signs in prop::collection::vec(-3i32..4, 0..40), cut in 0usize..40) {
            let numbers: Vec<Number> = signs.iter().map(|sign| Number::float(f64::from(*sign) * 5e307)).collect();
            let (left, right) = numbers.split_at(cut.min(numbers.len()));
            let (mut a, mut b) = (Sum::default(), Sum::default());
            left.iter().for_each(|n| a.add(n));
            right.iter().for_each(|n| b.add(n));
            b.merge(&a);
            // In units of 5e307, which are exact.
            let expected: i32 = signs.iter().sum();
            let count = numbers.len().max(1) as f64;
            prop_assert!((b.quotient(count) / 5e307 - f64::from(expected) / count).abs() < 1e-9);
            prop_assert_eq!(b.to_f64().is_finite(), expected.abs() < 4);
        }

        #[test]
        fn compensated_sums_are_as_good_as_wide_integers(values in prop::collection::vec(-1e15f64..1e15, 1..200)) {
            let mut sum = Sum::compensated(0.0, 0.0);
            values.iter().for_each(|value| sum.add(&Number::float(*value)));
            // Values below 2^50 scaled by 2^60 are whole numbers: an exact reference.
            let exact: i128 = values.iter().map(|value| (value * (1u64 << 60) as f64) as i128).sum();
            let expected = exact as f64 / (1u64 << 60) as f64;
            prop_assert!((sum.to_f64() - expected).abs() <= expected.abs() * 1e-15 + 1e-9);
        }
    }
}
