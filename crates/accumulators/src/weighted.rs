//! Weighted averages.

use values::state_text::{StateReader, write_number};
use values::{Number, power_of_ten};

use crate::settings::Settings;
use crate::state::State;
use crate::sum::Sum;

/// The sum of products of values and weights, and that of the weights: exact for decimals, as other sums.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weighted {
    count: u64,
    products: Sum,
    weights: Sum,
}

impl Weighted {
    pub fn add(&mut self, value: &Number, weight: &Number) {
        self.count += 1;
        self.products.add(&value.times(weight));
        self.weights.add(weight);
    }

    /// Takes back a value that was added.
    pub fn take_back(&mut self, value: &Number, weight: &Number) {
        if self.count <= 1 {
            *self = Weighted::default();
            return;
        }
        self.count -= 1;
        self.products.add(&value.times(weight).negated());
        self.weights.add(&weight.negated());
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether values that are taken back leave no trace.
    pub fn is_exact(&self) -> bool {
        self.products.is_exact() && self.weights.is_exact()
    }

    pub fn merge(&mut self, other: &Weighted) {
        self.count += other.count;
        self.products.merge(&other.products);
        self.weights.merge(&other.weights);
    }

    /// None without values, and where weights sum to zero or leave the range of `f64`.
    pub fn average(&self) -> Option<f64> {
        quotient(&self.products, &self.weights).filter(|average| average.is_finite())
    }
}

/// One sum by another, rounded once where both are short; none by zero and by what is not finite.
pub(crate) fn quotient(sum: &Sum, divisor: &Sum) -> Option<f64> {
    const EXACT_MAX: u128 = 1 << 53;
    let short = sum.as_decimal().zip(divisor.as_decimal()).and_then(|((m1, s1), (m2, s2))| {
        let scale = s1.max(s2);
        let above = m1.checked_mul(power_of_ten(scale - s1))?;
        let below = m2.checked_mul(power_of_ten(scale - s2))?;
        (above.unsigned_abs() <= EXACT_MAX && below.unsigned_abs() <= EXACT_MAX).then_some((above, below))
    });
    match short {
        Some((_, 0)) => None,
        Some((above, below)) => Some(above as f64 / below as f64),
        None => {
            Some(divisor.to_f64()).filter(|below| *below != 0.0 && below.is_finite()).map(|below| sum.quotient(below))
        }
    }
}

impl State for Weighted {
    const MEMBER: &'static [u8] = b",\"weighted\":";
    const NAME: &'static str = "weighted sums";

    /// `[count,products,weights]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        out.push(b',');
        self.products.save(out);
        out.push(b',');
        self.weights.save(out);
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Weighted> {
        from.literal(b"[")?;
        let count = from.count()?;
        from.literal(b",")?;
        let products = Sum::load(from)?;
        from.literal(b",")?;
        let weights = Sum::load(from)?;
        from.literal(b"]")?;
        Some(Weighted { count, products, weights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Weighted {
        let number = |text: &str| Number::parse(text.as_bytes()).unwrap();
        let mut all = Weighted::default();
        pairs.iter().for_each(|(value, weight)| all.add(&number(value), &number(weight)));
        all
    }

    #[test]
    fn averages_of_decimals_are_rounded_once() {
        assert_eq!(of(&[("1", "2"), ("2", "3"), ("4", "1"), ("9", "9")]).average(), Some(6.2));
        assert_eq!(of(&[("0.1", "3"), ("0.2", "3")]).average(), Some(0.15));
        assert_eq!(of(&[("1e308", "10"), ("1e308", "0")]).average(), None);
        assert_eq!(of(&[("1e308", "1"), ("1e308", "1")]).average(), Some(1e308));
        assert_eq!(of(&[("1", "1e308"), ("1", "1e308")]).average(), None);
    }

    #[test]
    fn without_weight_there_is_no_average() {
        assert_eq!(of(&[]).average(), None);
        assert_eq!(of(&[("1", "0"), ("2", "0.0")]).average(), None);
        assert_eq!(of(&[("1", "1"), ("2", "-1")]).average(), None);
    }

    #[test]
    fn products_are_exact_as_far_as_they_fit() {
        let number = |text: &str| Number::parse(text.as_bytes()).unwrap();
        let digits = "0.12345678901234567890123456789";
        assert_eq!(number("-1.5").times(&number("0.25")).as_decimal(), Some((-375, 3)));
        assert_eq!(number(digits).times(&number(digits)).as_decimal(), None);
        assert_eq!(number("170141183460469231731687303715884105727").times(&number("2")).as_decimal(), None);
    }
}
