//! Cases of public engines' tests, said in our flags: `cases.ndjson`.
//!
//! Where the shared cases are, the rows of both must be the same.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use testkit::{run, shared};

const MATCH_PATTERN: &str = env!("CARGO_BIN_EXE_match-pattern");
const CASES: &str = include_str!("cases.ndjson");

fn cases(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().unwrap().clone()
}

/// The members of a row that the case wants.
fn wanted(row: &Value, expected: &[Value]) -> BTreeMap<String, Value> {
    let names = expected.first().and_then(Value::as_object).into_iter().flat_map(|first| first.keys());
    names.map(|name| (name.clone(), row[name].clone())).collect()
}

fn gives_its_rows(case: &Value) {
    let args: Vec<String> = list(&case["args"]).iter().map(|arg| arg.as_str().unwrap().to_owned()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let input: String = list(&case["input"]).iter().map(|row| format!("{row}\n")).collect();
    let ran = run(MATCH_PATTERN, &args, &input);
    let name = &case["name"];
    match case["error"].as_str() {
        Some(error) => assert!(ran.code == Some(1) && ran.stderr.contains(error), "{name}: {}", ran.stderr),
        None => assert_eq!(ran.code, Some(0), "{name}: {}", ran.stderr),
    }
    let expected = list(&case["expected"]);
    let rows = cases(&ran.stdout);
    let text = |row: &Value| format!("{:?}", wanted(row, &expected));
    let (mut got, mut expected): (Vec<_>, Vec<_>) =
        (rows.iter().map(text).collect(), expected.iter().map(text).collect());
    if case["ordered"] == false {
        got.sort();
        expected.sort();
    }
    assert_eq!(got, expected, "{name}");
}

#[test]
fn each_case_gives_the_rows_that_are_stated() {
    let cases = cases(CASES);
    assert_eq!(cases.len(), 69);
    cases.iter().for_each(gives_its_rows);
}

/// The pattern, the rows and the errors are those that the engines' tests state.
#[test]
fn the_cases_are_those_that_are_shared() {
    let Some(path) = shared("match/cases.ndjson") else { return };
    let theirs = cases(&fs::read_to_string(path).unwrap());
    let ours = cases(CASES);
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        for member in ["name", "input", "expected", "error", "ordered"] {
            assert_eq!(ours[member], theirs[member], "{}: {member}", ours["name"]);
        }
        let args = list(&ours["args"]);
        let at = args.iter().position(|arg| arg == "--pattern").unwrap();
        assert_eq!(args[at + 1], theirs["pattern"], "{}", ours["name"]);
    }
}
