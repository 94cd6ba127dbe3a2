//! `--batch` against statsmodels: `fixtures/make.py` made the fixtures, and says how.

use serde_json::Value;
use testkit::run;

/// The absolute difference that is allowed; values are below 200.
const TOLERANCE: f64 = 1e-6;

#[test]
fn whole_series_have_the_parts_of_statsmodels() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("fixtures/whole_series.json")).unwrap();
    assert_eq!(cases.len(), 5);
    for case in &cases {
        let series = case["series"].as_array().unwrap();
        let input: String =
            series.iter().enumerate().map(|(n, v)| format!("{{\"timestamp\":{n},\"value\":{v}}}\n")).collect();
        let flags = case["flags"].as_str().unwrap();
        let args: Vec<&str> = flags.split_whitespace().chain(["--batch"]).collect();
        let ran = run(env!("CARGO_BIN_EXE_decompose"), &args, input.as_str());
        let lines: Vec<Value> = ran.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), series.len());
        for (at, line) in lines.iter().enumerate() {
            is_right(line, case, at, flags);
        }
    }
}

fn is_right(line: &Value, case: &Value, at: usize, flags: &str) {
    let near = |name: &str, right: &Value| {
        let (ours, right) = (line[name].as_f64().unwrap(), right.as_f64().unwrap());
        assert!((ours - right).abs() < TOLERANCE, "{name} at {at} with {flags}: {ours}, statsmodels {right}");
    };
    for (name, right) in case["members"].as_object().unwrap() {
        near(name, &right[at]);
    }
    near("season_strength", &case["season_strength"]);
}
