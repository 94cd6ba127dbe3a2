use proptest::prelude::*;

use super::*;

const ALL: [Math; 5] = [Math::Add, Math::Sub, Math::Mul, Math::Div, Math::Rem];

fn large(text: &str) -> Decimal {
    Decimal::parse(text).unwrap().unwrap()
}

fn computed(a: &str, math: Math, b: &str) -> String {
    large(a).compute(math, &large(b)).map_or_else(|no| format!("{no:?}"), |result| result.text())
}

#[test]
fn numbers_are_written_without_exponents_and_zeros_at_the_end() {
    for (text, written) in [
        ("1.50", "1.5"),
        ("100", "100"),
        ("-0.0", "0"),
        ("1e3", "1000"),
        ("-12.5E-3", "-0.0125"),
        ("+7.0", "7"),
        ("0.000", "0"),
        ("170141183460469231731687303715884105728", "170141183460469231731687303715884105728"),
    ] {
        assert_eq!(large(text).text(), written);
        if let Some(small) = Small::parse(text.as_bytes()) {
            let mut out = Vec::new();
            small.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }
    assert_eq!(Decimal::parse("nan"), None);
    assert_eq!(Decimal::parse("1e1000"), Some(Err(NoResult::TooLong)));
    assert_eq!(Decimal::parse("1e-99999999999999999"), Some(Err(NoResult::TooLong)));
    assert_eq!(large("0e99999999").text(), "0");
}

#[test]
fn computing_is_exact_and_quotients_have_34_digits() {
    assert_eq!(computed("0.1", Math::Add, "0.2"), "0.3");
    assert_eq!(computed("73134520", Math::Mul, "0.908"), "66406144.16");
    assert_eq!(computed("-7.5", Math::Rem, "2"), "-1.5");
    assert_eq!(computed("1", Math::Div, "8"), "0.125");
    assert_eq!(computed("2", Math::Div, "3"), format!("0.{}7", "6".repeat(33)));
    assert_eq!(computed("-1", Math::Div, "30"), format!("-0.0{}", "3".repeat(34)));
    assert_eq!(computed("1", Math::Div, "0"), "DivisionByZero");
    assert_eq!(computed("1e600", Math::Mul, "1e600"), "TooLong");
}

#[test]
fn halves_are_rounded_away_from_zero_to_whole_numbers() {
    for (text, floor, ceil, round, trunc) in [
        ("2.5", "2", "3", "3", "2"),
        ("-2.5", "-3", "-2", "-3", "-2"),
        ("-0.4", "-1", "0", "0", "0"),
        ("7", "7", "7", "7", "7"),
    ] {
        let roundings = [Rounding::Floor, Rounding::Ceil, Rounding::Round, Rounding::Trunc];
        for (rounding, expected) in roundings.into_iter().zip([floor, ceil, round, trunc]) {
            assert_eq!(large(text).rounded(rounding).text(), expected, "{rounding:?} of {text}");
        }
    }
}

fn number() -> impl Strategy<Value = String> {
    let whole = prop_oneof![0_u64..1000, any::<u64>(), Just(u64::MAX), Just(10_u64.pow(18))];
    let form = ("-?", whole, "(\\.[0-9]{1,12}0{0,3})?", "([eE][-+]?[0-9])?");
    form.prop_map(|(sign, whole, fraction, exponent)| format!("{sign}{whole}{fraction}{exponent}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn small_numbers_give_what_large_ones_give(a in number(), b in number()) {
        let (Some(x), Some(y)) = (Small::parse(a.as_bytes()), Small::parse(b.as_bytes())) else { return Ok(()) };
        prop_assert_eq!(Decimal::from(x), large(&a));
        for math in ALL {
            if let Some(result) = compute_small(x, math, y) {
                let expected = large(&a).compute(math, &large(&b)).unwrap();
                prop_assert_eq!(Decimal::from(result), expected.clone(), "{} {} {}", a, math.as_str(), b);
                let mut out = Vec::new();
                result.write(&mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), expected.text());
            }
        }
        if let Some(order) = x.compare(y) {
            prop_assert_eq!(order, large(&a).compare(&large(&b)));
        }
        for rounding in [Rounding::Floor, Rounding::Ceil, Rounding::Round, Rounding::Trunc] {
            prop_assert_eq!(x.rounded(rounding).map(Decimal::from), Some(large(&a).rounded(rounding)), "{:?} of {}", rounding, a);
        }
    }
}
