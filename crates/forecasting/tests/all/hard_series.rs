//! Series that are hard for arithmetic, and what holds for all models.

use forecasting::{Method, Model};
use proptest::prelude::*;

const METHODS: [Method; 6] =
    [Method::Naive, Method::SeasonalNaive, Method::Ets, Method::Theta, Method::Mstl, Method::Auto];

fn hard() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(f64::MAX), Just(-f64::MAX), Just(5e-324), Just(1.0), 1.0..9.0f64, any::<f64>()]
        .prop_map(|value| if value.is_finite() { value } else { 3.0 })
}

fn positive() -> impl Strategy<Value = f64> {
    prop_oneof![Just(f64::MAX), Just(5e-324), 1.0..9.0f64, (1e-300..1e300f64)]
}

/// Forecasts are numbers, and the numbers of a model make the same one.
fn check(model: &Model) -> Result<(), TestCaseError> {
    let forecast = model.forecast(30);
    let is_wrong = |deviation: &f64| deviation.is_nan() || *deviation < 0.0;
    prop_assert!(!forecast.means.iter().any(|mean| mean.is_nan()), "{model:?}");
    prop_assert!(!forecast.deviations.iter().any(is_wrong), "{model:?}");
    let again = Model::of_numbers(&model.numbers());
    prop_assert_eq!(again.as_ref(), Some(model));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_series_gives_a_forecast_that_is_no_number(
        series in prop_oneof![prop::collection::vec(hard(), 1..70), prop::collection::vec(positive(), 1..70)],
        more in prop::collection::vec(hard(), 0..9),
        seasons in prop::collection::vec(0..40usize, 0..3),
    ) {
        for method in METHODS {
            let mut model = Model::fit(&series, &seasons, method).unwrap();
            check(&model)?;
            for value in &more {
                if !model.update(*value) {
                    break;
                }
                check(&model)?;
            }
        }
    }

    /// A model of values that are a power of two times as large is the same.
    #[test]
    fn forecasts_do_not_depend_on_the_unit(series in prop::collection::vec(1.0..100.0f64, 5..60), season in 1..8usize) {
        for method in METHODS {
            let forecast = Model::fit(&series, &[season], method).unwrap().forecast(5);
            let larger: Vec<f64> = series.iter().map(|value| value * 1024.0).collect();
            prop_assert_eq!(Model::fit(&larger, &[season], method).unwrap().forecast(5), forecast.times(1024.0));
        }
    }

    /// Anything but what a model wrote is refused, or is another model.
    #[test]
    fn damaged_numbers_make_no_panic(series in prop::collection::vec(1.0..9.0f64, 20..40), at: prop::sample::Index, other in hard(), cut: bool) {
        let mut numbers = Model::fit(&series, &[4], Method::Auto).unwrap().numbers();
        let at = at.index(numbers.len());
        if cut {
            numbers.truncate(at);
            prop_assert_eq!(Model::of_numbers(&numbers), None);
        } else {
            numbers[at] = other;
            if let Some(model) = Model::of_numbers(&numbers) {
                prop_assert_eq!(model.forecast(5).means.len(), 5);
            }
        }
    }
}

#[test]
fn an_empty_series_and_one_with_infinite_values_have_no_model() {
    for method in METHODS {
        assert_eq!(Model::fit(&[], &[7], method), None);
        assert_eq!(Model::fit(&[1.0, f64::INFINITY], &[], method), None);
        assert_eq!(Model::fit(&[1.0, f64::NAN], &[], method), None);
    }
}

/// A straight line goes on; a constant stays.
#[test]
fn what_is_certain_is_forecast() {
    let line: Vec<f64> = (0..40).map(|at| 100.0 + 3.0 * f64::from(at)).collect();
    for method in [Method::Ets, Method::Mstl] {
        let forecast = Model::fit(&line, &[], method).unwrap().forecast(3);
        for (mean, expected) in forecast.means.iter().zip([220.0, 223.0, 226.0]) {
            assert!((mean - expected).abs() < 1e-3, "{method:?}: {forecast:?}");
        }
    }
    for method in METHODS {
        let forecast = Model::fit(&[7.0; 50], &[5], method).unwrap().forecast(4);
        assert!(forecast.means.iter().all(|mean| (mean - 7.0).abs() < 1e-6), "{method:?}: {forecast:?}");
    }
}

/// With the parameters kept, values taken one by one lead to the state that a run over all of them has.
#[test]
fn a_model_that_is_updated_follows_the_series() {
    let value = |at: usize| 50.0 + at as f64 + [0.0, 9.0, -4.0, 2.0][at % 4];
    let series: Vec<f64> = (0..80).map(value).collect();
    for method in [Method::SeasonalNaive, Method::Ets, Method::Theta, Method::Mstl, Method::Auto] {
        let mut model = Model::fit(&series[..60], &[4], method).unwrap();
        assert!(series[60..].iter().all(|value| model.update(*value)));
        let forecast = model.forecast(8);
        let step = if method == Method::SeasonalNaive { 4.0 } else { 0.0 };
        // Theta takes the season for one that multiplies: of a rising series it is not.
        let tolerance = if method == Method::Theta { 6.0 } else { 1.0 };
        for (at, mean) in (80..).zip(&forecast.means).take(4) {
            assert!((mean - value(at) + step).abs() < tolerance, "{method:?}: {at} {mean} {}", value(at));
        }
    }
}
