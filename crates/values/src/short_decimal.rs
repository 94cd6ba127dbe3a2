//! Writes the numbers that results mostly are: decimals of few digits.

use crate::number_text::write_f64;

/// Places that [`of`] looks for: as many as prices, seconds and their percentiles have.
const PLACES: u8 = 6;
const UNIT: f64 = 1e6;
/// Added to a number below 2^51 and taken away again, it rounds to a whole number.
const ROUND: f64 = (3_u64 << 51) as f64;
/// Below it, every decimal of this many digits has an `f64` of its own.
const MANTISSA_MAX: f64 = 1e15;

/// The decimal of at most 15 digits, [`PLACES`] of them behind the point, whose nearest `f64` the value is. There is no
/// other decimal of at most 15 digits for it, so it is also the shortest.
pub(crate) fn of(value: f64) -> Option<(i64, u8)> {
    let shifted = value * UNIT + ROUND - ROUND;
    // One division of two numbers that are exact rounds once (Clinger 1990).
    let is_decimal = shifted.abs() < MANTISSA_MAX && shifted / UNIT == value;
    is_decimal.then_some((shifted as i64, PLACES))
}

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
        Some(places) => write((value * POWERS[places] + ROUND - ROUND) as i64, places as u8, out),
        None => write_f64(value, out),
    }
}

/// Appends `mantissa / 10^scale` without trailing zeros.
pub(crate) fn write(mantissa: i64, scale: u8, out: &mut Vec<u8>) {
    let mut rest = mantissa.unsigned_abs();
    let mut places = usize::from(scale);
    while places > 0 && rest.is_multiple_of(10) {
        rest /= 10;
        places -= 1;
    }
    // 20 digits, or 39 with zeros behind the point, then the point and the sign.
    let mut text = [b'0'; 42];
    let end = text.len();
    let mut start = end;
    while rest > 0 || (end - start) <= places + usize::from(places > 0) {
        if places > 0 && end - start == places {
            start -= 1;
            text[start] = b'.';
        } else {
            start -= 1;
            text[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    if mantissa < 0 {
        start -= 1;
        text[start] = b'-';
    }
    out.extend_from_slice(&text[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(mantissa: i64, scale: u8) -> String {
        let mut out = Vec::new();
        write(mantissa, scale, &mut out);
        String::from_utf8(out).unwrap()
    }

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

    #[test]
    fn decimals_have_a_digit_before_the_point_and_no_zeros_at_the_end() {
        let cases = [
            (0, 0, "0"),
            (0, 38, "0"),
            (7, 0, "7"),
            (-70, 1, "-7"),
            (5, 2, "0.05"),
            (-50, 2, "-0.5"),
            (100, 2, "1"),
            (1234, 2, "12.34"),
            (1, 38, "0.00000000000000000000000000000000000001"),
            (i64::MIN, 38, "-0.00000000000000000009223372036854775808"),
            (i64::MAX, 0, "9223372036854775807"),
        ];
        for (mantissa, scale, expected) in cases {
            assert_eq!(text(mantissa, scale), expected);
        }
    }

    proptest! {
        #[test]
        fn a_short_decimal_is_what_the_library_prints(
            value in prop_oneof![
                any::<f64>().prop_filter("finite", |value| value.is_finite() && *value != 0.0),
                (1i64..1_000_000_000_000_000, 0i32..9).prop_map(|(m, s)| m as f64 / 10f64.powi(s)),
                (1i64..1_000_000, 0i32..9).prop_map(|(m, s)| -(m as f64) / 10f64.powi(s)),
                (1i64..1_000_000_000, 0i32..7).prop_map(|(m, s)| (m as f64 / 10f64.powi(s)).next_up()),
            ],
        ) {
            if let Some((mantissa, scale)) = of(value) {
                prop_assert_eq!(text(mantissa, scale), value.to_string());
            }
        }

        #[test]
        fn decimals_are_written_as_their_digits(mantissa: i64, scale in 0u8..39) {
            let digits = format!("{:0width$}", mantissa.unsigned_abs(), width = usize::from(scale) + 1);
            let (whole, part) = digits.split_at(digits.len() - usize::from(scale));
            let part = part.trim_end_matches('0');
            let sign = if mantissa < 0 { "-" } else { "" };
            let point = if part.is_empty() { "" } else { "." };
            prop_assert_eq!(text(mantissa, scale), format!("{sign}{whole}{point}{part}"));
        }
    }
}
