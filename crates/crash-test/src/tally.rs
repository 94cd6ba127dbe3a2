//! What happened, in numbers: the report.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::children::End;
use crate::choice::Target;
use crate::compare::Comparison;

/// Counts of one test.
#[derive(Default)]
pub struct Tally {
    pub kills: u64,
    by_target: BTreeMap<String, u64>,
    by_process: BTreeMap<String, u64>,
    pub starts: u64,
    ends: BTreeMap<End, u64>,
    pub flow: Flow,
    /// Names of all processes that a kill could have met.
    pub names: BTreeSet<String>,
}

impl Tally {
    /// One kill, and the processes that it met.
    pub fn kill(&mut self, target: &Target, names: &[String]) {
        self.kills += 1;
        *self.by_target.entry(target.to_string()).or_default() += 1;
        for name in names {
            *self.by_process.entry(name.clone()).or_default() += 1;
        }
    }

    pub fn end(&mut self, end: End) {
        *self.ends.entry(end).or_default() += 1;
    }

    fn ends(&self) -> Value {
        let ends = self.ends.iter().map(|(end, count)| match end {
            End::Code(code) => (code.to_string(), json!(count)),
            End::Signal(_) => (end.to_string(), json!(count)),
        });
        Value::Object(ends.collect())
    }
}

/// How long it takes from a kill to the first commit of what was started then.
#[derive(Default)]
pub struct Flow {
    waiting: Option<Waiting>,
    samples: Vec<(Waiting, Duration)>,
}

struct Waiting {
    target: Target,
    since: Instant,
}

impl Flow {
    /// A kill begins a measurement; a kill before the end of the last one replaces it.
    pub fn strike(&mut self, target: &Target, now: Instant) {
        self.waiting = Some(Waiting { target: target.clone(), since: now });
    }

    /// When the kill was whose first commit is waited for.
    pub fn waits_since(&self) -> Option<Instant> {
        self.waiting.as_ref().map(|waiting| waiting.since)
    }

    /// A pipeline can outlive its broker's death: the first commit after it need not be a new start's.
    pub fn waits_for_broker(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.target == Target::Broker)
    }

    /// The commit that is waited for.
    pub fn commit(&mut self, now: Instant) -> Option<Duration> {
        let waiting = self.waiting.take()?;
        let took = now - waiting.since;
        self.samples.push((waiting, took));
        Some(took)
    }

    /// The kill was none that a pipeline must get up after.
    pub fn forget(&mut self) {
        self.waiting = None;
    }

    /// The last one was no commit: goes on waiting.
    pub fn withdraw(&mut self) {
        if let Some((waiting, _)) = self.samples.pop() {
            self.waiting.get_or_insert(waiting);
        }
    }

    fn report(&self) -> Value {
        let mut kinds: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
        for (waiting, took) in &self.samples {
            kinds.entry(waiting.target.to_string()).or_default().push(*took);
        }
        let mut report = quantiles(self.samples.iter().map(|(_, took)| *took).collect());
        if kinds.len() > 1 {
            let by_kind = kinds.into_iter().map(|(kind, took)| (kind, quantiles(took).into()));
            report.insert("by".to_owned(), Value::Object(by_kind.collect()));
        }
        report.into()
    }
}

/// By nearest rank.
fn quantiles(mut samples: Vec<Duration>) -> Map<String, Value> {
    samples.sort_unstable();
    let rank = |percent: usize| (samples.len() * percent).div_ceil(100).max(1) - 1;
    let at = |index: usize| samples.get(index).map(Duration::as_millis);
    let values = [
        ("count", json!(samples.len())),
        ("p50", json!(at(rank(50)))),
        ("p99", json!(at(rank(99)))),
        ("max", json!(at(samples.len().saturating_sub(1)))),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What is said at the end.
pub struct Report<'a> {
    pub verdict: &'a str,
    pub kills_asked: u64,
    pub tally: &'a Tally,
    pub comparison: Option<&'a Comparison>,
    pub seed: u64,
    pub elapsed: Duration,
}

impl Report<'_> {
    /// One line.
    pub fn json(&self) -> String {
        let tally = self.tally;
        let report = json!({
            "verdict": self.verdict,
            "kills": {"asked": self.kills_asked, "done": tally.kills, "by": tally.by_target, "processes": tally.by_process},
            "starts": tally.starts,
            "ends": tally.ends(),
            "flows_again_ms": tally.flow.report(),
            "lines": self.comparison.map(lines),
            "seed": self.seed,
            "seconds": (self.elapsed.as_secs_f64() * 100.0).round() / 100.0,
        });
        format!("{report}\n")
    }
}

fn lines(comparison: &Comparison) -> Value {
    let Comparison { expected, got, lost, doubled, wrong, order_differs_at, .. } = comparison;
    json!({"expected": expected, "got": got, "lost": lost, "doubled": doubled, "wrong": wrong,
        "order_differs_at": order_differs_at})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_that_nothing_flowed_after_does_not_count_from_then() {
        let mut flow = Flow::default();
        let start = Instant::now();
        flow.strike(&Target::Any, start);
        flow.strike(&Target::All, start + Duration::from_secs(5));
        assert_eq!(flow.commit(start + Duration::from_secs(6)), Some(Duration::from_secs(1)));
        assert_eq!(flow.commit(start + Duration::from_secs(7)), None);
        assert_eq!(flow.report(), json!({"count": 1, "p50": 1000, "p99": 1000, "max": 1000}));
    }

    #[test]
    fn the_report_is_one_line_also_of_a_test_that_had_no_kill() {
        let tally = Tally::default();
        let elapsed = Duration::from_millis(1234);
        let report = Report { verdict: "broken", kills_asked: 3, tally: &tally, comparison: None, seed: 7, elapsed };
        let expected =
            r#"{"verdict":"broken","kills":{"asked":3,"done":0,"by":{},"processes":{}},"starts":0,"ends":{},"#;
        let text = report.json();
        assert!(
            text.starts_with(expected) && text.ends_with("\"lines\":null,\"seed\":7,\"seconds\":1.23}\n"),
            "{text}"
        );
    }

    #[test]
    fn quantiles_are_values_that_were_there() {
        let samples = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(Value::from(quantiles(samples)), json!({"count": 200, "p50": 100, "p99": 198, "max": 200}));
        assert_eq!(Value::from(quantiles(Vec::new())), json!({"count": 0, "p50": null, "p99": null, "max": null}));
    }
}
