//! Writes the numbers that results mostly are: decimals of few digits.

/// Places that [`of`] looks for: as many as prices, seconds and their percentiles have.
const PLACES: u8 = 6;
const UNIT: f64 = 1e6;
/// Added to a number below 2^51 and taken away again, it rounds to a whole number.
pub(crate) const ROUND: f64 = (3_u64 << 51) as f64;
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
