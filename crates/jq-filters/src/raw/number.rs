//! jq's numbers: integers of 64 bits as long as they stay such, floats otherwise.

use std::cmp::Ordering;

use jaq_core::ops::Math;

use super::no_value::NoValue;

/// A number to compute with.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Integer(i64),
    Float(f64),
}

/// A number's JSON text as an integer; none for what has other bytes than digits, or too many of them.
#[inline]
pub fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 18 {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let mut integer = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        integer = integer * 10 + i64::from(digit);
    }
    Some(if negative { -integer } else { integer })
}

/// A number's JSON text as the float next to it.
#[inline]
pub fn float(text: &[u8]) -> f64 {
    short_float(text).unwrap_or_else(|| long_float(text))
}

#[cold]
fn long_float(text: &[u8]) -> f64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// Powers of ten that a float holds exactly.
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// For at most fifteen digits, without an exponent: all digits as an integer and the power of ten below it are both
/// exact, and so their quotient is the nearest float (Clinger, "How to read floating point numbers accurately", 1990).
#[inline]
fn short_float(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 16 {
        return None;
    }
    let mut all = 0_u64;
    let mut point = digits.len();
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => all = all * 10 + u64::from(byte - b'0'),
            b'.' if point == digits.len() => point = at,
            _ => return None,
        }
    }
    if point == digits.len() && point > 15 {
        return None;
    }
    let decimals = digits.len().saturating_sub(point + 1);
    let float = all as f64 / POWERS[decimals];
    Some(if negative { -float } else { float })
}

impl Number {
    #[inline]
    fn as_float(self) -> f64 {
        match self {
            Number::Integer(integer) => integer as f64,
            Number::Float(float) => float,
        }
    }

    /// jq's order: not-a-number is less than everything, the zeros are equal.
    #[inline]
    pub fn compare(self, other: Number) -> Ordering {
        if let (Number::Integer(a), Number::Integer(b)) = (self, other) {
            return a.cmp(&b);
        }
        let (a, b) = (self.as_float(), other.as_float());
        if a == 0.0 && b == 0.0 {
            Ordering::Equal
        } else if a.is_nan() {
            Ordering::Less
        } else if b.is_nan() {
            Ordering::Greater
        } else {
            a.total_cmp(&b)
        }
    }

    /// `self OP other`. Overflow of integers and their remainder by zero are beyond us.
    #[inline]
    pub fn compute(self, math: Math, other: Number) -> Result<Number, NoValue> {
        if let (Number::Integer(a), Number::Integer(b)) = (self, other) {
            let integer = match math {
                Math::Add => a.checked_add(b),
                Math::Sub => a.checked_sub(b),
                Math::Mul => a.checked_mul(b),
                Math::Rem => a.checked_rem(b),
                Math::Div => return Ok(Number::Float(a as f64 / b as f64)),
            };
            return integer.map(Number::Integer).ok_or(NoValue::LeftToJaq);
        }
        let (a, b) = (self.as_float(), other.as_float());
        Ok(Number::Float(match math {
            Math::Add => a + b,
            Math::Sub => a - b,
            Math::Mul => a * b,
            Math::Div => a / b,
            Math::Rem => a % b,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_short_float_is_the_one_that_the_library_reads(whole in 0_u64..10_000_000_000, part in 0_u64..1_000_000, places in 0_usize..8, negative: bool) {
            let sign = if negative { "-" } else { "" };
            for text in [format!("{sign}{whole}.{part:0places$}"), format!("{sign}{whole}"), format!("{sign}{whole}e{places}")] {
                prop_assert_eq!(float(text.as_bytes()).to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
            }
        }
    }

    #[test]
    fn integers_are_read_up_to_sixty_four_bits() {
        for text in ["0", "-0", "7", "-12", "999999999999999999", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(integer(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in ["9223372036854775808", "1.0", "1e3", "-9223372036854775809"] {
            assert_eq!(integer(text.as_bytes()), None, "{text}");
        }
    }
}
