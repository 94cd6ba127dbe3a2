//! JSON number text: reading and writing.

use std::io::Write;

use crate::powers::{SCALE_MAX, power_of_ten};
use crate::short_decimal;

/// Why text is no usable number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("not a number")]
    Malformed,
    #[error("number out of range")]
    OutOfRange,
}

/// Most digits that never overflow an `i64`.
const SHORT_DIGITS: usize = 18;

/// Plain decimals of up to 18 digits, as nearly all are: mantissa and scale. `None` asks for [`parse_long`].
#[inline]
pub(crate) fn parse_short(text: &[u8]) -> Option<(i64, u8)> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.len() > SHORT_DIGITS || (digits.len() > 1 && digits[0] == b'0' && digits[1] != b'.') {
        return None;
    }
    let mut mantissa: u64 = 0;
    let mut whole = 0;
    while let Some(digit) = digits.get(whole).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        mantissa = mantissa * 10 + u64::from(digit);
        whole += 1;
    }
    let mut scale = 0;
    if whole < digits.len() {
        if digits[whole] != b'.' {
            return None;
        }
        let fraction = &digits[whole + 1..];
        for byte in fraction {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            mantissa = mantissa * 10 + u64::from(digit);
        }
        if fraction.is_empty() {
            return None;
        }
        scale = fraction.len() as u8;
    }
    if whole == 0 {
        return None;
    }
    let mantissa = mantissa as i64;
    Some((if negative { -mantissa } else { mantissa }, scale))
}

/// What a number's text says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parsed {
    /// Mantissa and scale.
    Decimal(i128, u8),
    /// The nearest `f64` of what fits into no decimal.
    Float(f64),
}

/// The parts of a JSON number: `digits` without leading zeros, to be read as `digits × 10^exponent`.
pub(crate) struct Parts {
    pub negative: bool,
    pub digits: Vec<u8>,
    pub exponent: i64,
}

/// Larger exponents are not told apart: that of a number, with its digits, is out of any range.
pub(crate) const EXPONENT_MAX: i64 = 1 << 40;

/// Any JSON number: exponents, many digits.
#[cold]
pub(crate) fn parse_long(text: &[u8]) -> Result<Parsed, NumberError> {
    let parts = split(text).ok_or(NumberError::Malformed)?;
    if parts.digits.is_empty() {
        return Ok(Parsed::Decimal(0, 0));
    }
    if let Some((mantissa, scale)) = exact(&parts) {
        return Ok(Parsed::Decimal(mantissa, scale));
    }
    let text = str::from_utf8(text).map_err(|_| NumberError::Malformed)?;
    let value: f64 = text.parse().map_err(|_| NumberError::Malformed)?;
    match value.is_finite() {
        true => Ok(Parsed::Float(value)),
        false => Err(NumberError::OutOfRange),
    }
}

/// Takes the text apart by JSON's grammar.
pub(crate) fn split(text: &[u8]) -> Option<Parts> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, rest) = take_digits(rest);
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return None;
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => take_digits(rest),
        _ => (&[][..], rest),
    };
    if fraction.is_empty() && text.contains(&b'.') {
        return None;
    }
    let exponent = split_exponent(rest)?;
    let mut digits: Vec<u8> = [whole, fraction].concat();
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    digits.truncate(digits.len() - zeros);
    digits.drain(..digits.iter().take_while(|digit| **digit == b'0').count());
    let shift = zeros as i64 - fraction.len() as i64;
    Some(Parts { negative, digits, exponent: exponent.saturating_add(shift) })
}

fn take_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The value of `e-12`, saturating: an exponent that long is out of range or zero anyway.
fn split_exponent(text: &[u8]) -> Option<i64> {
    let [b'e' | b'E', rest @ ..] = text else { return text.is_empty().then_some(0) };
    let (sign, digits) = match rest {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        _ => (1, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(2 * EXPONENT_MAX)
    });
    Some(sign * value)
}

/// The exact decimal, if mantissa and scale fit.
pub(crate) fn exact(parts: &Parts) -> Option<(i128, u8)> {
    if parts.digits.is_empty() {
        return Some((0, 0));
    }
    if parts.digits.len() > usize::from(SCALE_MAX) + 1 {
        return None;
    }
    let sign = if parts.negative { -1 } else { 1 };
    let mut mantissa: i128 = 0;
    for digit in &parts.digits {
        mantissa = mantissa.checked_mul(10)?.checked_add(sign * i128::from(digit - b'0'))?;
    }
    if parts.exponent >= 0 {
        let exponent = u8::try_from(parts.exponent).ok().filter(|exponent| *exponent <= SCALE_MAX)?;
        return Some((mantissa.checked_mul(power_of_ten(exponent))?, 0));
    }
    let scale = u8::try_from(-parts.exponent).ok().filter(|scale| *scale <= SCALE_MAX)?;
    Some((mantissa, scale))
}

/// The nearest f64 of `mantissa / 10^scale`, through text: only numbers of 17 digits and more come here.
#[cold]
pub(crate) fn decimal_to_f64(mantissa: i128, scale: u8) -> f64 {
    format!("{mantissa}e-{scale}").parse().unwrap_or(f64::NAN)
}

/// Appends a decimal without trailing zeros.
pub fn write_decimal(mut mantissa: i128, mut scale: u8, out: &mut Vec<u8>) {
    if let Ok(short) = i64::try_from(mantissa) {
        return short_decimal::write(short, scale, out);
    }
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    if mantissa < 0 {
        out.push(b'-');
    }
    if scale == 0 {
        push(out, format_args!("{}", mantissa.unsigned_abs()));
        return;
    }
    let unit = power_of_ten(scale).unsigned_abs();
    let magnitude = mantissa.unsigned_abs();
    push(out, format_args!("{}.{:0width$}", magnitude / unit, magnitude % unit, width = usize::from(scale)));
}

/// Appends the shortest text that reads back as `value`; what is not finite has no JSON number and becomes null.
pub fn write_f64(value: f64, out: &mut Vec<u8>) {
    let magnitude = value.abs();
    if !value.is_finite() {
        out.extend_from_slice(b"null");
    } else if value == 0.0 {
        out.push(b'0');
    } else if let Some((mantissa, scale)) = short_decimal::of(value) {
        short_decimal::write(mantissa, scale, out);
    } else if (1e-7..1e21).contains(&magnitude) {
        push(out, format_args!("{value}"));
    } else {
        push(out, format_args!("{value:e}"));
    }
}

fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).unwrap_or_else(|_| unreachable!("a Vec takes every write"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Number;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        Number::parse(text.as_bytes()).unwrap().write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_print_with_the_fewest_digits() {
        let cases = [
            ("3", "3"),
            ("3.00", "3"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0", "0"),
            ("20.31", "20.31"),
            ("-20.310", "-20.31"),
            ("0.05", "0.05"),
            ("-0.05", "-0.05"),
            ("1e3", "1000"),
            ("1E+3", "1000"),
            ("15e-1", "1.5"),
            ("0e99999", "0"),
            ("100e-2", "1"),
            ("9007199254740993", "9007199254740993"),
            ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
            ("1e38", "100000000000000000000000000000000000000"),
            ("1e40", "1e40"),
            ("1e-40", "1e-40"),
            ("1e-999", "0"),
            ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
            ("170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
            ("-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
            ("1.7e308", "1.7e308"),
            ("1e-99999999999999999999999", "0"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn a_number_beyond_f64_is_out_of_range() {
        for text in ["1e999", "-1e999", "1e99999999999999999999", "17976931348623157000000000e300"] {
            assert_eq!(Number::parse(text.as_bytes()), Err(NumberError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn what_json_does_not_allow_is_no_number() {
        for text in [
            "", "-", "+1", "01", "-01", "1.", ".5", "1.e3", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "inf", "1.2.3",
            "--1", "1_0", "00", "1e5.2",
        ] {
            assert_eq!(Number::parse(text.as_bytes()), Err(NumberError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn floats_print_without_exponent_at_ordinary_size() {
        let cases = [
            (3.0, "3"),
            (0.1, "0.1"),
            (-1.5e-5, "-0.000015"),
            (1e20, "100000000000000000000"),
            (1e21, "1e21"),
            (1e-8, "1e-8"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
            (-0.0, "0"),
        ];
        for (value, expected) in cases {
            let mut out = Vec::new();
            write_f64(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    proptest! {
        #[test]
        fn short_and_long_reading_agree(text in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,8})?") {
            let short = parse_short(text.as_bytes());
            let long = Number::from(parse_long(text.as_bytes()).unwrap());
            if let Some((mantissa, scale)) = short {
                prop_assert_eq!(Number::decimal(mantissa.into(), scale), long);
            }
        }

        #[test]
        fn every_json_number_reads_as_its_f64(text in "-?(0|[1-9][0-9]{0,45})(\\.[0-9]{1,45})?([eE][+-]?[0-9]{1,3})?") {
            let expected: f64 = text.parse().unwrap();
            match Number::parse(text.as_bytes()) {
                Ok(number) => prop_assert_eq!(number.to_f64(), expected + 0.0),
                Err(error) => prop_assert!(error == NumberError::OutOfRange && expected.is_infinite()),
            }
        }

        #[test]
        fn printing_keeps_the_value(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,45})?([eE][+-]?[0-9]{1,2})?") {
            let number = Number::parse(text.as_bytes()).unwrap();
            let mut out = Vec::new();
            number.write(&mut out);
            prop_assert_eq!(Number::parse(&out).unwrap(), number);
        }
    }
}
