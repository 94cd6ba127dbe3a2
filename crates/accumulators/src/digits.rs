//! Rounds what was computed to the digits that mean something.

/// Powers of ten that are exact.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The same from a millionth on: the magnitudes that are rounded.
const MAGNITUDES: [f64; 22] = [
    1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
    1e15,
];

/// The nearest number with so many significant digits, 1 to 15: it prints with no more. Very large and very small
/// numbers stay as they are.
pub(crate) fn rounded(value: f64, digits: usize) -> f64 {
    let magnitude = value.abs();
    let below = MAGNITUDES.partition_point(|power| *power <= magnitude);
    if below == 0 || below == MAGNITUDES.len() {
        return value;
    }
    // With `below` digits from the sixth place behind the point on; what is behind the wanted ones goes.
    let places = digits as i32 + 6 - below as i32;
    let power = POWERS[places.unsigned_abs() as usize];
    if places >= 0 { (value * power).round() / power } else { (value / power).round() * power }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn noise_behind_the_last_digit_goes() {
        assert_eq!(rounded(0.850_000_000_000_000_1, 15), 0.85);
        assert_eq!(rounded(118.472_400_000_000_02, 15), 118.4724);
        assert_eq!(rounded(-19.921_000_300_383_56, 6), -19.921);
        assert_eq!(rounded(123_456_789.0, 6), 123_457_000.0);
        assert_eq!([0.0, 1e-9, 1e300, f64::INFINITY].map(|v| rounded(v, 6)), [0.0, 1e-9, 1e300, f64::INFINITY]);
    }

    proptest! {
        #[test]
        fn a_rounded_number_is_near_and_prints_with_so_many_digits(
            value in prop_oneof![-1e15..1e15, -1e3..1e3, -1e-3..1e-3],
            digits in 1..=15_usize,
        ) {
            let result = rounded(value, digits);
            prop_assert!((result - value).abs() <= value.abs() * 0.51 * 10_f64.powi(1 - digits as i32) + f64::MIN_POSITIVE);
            if value.abs() >= 1e-6 && value.abs() < 1e15 {
                let mantissa = format!("{result:e}");
                let shown = mantissa.split('e').next().unwrap().chars().filter(char::is_ascii_digit).count();
                prop_assert!(shown <= digits, "{value} to {digits} digits is {result}");
            }
        }
    }
}
