//! Exact arithmetic on decimal numbers, for `--decimal`.
//!
//! Two sizes with the same results: [`Small`] in 128 bits, which is what nearly all numbers need, and [`Decimal`] of any
//! length up to [`DIGITS_MAX`]. Sums, differences, products, remainders, comparisons and roundings to a whole number
//! are exact. A quotient has [`QUOTIENT_DIGITS`] significant digits at most, the last one rounded half to even: the
//! rule of IEEE 754's decimal128.

use std::cmp::Ordering;

use jaq_core::ops::Math;
use num_bigint::{BigInt, Sign};

/// A number that takes more digits when it is written out is not computed with, so that `1e999999999` takes no memory.
pub const DIGITS_MAX: usize = 1000;
/// How many significant digits a quotient has at most.
const QUOTIENT_DIGITS: usize = 34;

/// The largest scale of a small number; all its powers of ten fit.
const SCALE_MAX: u32 = 38;

/// How to come to a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Floor,
    Ceil,
    /// To the nearest, halves away from zero.
    Round,
    Trunc,
}

/// `digits` × 10^-`scale`, without zeros at the end of a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small {
    digits: i128,
    scale: u32,
}

/// The same in any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: BigInt,
    scale: usize,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoResult {
    DivisionByZero,
    TooLong,
}

/// A number's text in its parts: sign, digits without the point, and how many of them are behind it.
fn parts(text: &str) -> Option<(bool, String, i64)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some((negative, digits, i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?))
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

impl From<Small> for Decimal {
    fn from(small: Small) -> Decimal {
        Decimal { digits: small.digits.into(), scale: small.scale as usize }
    }
}

fn ten_to(exponent: usize) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(u32::MAX))
}

fn is_zero(number: &BigInt) -> bool {
    number.sign() == Sign::NoSign
}

/// How many decimal digits it has.
fn length(number: &BigInt) -> usize {
    number.magnitude().to_string().len()
}

impl Decimal {
    /// A number's text; none when it is none.
    ///
    /// # Errors
    /// When it is too long.
    pub fn parse(text: &str) -> Option<Result<Decimal, NoResult>> {
        let (negative, digits, scale) = parts(text)?;
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Ok(Small::integer(0).into()));
        }
        let fits = |length: Option<usize>| length.is_some_and(|length| length <= DIGITS_MAX);
        let behind = usize::try_from(scale.unsigned_abs()).ok();
        let written = behind.and_then(|behind| match scale {
            0.. => Some(behind.max(digits.len())),
            _ => behind.checked_add(digits.len()),
        });
        if !fits(written) {
            return Some(Err(NoResult::TooLong));
        }
        let behind = behind?;
        let number = BigInt::parse_bytes(digits.as_bytes(), 10)?;
        let number = if negative { -number } else { number };
        Some(Ok(match scale {
            0.. => Decimal { digits: number, scale: behind }.shortened(),
            _ => Decimal { digits: number * ten_to(behind), scale: 0 },
        }))
    }

    pub fn integer(integer: BigInt) -> Decimal {
        Decimal { digits: integer, scale: 0 }
    }

    pub fn small(&self) -> Option<Small> {
        let scale = u32::try_from(self.scale).ok().filter(|scale| *scale <= SCALE_MAX)?;
        Some(Small { digits: i128::try_from(&self.digits).ok()?, scale })
    }

    /// The integer that it is.
    pub fn as_integer(&self) -> Option<&BigInt> {
        (self.scale == 0).then_some(&self.digits)
    }

    fn shortened(mut self) -> Decimal {
        while self.scale > 0 && is_zero(&(&self.digits % 10)) {
            self.digits /= 10;
            self.scale -= 1;
        }
        self
    }

    fn aligned(&self, other: &Decimal) -> (BigInt, BigInt, usize) {
        let scale = self.scale.max(other.scale);
        let widen = |number: &Decimal| &number.digits * ten_to(scale - number.scale);
        (widen(self), widen(other), scale)
    }

    /// `self OP other`.
    ///
    /// # Errors
    /// Why there is no result.
    pub fn compute(&self, math: Math, other: &Decimal) -> Result<Decimal, NoResult> {
        if matches!(math, Math::Div | Math::Rem) && is_zero(&other.digits) {
            return Err(NoResult::DivisionByZero);
        }
        let (a, b, scale) = self.aligned(other);
        let result = match math {
            Math::Add => Decimal { digits: a + b, scale },
            Math::Sub => Decimal { digits: a - b, scale },
            Math::Rem => Decimal { digits: a % b, scale },
            Math::Mul => Decimal { digits: &self.digits * &other.digits, scale: self.scale + other.scale },
            Math::Div => quotient(&a, &b),
        };
        let result = result.shortened();
        let written = length(&result.digits).max(result.scale);
        if written <= DIGITS_MAX { Ok(result) } else { Err(NoResult::TooLong) }
    }

    pub fn compare(&self, other: &Decimal) -> Ordering {
        let (a, b, _) = self.aligned(other);
        a.cmp(&b)
    }

    pub fn rounded(&self, rounding: Rounding) -> Decimal {
        let unit = ten_to(self.scale);
        let (mut whole, rest) = (&self.digits / &unit, &self.digits % &unit);
        let negative = rest.sign() == Sign::Minus;
        let away = match rounding {
            Rounding::Floor => negative,
            Rounding::Ceil => !negative && !is_zero(&rest),
            Rounding::Round => rest.magnitude() * 2_u32 >= *unit.magnitude(),
            Rounding::Trunc => false,
        };
        if away {
            whole += if negative { -1 } else { 1 };
        }
        Decimal::integer(whole)
    }

    /// As JSON.
    pub fn text(&self) -> String {
        let digits = self.digits.magnitude().to_string();
        let sign = if self.digits.sign() == Sign::Minus { "-" } else { "" };
        if self.scale == 0 {
            return format!("{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = self.scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        format!("{sign}{whole}.{fraction}")
    }
}

/// `a / b`, b not zero, rounded.
fn quotient(a: &BigInt, b: &BigInt) -> Decimal {
    // Enough digits for the quotient to have one more than it may keep.
    let more = (QUOTIENT_DIGITS + 1 + length(b)).saturating_sub(length(a));
    let dividend = a * ten_to(more);
    let (digits, rest) = (&dividend / b, &dividend % b);
    let surplus = length(&digits).saturating_sub(QUOTIENT_DIGITS);
    let unit = ten_to(surplus);
    let (mut kept, lost) = (&digits / &unit, &digits % &unit);
    let beyond_half = match (lost.magnitude() * 2_u32).cmp(unit.magnitude()) {
        Ordering::Equal if !is_zero(&rest) => Ordering::Greater,
        order => order,
    };
    let odd = kept.bit(0);
    if beyond_half == Ordering::Greater || (beyond_half == Ordering::Equal && odd) {
        kept += if a.sign() == b.sign() { 1 } else { -1 };
    }
    match more.checked_sub(surplus) {
        Some(scale) => Decimal { digits: kept, scale },
        None => Decimal { digits: kept * ten_to(surplus - more), scale: 0 },
    }
}

#[cfg(test)]
mod tests;
