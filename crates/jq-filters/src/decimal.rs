//! Exact arithmetic on decimal numbers, for `--decimal`.
//!
//! Two sizes with the same results: [`Small`] in 128 bits, which is what nearly all numbers need, and [`Decimal`] of any
//! length up to [`DIGITS_MAX`]. Sums, differences, products, remainders, comparisons and roundings to a whole number
//! are exact. A quotient has [`large::QUOTIENT_DIGITS`] significant digits at most, the last one rounded half to even: the
//! rule of IEEE 754's decimal128.

use jaq_core::ops::Math;

mod large;
mod rounding;
mod small;

pub use large::{DIGITS_MAX, Decimal, NoResult};
pub use rounding::Rounding;
pub use small::Small;

/// Computes `left OP right` in 128 bits; none where that does not fit, or [`Decimal::compute`] has to say why there is no result.
#[inline]
pub fn compute_small(left: Small, math: Math, right: Small) -> Option<Small> {
    match math {
        Math::Add => left.checked_add(right),
        Math::Sub => left.checked_sub(right),
        Math::Mul => left.checked_mul(right),
        Math::Rem => left.checked_rem(right),
        // A quotient may need more digits before it is rounded.
        Math::Div => Decimal::from(left).compute(math, &right.into()).ok()?.small(),
    }
}

#[cfg(test)]
mod tests;
