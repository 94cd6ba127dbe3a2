//! Many schedules, one after the other.

use std::fmt;

use crate::schedule::{End, Outcome, Settings, play};
use crate::tally::Tally;

/// When to end.
pub struct Limits<'a> {
    pub schedules: u64,
    /// Asked before each schedule: is there time for one more?
    pub goes_on: &'a mut dyn FnMut(&Tally) -> bool,
}

/// What came of many schedules.
#[derive(Debug, Default)]
pub struct Report {
    pub tally: Tally,
    /// The first that failed.
    pub failure: Option<Failure>,
    /// Schedules in which a lossy program was found by its counts.
    pub found_by_count: u64,
}

/// A schedule that failed, with all that is needed to play it again.
#[derive(Debug)]
pub struct Failure {
    pub seed: u64,
    /// The one that was asked for: without it the seed chooses another one.
    pub pipeline: Option<&'static str>,
    pub kind: String,
    pub why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, pipeline, kind, why } = self;
        let pipeline = pipeline.map(|name| format!(" --pipeline {name}")).unwrap_or_default();
        writeln!(f, "seed {seed} ({kind}): {why}")?;
        write!(f, "play it again: cargo run --release -p simulation -- --seed {seed}{pipeline} --verbose")
    }
}

/// Plays schedules with the seeds from `settings.seed` on, up to the first failure.
pub fn soak(settings: Settings, limits: Limits<'_>) -> Report {
    let mut report = Report::default();
    for seed in (settings.seed..).take(usize::try_from(limits.schedules).unwrap_or(usize::MAX)) {
        if !(limits.goes_on)(&report.tally) {
            break;
        }
        let Outcome { kind, end, tally, .. } = play(Settings { seed, ..settings });
        report.tally.add(&tally);
        match end {
            End::Well => {}
            End::FoundByCount(_) => report.found_by_count += 1,
            End::Failed(why) => {
                report.failure = Some(Failure { seed, pipeline: settings.pipeline, kind, why });
                break;
            }
        }
    }
    report
}
