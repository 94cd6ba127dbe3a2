//! Powers of ten in 128 bits.

/// Most decimal places of an exact number: 10^38 is the largest power of ten in an `i128`.
pub const SCALE_MAX: u8 = 38;

/// 10^exponent, for an exponent up to 38.
#[inline]
#[must_use]
pub fn power_of_ten(exponent: u8) -> i128 {
    POWERS_I128[usize::from(exponent)]
}

static POWERS_I128: [i128; 39] = {
    let mut powers = [1; 39];
    let mut i = 1;
    while i < 39 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};
