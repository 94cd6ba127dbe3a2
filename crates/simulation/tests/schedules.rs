//! Thousands of short schedules: whatever crashes, the output is that of an undisturbed run.
#![allow(clippy::unwrap_used, clippy::panic)]

use simulation::{End, Limits, PIPELINES, Report, Settings, TARGETS, play, soak};

fn schedules(settings: Settings, schedules: u64) -> Report {
    let report = soak(settings, Limits { schedules, goes_on: &mut |_| true });
    if let Some(failure) = report.failure {
        panic!("{failure}");
    }
    report
}

#[test]
fn nothing_is_lost_or_doubled_whatever_crashes() {
    let tally = schedules(Settings::default(), 2_000).tally;
    // What is not in the schedules is not tested by them.
    assert!(tally.kills > 1_000 && tally.stops > 1_000 && tally.machine_crashes > 300, "{tally:?}");
    assert!(tally.unheard_commits > 10 && tally.fenced > 30 && tally.comparisons_failed > 10, "{tally:?}");
}

#[test]
fn every_pipeline_survives_with_every_target() {
    for (at, pipeline) in PIPELINES.iter().enumerate() {
        for (to, target) in TARGETS.iter().enumerate() {
            let seed = 1_000_000 * (1 + at as u64) + 10_000 * to as u64;
            let settings =
                Settings { seed, pipeline: Some(pipeline.name), target: Some(*target), ..Settings::default() };
            schedules(settings, 5);
        }
    }
}

#[test]
fn pipelines_with_little_memory_spill() {
    for pipeline in PIPELINES.iter().filter(|pipeline| pipeline.name.contains("spilled")) {
        let tally = schedules(Settings { pipeline: Some(pipeline.name), ..Settings::default() }, 10).tally;
        assert!(tally.spilled_bytes > 0, "{}: {tally:?}", pipeline.name);
    }
}

#[test]
fn the_same_seed_gives_the_same_steps() {
    for seed in [3, 17, 99] {
        let story = || play(Settings { seed, is_told: true, ..Settings::default() }).story;
        let first = story();
        assert!(first.len() > 100, "{first:?}");
        assert_eq!(first, story(), "seed {seed}");
    }
}

#[test]
fn a_schedule_that_ends_well_says_so() {
    assert_eq!(play(Settings::default()).end, End::Well);
}
