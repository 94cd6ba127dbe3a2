//! For CI servers.

use std::collections::BTreeMap;
use std::path::Path;

use millpipe::Error;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::outcome::{Failure, Outcome};

/// Writes the report.
///
/// # Errors
/// The disk's.
pub fn junit(outcomes: &[Outcome], to: &Path) -> Result<(), Error> {
    let mut report = Report::new("pipetest");
    let mut suites: BTreeMap<&Path, TestSuite> = BTreeMap::new();
    for outcome in outcomes {
        let name = outcome.file.to_string_lossy().into_owned();
        let suite = suites.entry(&outcome.file).or_insert_with(|| TestSuite::new(name));
        suite.add_test_case(case(outcome));
    }
    report.add_test_suites(suites.into_values());
    let text = report.to_string().map_err(|error| Error::data(format_args!("{}: {error}", to.display())))?;
    std::fs::write(to, text).map_err(|error| Error::io(to.display(), &error))
}

fn case(outcome: &Outcome) -> TestCase {
    let status = match &outcome.failure {
        None => TestCaseStatus::success(),
        Some(failure) => failed(failure),
    };
    let mut case = TestCase::new(outcome.name.as_str(), status);
    case.set_classname(outcome.file.to_string_lossy().into_owned());
    case.set_time(outcome.took);
    case
}

fn failed(failure: &Failure) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let what: Vec<&str> = failure.problems.iter().map(|problem| problem.what.as_str()).collect();
    let shown = failure.problems.iter().flat_map(|problem| std::iter::once(&problem.what).chain(&problem.shown));
    let lines: Vec<&str> = shown.chain(&failure.first_stage).map(String::as_str).collect();
    status.set_message(format!("{}: {}", failure.way, what.join("; ")));
    status.set_description(lines.join("\n"));
    status
}
