//! Decimals of 128 bits.

use std::cmp::Ordering;

use values::{Number, SCALE_MAX, power_of_ten, write_decimal};

use super::rounding::Rounding;

/// `digits` × 10^-`scale`, without zeros at the end of a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small {
    digits: i128,
    scale: u8,
}

impl Small {
    /// None where the scale is too large. There are no zeros at the end of a fraction.
    pub fn new(digits: i128, scale: u8) -> Option<Small> {
        (scale <= SCALE_MAX).then_some(Small { digits, scale })
    }

    pub fn parts(self) -> (i128, u8) {
        (self.digits, self.scale)
    }

    pub fn integer(integer: i64) -> Small {
        Small { digits: integer.into(), scale: 0 }
    }

    /// A JSON number; none when it is too long.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Small> {
        let (digits, scale) = Number::parse(text).ok()?.as_decimal()?;
        Some(Small { digits, scale }.shortened())
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
    fn aligned(self, other: Small) -> Option<(i128, i128, u8)> {
        let scale = self.scale.max(other.scale);
        let widen = |number: Small| match scale - number.scale {
            0 => Some(number.digits),
            more => number.digits.checked_mul(power_of_ten(more)),
        };
        Some((widen(self)?, widen(other)?, scale))
    }

    /// Returns the sum; none when it does not fit.
    #[inline]
    pub fn checked_add(self, other: Small) -> Option<Small> {
        let (a, b, scale) = self.aligned(other)?;
        Small { digits: a.checked_add(b)?, scale }.fitting()
    }

    /// Returns the difference; none when it does not fit.
    #[inline]
    pub fn checked_sub(self, other: Small) -> Option<Small> {
        let (a, b, scale) = self.aligned(other)?;
        Small { digits: a.checked_sub(b)?, scale }.fitting()
    }

    /// Returns the remainder; none when it does not fit, or by zero.
    #[inline]
    pub fn checked_rem(self, other: Small) -> Option<Small> {
        let (a, b, scale) = self.aligned(other)?;
        Small { digits: a.checked_rem(b)?, scale }.fitting()
    }

    /// Returns the product; none when it does not fit.
    #[inline]
    pub fn checked_mul(self, other: Small) -> Option<Small> {
        let digits = match (i64::try_from(self.digits), i64::try_from(other.digits)) {
            (Ok(a), Ok(b)) => i128::from(a) * i128::from(b),
            _ => self.digits.checked_mul(other.digits)?,
        };
        Small { digits, scale: self.scale + other.scale }.fitting()
    }

    /// Returns the number without zeros at the end of its fraction; none when the scale is too large even so.
    #[inline]
    fn fitting(self) -> Option<Small> {
        let shortened = self.shortened();
        (shortened.scale <= SCALE_MAX).then_some(shortened)
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
        let unit = power_of_ten(self.scale);
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
        write_decimal(self.digits, self.scale, out);
    }
}
