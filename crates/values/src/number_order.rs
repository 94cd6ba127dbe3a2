//! Numbers of any length as keys: one spelling for equal ones, and their order, without rounding.
//!
//! A [`Number`] that does not fit into 128 bits is a double, and many numbers have one double: IPv6 addresses as whole numbers,
//! ids of 40 digits, long fractions. Here all digits count.

use std::cmp::Ordering;

use crate::number::Number;
use crate::number_text::{self, EXPONENT_MAX, Parts};

/// Appends the canonical spelling of a JSON number: equal numbers have the same, different ones never. Up to 38 digits it is
/// that of [`Number::write`]; longer ones are written out if at least half of their digits are not zeros that only fill up, else
/// with an exponent. False if the text is no JSON number.
pub fn write_canonical_number(text: &[u8], out: &mut Vec<u8>) -> bool {
    if let Some((mantissa, scale)) = number_text::parse_short(text) {
        Number::decimal(mantissa.into(), scale).write(out);
        return true;
    }
    let Some(parts) = number_text::split(text) else { return false };
    match number_text::exact(&parts) {
        Some((mantissa, scale)) => Number::decimal(mantissa, scale).write(out),
        // Nobody means such a number: it is equal to those that are written in the same way.
        None if parts.exponent.abs() >= EXPONENT_MAX => out.extend_from_slice(text),
        None => write_long(&parts, out),
    }
    true
}

fn write_long(parts: &Parts, out: &mut Vec<u8>) {
    let Parts { negative, digits, exponent } = parts;
    if *negative {
        out.push(b'-');
    }
    let len = digits.len() as i64;
    // Digits before the decimal point.
    let whole = len + exponent;
    if (0..=len).contains(exponent) {
        out.extend_from_slice(digits);
        out.resize(out.len() + *exponent as usize, b'0');
    } else if *exponent < 0 && whole > 0 {
        let (before, after) = digits.split_at(whole as usize);
        out.extend_from_slice(before);
        out.push(b'.');
        out.extend_from_slice(after);
    } else if *exponent < 0 && whole >= -len {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + whole.unsigned_abs() as usize, b'0');
        out.extend_from_slice(digits);
    } else {
        out.push(digits[0]);
        if len > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(format!("e{}", whole - 1).as_bytes());
    }
}

/// The text of a JSON number, in the order of exact values. Equal are those of one value.
#[derive(Clone, Copy, Debug)]
pub struct NumberText<'t> {
    text: &'t [u8],
    /// If it is exact.
    number: Option<Number>,
}

impl<'t> NumberText<'t> {
    /// None if the text is no JSON number.
    #[must_use]
    pub fn new(text: &'t [u8]) -> Option<NumberText<'t>> {
        if let Some((mantissa, scale)) = number_text::parse_short(text) {
            return Some(NumberText { text, number: Some(Number::decimal(mantissa.into(), scale)) });
        }
        let number =
            number_text::exact(&number_text::split(text)?).map(|(mantissa, scale)| Number::decimal(mantissa, scale));
        Some(NumberText { text, number })
    }
}

impl Ord for NumberText<'_> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.number, other.number) {
            (Some(own), Some(other)) => own.cmp(&other),
            _ => cmp_texts(self.text, other.text),
        }
    }
}

impl PartialOrd for NumberText<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for NumberText<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for NumberText<'_> {}

/// Signs first, then where the first digit stands, then the digits.
#[cold]
fn cmp_texts(a: &[u8], b: &[u8]) -> Ordering {
    let (Some(a), Some(b)) = (number_text::split(a), number_text::split(b)) else { return a.cmp(b) };
    let sign = |parts: &Parts| match (parts.digits.is_empty(), parts.negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let place = |parts: &Parts| parts.exponent.saturating_add(parts.digits.len() as i64);
    let magnitudes = || (place(&a), &a.digits).cmp(&(place(&b), &b.digits));
    sign(&a).cmp(&sign(&b)).then_with(|| match sign(&a) {
        0 => Ordering::Equal,
        1 => magnitudes(),
        _ => magnitudes().reverse(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        assert!(write_canonical_number(text.as_bytes(), &mut out), "{text}");
        String::from_utf8(out).unwrap()
    }

    fn compare(a: &str, b: &str) -> Ordering {
        NumberText::new(a.as_bytes()).unwrap().cmp(&NumberText::new(b.as_bytes()).unwrap())
    }

    #[test]
    fn long_numbers_keep_all_their_digits() {
        let forty = "1234567890123456789012345678901234567890";
        let fraction = "0.1234567890123456789012345678901234567891";
        for (text, expected) in [
            ("340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
            (forty, forty),
            ("-1234567890123456789012345678901234567890.50", "-1234567890123456789012345678901234567890.5"),
            ("1234567890123456789012345678901234567890e2", "123456789012345678901234567890123456789000"),
            ("12345678901234567890123456789012345678901e-1", "1234567890123456789012345678901234567890.1"),
            (fraction, fraction),
            ("0.00000000000000000000000000000000000000012", "1.2e-40"),
            ("1e40", "1e40"),
            ("10E+39", "1e40"),
            ("100e-42", "1e-40"),
            ("1.50e400", "1.5e400"),
            ("1e999", "1e999"),
            ("10e998", "1e999"),
            ("1e-999", "1e-999"),
            ("0e999", "0"),
            ("-0.0e-77", "0"),
            ("1e38", "100000000000000000000000000000000000000"),
            ("1e99999999999999999999", "1e99999999999999999999"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
            assert_eq!(canonical(expected), expected);
        }
        assert!(!write_canonical_number(b"01", &mut Vec::new()));
    }

    #[test]
    fn numbers_that_have_one_double_are_told_apart_and_in_order() {
        let sorted = [
            "-1e400",
            "-340282366920938463463374607431768211456",
            "-340282366920938463463374607431768211455",
            "-1",
            "-1e-400",
            "0",
            "1e-999",
            "1e-400",
            "0.3",
            "1.00000000000000000000000000000000000000001",
            "1.00000000000000000000000000000000000000002",
            "100000000000000000000000000000000000000",
            "170141183460469231731687303715884105727",
            "170141183460469231731687303715884105728",
            "340282366920938463463374607431768211454",
            "340282366920938463463374607431768211455",
            "1e39",
            "1e400",
        ];
        for (a, first) in sorted.iter().enumerate() {
            for (b, second) in sorted.iter().enumerate() {
                assert_eq!(compare(first, second), a.cmp(&b), "{first} and {second}");
            }
        }
        assert_eq!(compare("1e40", "10000000000000000000000000000000000000000.0"), Ordering::Equal);
    }

    /// Few digits and exponents, so that two of them are often equal or near.
    fn number() -> impl Strategy<Value = String> {
        "-?(0|[12][0-2]{0,3}|1[0-9]{37,41})(\\.[0-2]{1,3}|\\.0{36,42}[0-2])?([eE][+-]?([0-3]|3[5-9]|40|400))?"
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn numbers_are_equal_when_their_spellings_are(a in number(), b in number()) {
            let (own, other) = (canonical(&a), canonical(&b));
            prop_assert_eq!(own == other, compare(&a, &b).is_eq(), "{} and {}", own, other);
            prop_assert_eq!(compare(&a, &own), Ordering::Equal, "{}", own);
            prop_assert_eq!(canonical(&own), own);
        }

        #[test]
        fn the_order_is_that_of_whole_numbers_of_any_length(a in number(), b in number(), c in number()) {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
            let (x, y): (f64, f64) = (a.parse().unwrap(), b.parse().unwrap());
            if x < y {
                prop_assert_eq!(compare(&a, &b), Ordering::Less);
            }
        }
    }
}
