//! Results of other programs.

use std::collections::BTreeMap;

use accumulators::Table;
use serde::Deserialize;
use serde_json::Value;

use super::{feed, numbered, plan, results};

/// What other programs found: see references.py.
#[derive(Deserialize)]
struct Case {
    name: String,
    x: Vec<f64>,
    y: Vec<Option<f64>>,
    w: Vec<f64>,
    t: Vec<i64>,
    numpy: BTreeMap<String, Value>,
    duckdb: BTreeMap<String, Value>,
    exact: BTreeMap<String, Value>,
}

impl Case {
    fn lines(&self) -> Vec<String> {
        let line = |n: usize| {
            let y = self.y[n].map_or("null".to_owned(), |y| format!("{y:?}"));
            format!("{{\"x\":{:?},\"y\":{y},\"w\":{:?},\"t\":{}}}", self.x[n], self.w[n], self.t[n])
        };
        (0..self.x.len()).map(line).collect()
    }
}

fn is_near(found: &Value, expected: &Value, tolerance: f64) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            (found - expected).abs() <= tolerance * expected.abs()
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| is_near(a, b, tolerance))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && expected.iter().all(|(name, value)| is_near(&found[name], value, tolerance))
        }
        (found, expected) => found == expected,
    }
}

/// In one group, and merged of parts of seven lines.
#[test]
fn results_are_those_of_numpy_scipy_and_duckdb() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("references.json")).unwrap();
    for case in cases {
        for (library, expected) in [("numpy", &case.numpy), ("duckdb", &case.duckdb), ("exact", &case.exact)] {
            let names: Vec<String> = expected.keys().map(|spec| format!("{}={spec}", spec.replace(':', " "))).collect();
            let plan = plan(&names.iter().map(String::as_str).collect::<Vec<_>>());
            let mut table = Table::new(&plan);
            let lines = numbered(&case.lines());
            let (whole, merged) = (feed(&plan, &mut table, &lines), table.push());
            for part in lines.chunks(7) {
                let mut other = Table::new(&plan);
                let group = feed(&plan, &mut other, part);
                table.merge(merged, &other, group).unwrap();
            }
            for group in [whole, merged] {
                let found: Value = serde_json::from_str(&results(&table, group)).unwrap();
                for (spec, expected) in expected {
                    let found = &found[spec.replace(':', " ")];
                    assert!(is_near(found, expected, 1e-9), "{}, {spec}: {found}, {library} {expected}", case.name);
                }
            }
        }
    }
}
