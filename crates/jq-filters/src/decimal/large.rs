//! Decimals of any length.

use std::cmp::Ordering;

use jaq_core::ops::Math;
use num_bigint::{BigInt, Sign};

use super::rounding::Rounding;
use super::small::Small;

/// A number that takes more digits when it is written out is not computed with, so that `1e999999999` takes no memory.
pub const DIGITS_MAX: usize = 1000;
/// How many significant digits a quotient has at most.
const QUOTIENT_DIGITS: usize = 34;

/// A decimal of any length.
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

impl From<Small> for Decimal {
    fn from(small: Small) -> Decimal {
        let (digits, scale) = small.parts();
        Decimal { digits: digits.into(), scale: scale.into() }
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
        Small::new(i128::try_from(&self.digits).ok()?, u8::try_from(self.scale).ok()?)
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
