//! For people.

use std::fmt::Write as _;

use crate::outcome::{Failure, Outcome, Way};
use crate::stages::Stage;

/// Returns the lines of one test.
#[must_use]
pub fn told(outcome: &Outcome) -> String {
    let word = if outcome.is_good() { "pass" } else { "FAIL" };
    let place = format!("{}:{}", outcome.file.display(), outcome.line);
    let runs = if outcome.runs > 1 { format!(", {} runs", outcome.runs) } else { String::new() };
    let mut text = format!("{word}  {place}  {}  ({} ms{runs})\n", outcome.name, outcome.took.as_millis());
    if let Some(failure) = &outcome.failure {
        tell_failure(failure, &mut text);
        if let Some(kept) = &outcome.kept {
            line(&mut text, format_args!("kept in {}", kept.join("failed").display()));
        }
    }
    text
}

fn tell_failure(failure: &Failure, text: &mut String) {
    if failure.way != Way::Plain {
        line(text, format_args!("when it is {}:", failure.way));
    }
    for problem in &failure.problems {
        line(text, format_args!("{}", problem.what));
        problem.shown.iter().for_each(|shown| line(text, format_args!("  {shown}")));
    }
    failure.first_stage.iter().for_each(|words| line(text, format_args!("{words}")));
    if !failure.stages.is_empty() {
        line(text, format_args!("stages: {}", stages(&failure.stages)));
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // A text takes all.
    let _ = writeln!(text, "      {words}");
}

fn stages(stages: &[Stage]) -> String {
    let all: Vec<String> = stages.iter().map(|stage| format!("{}: {}", stage.title(), stage.books())).collect();
    all.join(" | ")
}

/// Returns the last line.
#[must_use]
pub fn summary(outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter(|outcome| !outcome.is_good()).count();
    let passed = outcomes.len() - failed;
    if failed == 0 { format!("{passed} passed\n") } else { format!("{passed} passed, {failed} failed\n") }
}
