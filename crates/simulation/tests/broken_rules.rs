//! Each rule of the protocol is broken: the simulation must find out, or the rule is not tested.
#![allow(clippy::unwrap_used, clippy::panic)]

use simulation::{Broken, Failure, Limits, Report, Settings, soak};

fn broken(broken: Broken, schedules: u64) -> Report {
    soak(Settings { broken: Some(broken), ..Settings::default() }, Limits { schedules, goes_on: &mut |_| true })
}

/// The failure that shows within so many schedules.
fn found(rule: Broken, schedules: u64) -> Failure {
    let report = broken(rule, schedules);
    report.failure.unwrap_or_else(|| panic!("{rule:?} is broken, and {schedules} schedules found nothing"))
}

#[test]
fn runs_of_the_same_name_overwrite_each_others_snapshots() {
    found(Broken::RunIds, 300);
}

#[test]
fn a_sink_that_does_not_compare_doubles_lines_or_rejects() {
    let failure = found(Broken::Comparison, 600);
    assert!(failure.why.contains("doubled"), "{failure}");
}

#[test]
fn a_snapshot_that_was_not_synced_is_torn_by_a_crash() {
    found(Broken::FileSync, 300);
}

#[test]
fn a_rename_that_was_not_synced_is_lost_in_a_crash() {
    found(Broken::FolderSync, 300);
}

#[test]
fn snapshots_that_are_removed_before_the_first_commit_are_missed() {
    let failure = found(Broken::Prune, 300);
    // Which of the two is said first depends on who looks first: a stage, or a sink.
    let is_missed = ["no such snapshot", "has no state of it"].iter().any(|words| failure.why.contains(words));
    assert!(is_missed, "{failure}");
}

#[test]
fn a_program_that_drops_or_doubles_lines_makes_wrong_output_when_nobody_counts() {
    let failure = found(Broken::MendedCounts, 20);
    assert!(failure.why.contains("wrong or doubled") || failure.why.contains("lost"), "{failure}");
}

#[test]
fn a_program_that_drops_or_doubles_lines_is_found_before_anything_wrong_is_committed() {
    let report = broken(Broken::LossyProgram, 200);
    if let Some(failure) = report.failure {
        panic!("{failure}");
    }
    assert!(report.found_by_count > 60, "found in {} of 200 schedules", report.found_by_count);
}
