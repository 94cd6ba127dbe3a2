//! Writes numbers that were worked out in doubles.

use crate::number_text::write_f64;
use crate::short_decimal::{self, ROUND};

/// Digits of a computed number that mean something: the last one or two of a double are noise.
const COMPUTED_DIGITS: usize = 15;

/// Exact in f64 up to 10^20; a number from 10^(n-7) on, as `MAGNITUDES[n]` is, has n digits from the sixth place behind the point on.
static POWERS: [f64; 21] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
];
static MAGNITUDES: [f64; 22] = [
    1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
    1e15,
];

/// Appends a computed number with 15 significant digits, from a millionth to 10^15; smaller and larger ones with all their
/// digits; what is not finite as null. So 0.1 + 0.2 is 0.3.
pub fn write_computed(value: f64, out: &mut Vec<u8>) {
    let magnitude = value.abs();
    let digits = MAGNITUDES.partition_point(|power| *power <= magnitude);
    // A digit more or less, where the product rounds up to the next power of ten, is none that counts.
    let places = (COMPUTED_DIGITS + 6).checked_sub(digits).filter(|places| (0..POWERS.len()).contains(places));
    match places.filter(|_| digits < MAGNITUDES.len()) {
        Some(places) => short_decimal::write((value * POWERS[places] + ROUND - ROUND) as i64, places as u8, out),
        None => write_f64(value, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_numbers_have_fifteen_digits() {
        let cases = [
            (0.1 + 0.2, "0.3"),
            (-1.0 / 3.0, "-0.333333333333333"),
            (2e6 / 3.0, "666666.666666667"),
            (999_999_999_999_999.0, "999999999999999"),
            (0.999_999_999_999_999_9, "1"),
            (1e15, "1000000000000000"),
            (1.234_567_890_123_456_7e-6, "0.00000123456789012346"),
            (0.000_001, "0.000001"),
            (1e-7 / 3.0, "3.3333333333333334e-8"),
            (1e300, "1e300"),
            (0.0, "0"),
            (-0.0, "0"),
            (f64::NAN, "null"),
            (f64::NEG_INFINITY, "null"),
        ];
        for (value, expected) in cases {
            let mut out = Vec::new();
            write_computed(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
