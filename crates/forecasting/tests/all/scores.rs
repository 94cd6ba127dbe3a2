//! How good forecasts are on 360 series of M3, M4 and tourism, as the M4 competition measures it: OWA, against Naive2 = 1.

use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use forecasting::Part;
use forecasting::accuracy::{Accuracy, scale};
use forecasting::season_figure::{SeasonFigure, is_seasonal};
use forecasting::{Forecast, Method, Model};
use serde_json::Value;

struct Series {
    season: usize,
    train: Vec<f64>,
    test: Vec<f64>,
}

fn all_series() -> Option<Vec<Series>> {
    let file = File::open(testkit::shared("analytics/forecasts.ndjson.gz")?).unwrap();
    let series = BufReader::new(GzDecoder::new(file)).lines().map(|line| {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let numbers = |name: &str| line[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        Series { season: line["m"].as_u64().unwrap() as usize, train: numbers("train"), test: numbers("test") }
    });
    Some(series.collect())
}

/// The last value without its season, and the season of the next steps.
fn naive2(series: &Series) -> Vec<f64> {
    let (train, season) = (&series.train, series.season);
    let last = train.len() - 1;
    let steps = train.len()..train.len() + series.test.len();
    match SeasonFigure::of(train, season, Part::Multiplicative).filter(|_| is_seasonal(train, season)) {
        Some(figure) => steps.map(|at| figure.with(figure.without(train[last], last), at)).collect(),
        None => steps.map(|_| train[last]).collect(),
    }
}

/// sMAPE and MASE of a forecast, and how much of it is within the bounds of 95 %.
fn measure(series: &Series, forecast: &Forecast) -> [f64; 3] {
    let mut accuracy = Accuracy::default();
    let scale = scale(&series.train, series.season);
    for ((value, mean), bounds) in series.test.iter().zip(&forecast.means).zip(forecast.bounds(95.0)) {
        accuracy.add(*value, *mean, &[bounds], scale);
    }
    [accuracy.smape().unwrap(), accuracy.mase().unwrap_or(f64::NAN), accuracy.coverage(0).unwrap()]
}

/// The mean of those that there are.
fn mean(all: &[[f64; 3]], measure: usize) -> f64 {
    let there: Vec<f64> = all.iter().map(|of| of[measure]).filter(|of| !of.is_nan()).collect();
    there.iter().sum::<f64>() / there.len() as f64
}

/// OWA, and the coverage of the bounds of 95 %.
fn score(all: &[Series], method: Method) -> (f64, f64) {
    let of_naive2: Vec<[f64; 3]> = all
        .iter()
        .map(|series| measure(series, &Forecast::new(naive2(series), vec![0.0; series.test.len()])))
        .collect();
    let of_model = |series: &Series| {
        let model = Model::fit(&series.train, &[series.season], method).unwrap();
        measure(series, &model.forecast(series.test.len()))
    };
    let ours: Vec<[f64; 3]> = all.iter().map(of_model).collect();
    let ratio = |measure| mean(&ours, measure) / mean(&of_naive2, measure);
    (f64::midpoint(ratio(0), ratio(1)), mean(&ours, 2))
}

/// The limits are those of statsforecast's AutoETS (0.867) and AutoTheta (0.898) on these series, and of the goals of the tool.
#[test]
fn forecasts_are_better_than_those_of_statsforecast() {
    let Some(all) = all_series() else { return };
    assert_eq!(all.len(), 360);
    for (method, worst) in [(Method::Ets, 0.867), (Method::Theta, 0.898), (Method::Mstl, 0.91), (Method::Auto, 0.83)] {
        let (owa, coverage) = score(&all, method);
        assert!(owa <= worst, "{method:?}: OWA {owa}, coverage {coverage}");
        if method == Method::Auto {
            assert!((93.0..=97.0).contains(&coverage), "{coverage} % are within the bounds of 95 %");
        }
    }
}
