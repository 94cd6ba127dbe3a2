//! Epoch numbers: decimal texts, scaled to whole milliseconds without rounding through a float.

/// A decimal number since the epoch, of any unit, as JSON writes it: `digits * 10^exponent`, negated if `negative`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochNumber {
    negative: bool,
    digits: u128,
    exponent: i32,
    /// Digits that are not zero were cut off behind the kept ones.
    more: bool,
}

/// Digits that are kept; what comes after them cannot change a millisecond in range.
const DIGITS_MAX: u32 = 30;

impl EpochNumber {
    /// Reads JSON's number grammar; none for anything else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, text) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, text),
        };
        let mut decimal = Self { negative, digits: 0, exponent: 0, more: false };
        let mut kept = 0;
        let (whole, rest) = split_digits(text);
        if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
            return None;
        }
        whole.iter().for_each(|d| decimal.push(*d, false, &mut kept));
        let rest = match rest.split_first() {
            Some((b'.', rest)) => {
                let (fraction, rest) = split_digits(rest);
                if fraction.is_empty() {
                    return None;
                }
                fraction.iter().for_each(|d| decimal.push(*d, true, &mut kept));
                rest
            }
            _ => rest,
        };
        decimal.exponent = decimal.exponent.saturating_add(parse_exponent(rest)?);
        Some(decimal)
    }

    fn push(&mut self, digit: u8, in_fraction: bool, kept: &mut u32) {
        let digit = u128::from(digit - b'0');
        if *kept < DIGITS_MAX {
            self.digits = self.digits * 10 + digit;
            *kept += u32::from(self.digits != 0);
            self.exponent -= i32::from(in_fraction);
        } else {
            self.more |= digit != 0;
            self.exponent = self.exponent.saturating_add(i32::from(!in_fraction));
        }
    }

    /// `floor(self * 10^scale)`, saturating at the ends of `i64`.
    #[must_use]
    pub fn floor_scaled(self, scale: i32) -> i64 {
        let exponent = self.exponent.saturating_add(scale);
        let (magnitude, inexact) = scale_digits(self.digits, exponent);
        let inexact = inexact || self.more;
        let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
        if self.negative { (-magnitude).saturating_sub(i64::from(inexact)) } else { magnitude }
    }

    /// The power of ten that makes milliseconds of it: below 1e11 it counts seconds, below 1e14 milliseconds, below 1e17
    /// microseconds, else nanoseconds. So each unit is right from 1973 (seconds: from 1970) to 5138.
    #[must_use]
    pub fn scale_by_magnitude(self) -> i32 {
        match self.magnitude() {
            0..100_000_000_000 => 3,
            100_000_000_000..100_000_000_000_000 => 0,
            100_000_000_000_000..100_000_000_000_000_000 => -3,
            _ => -6,
        }
    }

    /// The whole part of its absolute value, saturating.
    #[must_use]
    pub fn magnitude(self) -> i64 {
        let (magnitude, _) = scale_digits(self.digits, self.exponent);
        i64::try_from(magnitude).unwrap_or(i64::MAX)
    }
}

/// `floor(digits * 10^exponent)`, saturating, and whether something was cut off.
fn scale_digits(digits: u128, exponent: i32) -> (u128, bool) {
    let power = 10u128.checked_pow(exponent.unsigned_abs());
    match (exponent >= 0, power) {
        (_, None) if digits == 0 => (0, false),
        (true, Some(power)) => (digits.saturating_mul(power), false),
        (true, None) => (u128::MAX, false),
        (false, Some(power)) => (digits / power, !digits.is_multiple_of(power)),
        (false, None) => (0, true),
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    text.split_at(count)
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'e' | b'E', b'-', digits @ ..] => (true, digits),
        [b'e' | b'E', b'+', digits @ ..] | [b'e' | b'E', digits @ ..] => (false, digits),
        _ => return None,
    };
    let (digits, rest) = split_digits(digits);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let value =
        digits.iter().fold(0i32, |value, digit| value.saturating_mul(10).saturating_add(i32::from(digit - b'0')));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(text: &str, scale: i32) -> i64 {
        EpochNumber::parse(text.as_bytes()).unwrap().floor_scaled(scale)
    }

    #[test]
    fn decimals_are_scaled_exactly_and_floored() {
        assert_eq!(floor("1700000000.25", 3), 1_700_000_000_250);
        assert_eq!(floor("1700000000.0009", 3), 1_700_000_000_000);
        assert_eq!(floor("-0.0001", 3), -1);
        assert_eq!(floor("-1.5", 3), -1_500);
        assert_eq!(floor("1.7e9", 3), 1_700_000_000_000);
        assert_eq!(floor("17e+8", 3), 1_700_000_000_000);
        assert_eq!(floor("1700000000123456789", -6), 1_700_000_000_123);
        assert_eq!(floor("-1", -3), -1);
        assert_eq!(floor("0e999999999999", 3), 0);
        assert_eq!(floor("1e999999999999", 3), i64::MAX);
        assert_eq!(floor("-1e999999999999", 3), -i64::MAX);
        assert_eq!(floor("1e-999999999999", 3), 0);
        assert_eq!(floor("-1e-999999999999", 3), -1);
        assert_eq!(floor(&format!("1.{}1", "0".repeat(60)), 3), 1_000);
        assert_eq!(floor(&format!("-1.{}1", "0".repeat(60)), 3), -1_001);
        assert_eq!(floor(&format!("1{}e-40", "0".repeat(40)), 3), 1_000);
    }

    #[test]
    fn only_json_numbers_are_numbers() {
        for text in ["", "-", "01", ".5", "1.", "1e", "1e+", "+1", "1x", "0x1", "1_0", " 1", "--1"] {
            assert_eq!(EpochNumber::parse(text.as_bytes()), None, "{text}");
        }
    }
}
