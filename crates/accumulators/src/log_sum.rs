//! Geometric means.

use values::state_text::DecimalOrFloat;
use values::state_text::{StateReader, write_decimal, write_number, write_signed};

use crate::digits::rounded;
use crate::settings::Settings;
use crate::state::State;

/// Digits of a result that mean something.
const DIGITS: usize = 15;

/// Units of a logarithm in one.
const UNITS: f64 = 18_446_744_073_709_551_616.0;

/// A sum of logarithms of positive numbers. Each number is a half or more, below one, times a power of two: powers and
/// logarithms of the rest are added as whole numbers, so that the sum is the same in any order, and values can be taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogSum {
    count: u64,
    zeros: u64,
    negatives: u64,
    exponents: i64,
    /// In 2^-64, the halves of an `i128`, which would align all to 16 bytes.
    high: i64,
    low: u64,
}

impl LogSum {
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.change(value, 1);
    }

    /// Takes back a value that was added.
    pub fn take_back(&mut self, value: f64) {
        self.count = self.count.saturating_sub(1);
        self.change(value, -1);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn merge(&mut self, other: &LogSum) {
        self.count += other.count;
        self.zeros += other.zeros;
        self.negatives += other.negatives;
        self.exponents += other.exponents;
        self.set_units(self.units().saturating_add(other.units()));
    }

    /// None without values, and with a negative one.
    pub fn mean(&self) -> Option<f64> {
        if self.count == 0 || self.negatives > 0 {
            return None;
        }
        if self.zeros > 0 {
            return Some(0.0);
        }
        let count = self.count as i64;
        let (whole, rest) = (self.exponents.div_euclid(count), self.exponents.rem_euclid(count));
        let rest = rest as f64 / count as f64 * std::f64::consts::LN_2;
        let mean = libm::exp(self.units() as f64 / UNITS / count as f64 + rest);
        Some(rounded(libm::ldexp(mean, whole as i32), DIGITS))
    }

    fn change(&mut self, value: f64, by: i64) {
        if value == 0.0 {
            self.zeros = self.zeros.saturating_add_signed(by);
        } else if value < 0.0 {
            self.negatives = self.negatives.saturating_add_signed(by);
        } else {
            let (part, exponent) = libm::frexp(value);
            self.exponents += i64::from(exponent) * by;
            let units = (libm::log(part) * UNITS) as i128 * i128::from(by);
            self.set_units(self.units().saturating_add(units));
        }
    }

    fn units(&self) -> i128 {
        i128::from(self.high) << 64 | i128::from(self.low)
    }

    fn set_units(&mut self, units: i128) {
        (self.high, self.low) = ((units >> 64) as i64, units as u64);
    }
}

impl State for LogSum {
    const MEMBER: &'static [u8] = b",\"logs\":";
    const NAME: &'static str = "sums of logarithms";

    /// `[count,zeros,negatives,exponents,units]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for count in [self.count, self.zeros, self.negatives] {
            write_number(count, out);
            out.push(b',');
        }
        write_signed(self.exponents, out);
        out.push(b',');
        write_decimal((self.units(), 0), out);
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<LogSum> {
        from.literal(b"[")?;
        let mut count = || {
            let count = from.count()?;
            from.literal(b",").map(|()| count)
        };
        let (count, zeros, negatives) = (count()?, count()?, count()?);
        let exponents = from.signed()?;
        from.literal(b",")?;
        let DecimalOrFloat::Decimal(units, 0) = from.decimal_or_float()? else { return None };
        from.literal(b"]")?;
        let mut sum = LogSum { count, zeros, negatives, exponents, ..LogSum::default() };
        sum.set_units(units);
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> LogSum {
        let mut all = LogSum::default();
        values.iter().for_each(|value| all.add(*value));
        all
    }

    #[test]
    fn geometric_means_have_no_noise() {
        assert_eq!(of(&[2.0, 8.0]).mean(), Some(4.0));
        assert_eq!(of(&[10.0, 1000.0]).mean(), Some(100.0));
        assert_eq!(of(&[1.0, 10.0, 100.0, 1000.0, 10_000.0]).mean(), Some(100.0));
        assert_eq!(of(&[7.0; 1000]).mean(), Some(7.0));
        assert!((of(&[f64::MAX; 3]).mean().unwrap() / f64::MAX - 1.0).abs() < 1e-14);
        assert_eq!(of(&[f64::from_bits(1), 2.0_f64.powi(1022)]).mean(), Some(2.0_f64.powi(-26)));
    }

    #[test]
    fn a_zero_makes_it_zero_and_a_negative_value_none() {
        assert_eq!(of(&[]).mean(), None);
        assert_eq!(of(&[0.0, 3.0]).mean(), Some(0.0));
        assert_eq!(of(&[0.0, 3.0, -1.0]).mean(), None);
    }

    proptest! {
        #[test]
        fn what_is_taken_back_leaves_no_trace(values in prop::collection::vec(-1.0..1e12, 0..40), kept in 0usize..40) {
            let kept = kept.min(values.len());
            let mut all = of(&values);
            values[kept..].iter().for_each(|value| all.take_back(*value));
            prop_assert_eq!(all, of(&values[..kept]));
            let mut merged = of(&values[kept..]);
            merged.merge(&all);
            prop_assert_eq!(merged, of(&values));
        }
    }
}
