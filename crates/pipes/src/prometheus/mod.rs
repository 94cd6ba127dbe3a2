//! The text format of Prometheus, version 0.0.4.
//!
//! Each running stage has its metrics with the labels `pipeline`, `stage` and `hop`, and `shard` in a sub-pipe. Keys and messages are
//! never labels. Of a dead stage there is whether it is up and its exit code.

mod families;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::explain::is_stuck;
use crate::facts::Facts;
use crate::machine::Look;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::{Life, Stage};
use families::{Kind, OF_STAGES, WAITS, longest, waited};

/// Stages beyond are left out, and counted.
const STAGES_MAX: usize = 2_000;

/// Of a source those partitions are told that have the most lag.
const PARTITIONS_MAX: usize = 100;

/// The exit code of a process that was killed, as a shell tells it.
const KILLED: f64 = 137.0;

/// Returns the metrics of all pipelines. A pipeline that has ended and was started again is left out.
pub fn text(look: &Look) -> String {
    let pipelines: Vec<&Pipeline> = look.current();
    let (labelled, left_out) = labelled(&pipelines);
    let mut page = Page::default();
    page.alone("millpipe_pipelines", "Pipelines that run, or ended within ten minutes.", pipelines.len());
    page.alone("millpipe_stages_left_out", "Stages beyond the limit of 2000.", left_out);
    page.alone("millpipe_files_passed_over", "Metrics files that could not be read.", look.passed_over.count);
    page.family("millpipe_pipeline_stuck", Kind::Gauge, "1 when pipes explain finds what is stuck.");
    for pipeline in pipelines.iter().filter(|pipeline| pipeline.is_running()) {
        let labels = format!("pipeline=\"{}\"", escaped(&pipeline.name));
        page.value(&labels, f64::from(u8::from(is_stuck(pipeline, look.at_ms))));
    }
    lives(&labelled, &mut page);
    let running: Vec<&Labelled> = labelled.iter().filter(|labelled| labelled.stage.is_running()).collect();
    for family in &OF_STAGES {
        page.family(family.name, family.kind, family.help);
        for Labelled { stage, facts, labels } in &running {
            page.maybe(labels, (family.value)(stage, facts));
        }
    }
    waits(&running, &mut page);
    partitions(&running, &mut page);
    page.text
}

/// A stage with its labels.
struct Labelled<'l> {
    stage: &'l Stage,
    facts: &'l Facts,
    labels: String,
}

/// No two have the same labels. The count is of those that are left out.
fn labelled<'l>(pipelines: &[&'l Pipeline]) -> (Vec<Labelled<'l>>, usize) {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut left_out = 0;
    for pipeline in pipelines {
        for (at, stage) in pipeline.stages.iter().enumerate() {
            let Some(facts) = &stage.facts else { continue };
            if found.len() == STAGES_MAX {
                left_out += 1;
                continue;
            }
            let hop = facts.hop.map_or_else(|| at.to_string(), |hop| hop.to_string());
            let [name, tool] = [&pipeline.name, &stage.name].map(|text| escaped(text));
            let mut labels = format!("pipeline=\"{name}\",stage=\"{tool}\",hop=\"{hop}\"");
            if let Some(shard) = &facts.shard {
                let _ = write!(labels, ",shard=\"{}\"", escaped(shard));
            }
            if !seen.insert(labels.clone()) {
                let _ = write!(labels, ",pid=\"{}\"", stage.pid);
            }
            found.push(Labelled { stage, facts, labels });
        }
    }
    (found, left_out)
}

fn lives(labelled: &[Labelled], page: &mut Page) {
    page.family("millpipe_stage_up", Kind::Gauge, "1 while the stage runs.");
    for Labelled { stage, labels, .. } in labelled {
        page.value(labels, f64::from(u8::from(stage.is_running())));
    }
    page.family("millpipe_stage_exit_code", Kind::Gauge, "How the stage ended; 137 when it was killed.");
    for Labelled { stage, labels, .. } in labelled {
        let code = match stage.life {
            Life::Ended { code, .. } => Some(f64::from(code)),
            Life::Killed { .. } => Some(KILLED),
            Life::Running | Life::Gone { .. } => None,
        };
        page.maybe(labels, code);
    }
}

fn waits(running: &[&Labelled], page: &mut Page) {
    page.family("millpipe_wait_seconds_total", Kind::Counter, "Time that the stage has waited.");
    page.by_wait(running, waited);
    page.family("millpipe_longest_wait_seconds", Kind::Gauge, "The longest single wait of the last minute.");
    page.by_wait(running, longest);
}

fn partitions(running: &[&Labelled], page: &mut Page) {
    let slowest = |facts: &Facts| {
        let mut partitions: Vec<_> = facts.facts.partitions.clone();
        partitions.sort_by(|a, b| b.lag.cmp(&a.lag).then_with(|| a.partition.cmp(&b.partition)));
        partitions.truncate(PARTITIONS_MAX);
        partitions
    };
    let label = |labels: &str, partition: &str| format!("{labels},partition=\"{}\"", escaped(partition));
    page.family("millpipe_partition_lag_messages", Kind::Gauge, "Messages of the partition that are not read.");
    for Labelled { facts, labels, .. } in running {
        for partition in slowest(facts) {
            page.maybe(&label(labels, &partition.partition), partition.lag.map(|lag| lag as f64));
        }
    }
    page.family(
        "millpipe_partition_behind_seconds",
        Kind::Gauge,
        "How far reading is behind the partition's newest message.",
    );
    for Labelled { facts, labels, .. } in running {
        for partition in slowest(facts) {
            let behind = partition.behind_ms.map(|ms| ms as f64 / 1_000.0);
            page.maybe(&label(labels, &partition.partition), behind);
        }
    }
}

/// The text, with the family that is being written.
#[derive(Default)]
struct Page {
    text: String,
    family: &'static str,
    /// Its lines before the first value: a family without values is not told.
    head: Option<String>,
}

impl Page {
    fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        self.family = name;
        self.head = Some(format!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.word()));
    }

    fn value(&mut self, labels: &str, value: f64) {
        self.text.extend(self.head.take());
        let name = self.family;
        let _ = match labels {
            "" => writeln!(self.text, "{name} {value}"),
            labels => writeln!(self.text, "{name}{{{labels}}} {value}"),
        };
    }

    fn maybe(&mut self, labels: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.value(labels, value);
        }
    }

    fn alone(&mut self, name: &'static str, help: &str, value: usize) {
        self.family(name, Kind::Gauge, help);
        self.value("", value as f64);
    }

    fn by_wait(&mut self, running: &[&Labelled], values: fn(&Facts) -> [Option<f64>; 4]) {
        for Labelled { facts, labels, .. } in running {
            for (wait, value) in WAITS.into_iter().zip(values(facts)) {
                self.maybe(&format!("{labels},for=\"{wait}\""), value);
            }
        }
    }
}

/// A text as the value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
