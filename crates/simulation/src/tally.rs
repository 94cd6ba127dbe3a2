//! What has happened in schedules.

use serde_json::{Value, json};

/// Counts over one schedule or many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub schedules: u64,
    pub steps: u64,
    /// Times that a pipe was started.
    pub runs: u64,
    pub kills: u64,
    pub stops: u64,
    pub terminations: u64,
    pub machine_crashes: u64,
    pub disk_errors: u64,
    pub commits: u64,
    /// Commits whose sink was dead, or was told that nobody knows.
    pub unheard_commits: u64,
    /// Commits of a sink that a younger one had made powerless.
    pub fenced: u64,
    /// Runs that ended because the target knew another commit than the source had seen.
    pub comparisons_failed: u64,
    pub lines_committed: u64,
    /// What stages have sent to disk for want of memory.
    pub spilled_bytes: u64,
    /// The longest that a pipe which nothing disturbs any more took to end well, restarts included; simulated time.
    pub recovery_ms_max: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.runs += other.runs;
        self.kills += other.kills;
        self.stops += other.stops;
        self.terminations += other.terminations;
        self.machine_crashes += other.machine_crashes;
        self.disk_errors += other.disk_errors;
        self.commits += other.commits;
        self.unheard_commits += other.unheard_commits;
        self.fenced += other.fenced;
        self.comparisons_failed += other.comparisons_failed;
        self.lines_committed += other.lines_committed;
        self.spilled_bytes += other.spilled_bytes;
        self.recovery_ms_max = self.recovery_ms_max.max(other.recovery_ms_max);
    }

    pub fn json(&self) -> Value {
        json!({
            "schedules": self.schedules, "steps": self.steps, "runs": self.runs, "kills": self.kills,
            "stops": self.stops, "terminations": self.terminations, "machine_crashes": self.machine_crashes,
            "disk_errors": self.disk_errors, "commits": self.commits, "unheard_commits": self.unheard_commits,
            "fenced": self.fenced, "comparisons_failed": self.comparisons_failed,
            "lines_committed": self.lines_committed, "spilled_bytes": self.spilled_bytes,
            "recovery_ms_max": self.recovery_ms_max,
        })
    }
}
