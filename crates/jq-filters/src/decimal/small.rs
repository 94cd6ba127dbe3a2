//! Decimals of 128 bits.

use std::cmp::Ordering;

use jaq_core::ops::Math;

use super::{Decimal, Rounding, parts};

/// The largest scale of a small number; all its powers of ten fit.
const SCALE_MAX: u32 = 38;

/// `digits` × 10^-`scale`, without zeros at the end of a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small {
    digits: i128,
    scale: u32,
}

const fn powers() -> [i128; SCALE_MAX as usize + 1] {
    let mut powers = [1; SCALE_MAX as usize + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
}

/// 10^0 to 10^38.
static POWERS: [i128; SCALE_MAX as usize + 1] = powers();

fn power(exponent: u32) -> Option<i128> {
    POWERS.get(exponent as usize).copied()
}

impl Small {
    /// None where the scale is too large. There are no zeros at the end of a fraction.
    pub fn new(digits: i128, scale: u32) -> Option<Small> {
        (scale <= SCALE_MAX).then_some(Small { digits, scale })
    }

    pub fn parts(self) -> (i128, u32) {
        (self.digits, self.scale)
    }

    pub fn integer(integer: i64) -> Small {
        Small { digits: integer.into(), scale: 0 }
    }

    /// A JSON number; none when it is too long.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Small> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        if digits.len() > 18 {
            return Small::parse_long(text);
        }
        let mut all = 0_i64;
        let mut scale = None;
        for byte in digits {
            match byte {
                b'0'..=b'9' => {
                    all = all * 10 + i64::from(byte - b'0');
                    scale = scale.map(|scale| scale + 1);
                }
                b'.' if scale.is_none() => scale = Some(0),
                _ => return Small::parse_long(text),
            }
        }
        let all = if negative { -all } else { all };
        Some(Small { digits: all.into(), scale: scale.unwrap_or(0) }.shortened())
    }

    #[cold]
    fn parse_long(text: &[u8]) -> Option<Small> {
        let (negative, digits, scale) = parts(std::str::from_utf8(text).ok()?)?;
        let digits: i128 = digits.parse().ok()?;
        let digits = if negative { -digits } else { digits };
        match u32::try_from(scale) {
            Ok(scale) => (scale <= SCALE_MAX).then(|| Small { digits, scale }.shortened()),
            Err(_) if digits == 0 => Some(Small::integer(0)),
            Err(_) => {
                let digits = digits.checked_mul(power(u32::try_from(scale.checked_neg()?).ok()?)?)?;
                Some(Small { digits, scale: 0 })
            }
        }
    }

    /// The integer that it is.
    pub fn as_integer(self) -> Option<i64> {
        (self.scale == 0).then(|| i64::try_from(self.digits).ok()).flatten()
    }

    #[inline]
    fn shortened(mut self) -> Small {
        if let Ok(mut digits) = i64::try_from(self.digits) {
            while self.scale > 0 && digits % 10 == 0 {
                digits /= 10;
                self.scale -= 1;
            }
            self.digits = digits.into();
            return self;
        }
        while self.scale > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Both with the larger of their scales.
    #[inline]
    fn aligned(self, other: Small) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let widen = |number: Small| match scale - number.scale {
            0 => Some(number.digits),
            more => number.digits.checked_mul(power(more)?),
        };
        Some((widen(self)?, widen(other)?, scale))
    }

    /// `self OP other`; none when it does not fit, or for [`Decimal::compute`] to say.
    #[inline]
    pub fn compute(self, math: Math, other: Small) -> Option<Small> {
        let (digits, scale) = match math {
            Math::Mul => {
                let digits = match (i64::try_from(self.digits), i64::try_from(other.digits)) {
                    (Ok(a), Ok(b)) => i128::from(a) * i128::from(b),
                    _ => self.digits.checked_mul(other.digits)?,
                };
                (digits, self.scale + other.scale)
            }
            Math::Add | Math::Sub | Math::Rem => {
                let (a, b, scale) = self.aligned(other)?;
                let digits = match math {
                    Math::Add => a.checked_add(b)?,
                    Math::Sub => a.checked_sub(b)?,
                    _ => a.checked_rem(b)?,
                };
                (digits, scale)
            }
            Math::Div => return Decimal::from(self).compute(math, &other.into()).ok()?.small(),
        };
        let result = Small { digits, scale }.shortened();
        (result.scale <= SCALE_MAX).then_some(result)
    }

    /// None when it cannot be said in 128 bits.
    #[inline]
    pub fn compare(self, other: Small) -> Option<Ordering> {
        let (a, b, _) = self.aligned(other)?;
        Some(a.cmp(&b))
    }

    pub fn rounded(self, rounding: Rounding) -> Option<Small> {
        if self.scale == 0 {
            return Some(self);
        }
        let unit = power(self.scale)?;
        let (whole, rest) = (self.digits / unit, self.digits % unit);
        let up = match rounding {
            Rounding::Floor => {
                if rest < 0 {
                    -1
                } else {
                    0
                }
            }
            Rounding::Ceil => {
                if rest > 0 {
                    1
                } else {
                    0
                }
            }
            Rounding::Round => {
                if rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2) {
                    rest.signum()
                } else {
                    0
                }
            }
            Rounding::Trunc => 0,
        };
        Some(Small { digits: whole + up, scale: 0 })
    }

    pub fn negative(self) -> Option<Small> {
        Some(Small { digits: self.digits.checked_neg()?, scale: self.scale })
    }

    /// Appends it as JSON.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.digits < 0 {
            out.push(b'-');
        }
        let mut digits = [b'0'; 40];
        let mut at = digits.len();
        let mut rest = self.digits.unsigned_abs();
        while rest > u128::from(u64::MAX) {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let mut rest = rest as u64;
        while rest > 0 {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let point = digits.len() - self.scale as usize;
        let first = at.min(point - 1);
        out.extend_from_slice(&digits[first..point]);
        if self.scale > 0 {
            out.push(b'.');
            out.extend_from_slice(&digits[point..]);
        }
    }
}
