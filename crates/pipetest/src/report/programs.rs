//! For programs: TAP 14, and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::outcome::{Failure, Outcome};

/// Returns the first lines of TAP, for this many tests.
#[must_use]
pub fn tap_head(tests: usize) -> String {
    format!("TAP version 14\n1..{tests}\n")
}

/// Returns the lines of one test, with its number from 1.
#[must_use]
pub fn tap(number: usize, outcome: &Outcome) -> String {
    let word = if outcome.is_good() { "ok" } else { "not ok" };
    // A sharp begins a word for the reader.
    let name = outcome.name.replace('\\', "\\\\").replace('#', "\\#");
    let mut text = format!("{word} {number} - {name}\n  ---\n");
    let mut say = |name: &str, value: Value| {
        // A text takes all; JSON is YAML.
        let _ = writeln!(text, "  {name}: {value}");
    };
    say("duration_ms", millis(outcome).into());
    say("at", format!("{}:{}", outcome.file.display(), outcome.line).into());
    if let Some(failure) = &outcome.failure {
        say("way", failure.way.to_string().into());
        say("problems", problems(failure));
    }
    text.push_str("  ...\n");
    text
}

/// Returns the object of one test.
#[must_use]
pub fn json(outcome: &Outcome) -> Value {
    let Outcome { file, line, name, failure, runs, kept, .. } = outcome;
    let mut object = json!({
        "test": name, "file": file.to_string_lossy(), "line": line, "ok": outcome.is_good(),
        "ms": millis(outcome), "runs": runs,
    });
    if let Some(failure) = failure {
        object["way"] = failure.way.to_string().into();
        object["problems"] = problems(failure);
        object["first_stage"] = failure.first_stage.first().cloned().into();
        object["kept"] = kept.as_ref().map(|kept| kept.join("failed").to_string_lossy().into_owned()).into();
    }
    object
}

fn problems(failure: &Failure) -> Value {
    let of_one = |problem: &crate::check::Problem| json!({ "what": problem.what, "stage": problem.stage, "shown": problem.shown });
    failure.problems.iter().map(of_one).collect()
}

fn millis(outcome: &Outcome) -> u64 {
    u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX)
}
