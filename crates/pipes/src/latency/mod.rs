//! `pipes latency`: how long lines take from the source to each stage.
//!
//! Of a pipeline with checkpoints their barriers tell: a barrier passes the pipe in the order of lines and carries the time at which
//! it began, so its delay is that of the lines around it. A metrics file tells of the last one, once a second. Of other pipelines
//! [`by_pipes`] estimates it.

mod by_pipes;
mod histogram;
mod samples;

use millpipe::{Error, Fault};
use printer::Printer;
use serde_json::{Value, json};

use crate::cli;
use crate::clock::{now_ms, pause};
use crate::list::look;
use crate::machine::Machine;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::Stage;
use crate::words::{plain, short};
pub use histogram::histogram;
use samples::Known;
pub use samples::Samples;

/// Between two looks, in milliseconds: what is in a pipe changes all the time.
const LOOK_EVERY_MS: u64 = 100;

/// Runs the command.
///
/// # Errors
/// When the folder cannot be read, there is no such pipeline, or no line passes one.
pub fn run(latency: &cli::Latency, to: &mut Printer) -> Result<(), Fault> {
    let asked = latency.asked.pipeline.as_deref();
    let first = look(&latency.metrics, to)?;
    first.chosen(asked)?;
    let machine = Machine::new(&latency.metrics.dir);
    let until_ms = first.at_ms.saturating_add(latency.time.0);
    let mut samples = Samples::default();
    samples.take(&first);
    let mut last = first;
    while last.at_ms < until_ms {
        pause(LOOK_EVERY_MS);
        last = machine.look(now_ms())?;
        samples.take(&last);
    }
    let mut has_some = false;
    for pipeline in last.chosen(asked)? {
        let rows = rows(&samples, pipeline);
        has_some |= !rows.is_empty();
        if latency.json {
            rows.iter().try_for_each(|row| to.json(&row.json(pipeline)))?;
        } else if !rows.is_empty() {
            to.bytes(text(pipeline, &rows).as_bytes())?;
        }
    }
    if has_some {
        return Ok(());
    }
    let hint =
        "without barriers the bytes in the pipes tell it, divided by the rate of their readers: look while lines flow";
    Err(Error::data("no pipeline runs whose delays are known").hint(hint).into())
}

/// A stage with its delays in order.
struct Row<'p> {
    stage: &'p Stage,
    known: Known,
    delays_ms: Vec<u64>,
}

/// The stages of a pipeline of which delays are known, in its order.
fn rows<'p>(samples: &Samples, pipeline: &'p Pipeline) -> Vec<Row<'p>> {
    let rows = pipeline.stages.iter().filter_map(|stage| {
        let (known, delays_ms) = samples.of(pipeline, stage)?;
        let mut delays_ms: Vec<u64> = delays_ms.iter().copied().collect();
        delays_ms.sort_unstable();
        Some(Row { stage, known, delays_ms })
    });
    rows.collect()
}

impl Row<'_> {
    /// The delay that so many of 100 samples did not exceed: the nearest rank.
    fn percentile(&self, of_100: usize) -> u64 {
        let rank = (self.delays_ms.len() * of_100).div_ceil(100).max(1);
        self.delays_ms.get(rank - 1).copied().unwrap_or_default()
    }

    fn json(&self, pipeline: &Pipeline) -> Value {
        json!({
            "pipeline": pipeline.name,
            "stage": self.stage.name,
            "pid": self.stage.pid,
            "known_by": self.known.name(),
            "samples": self.delays_ms.len(),
            "p50_ms": self.percentile(50),
            "p95_ms": self.percentile(95),
            "p99_ms": self.percentile(99),
            "max_ms": self.percentile(100),
        })
    }
}

fn text(pipeline: &Pipeline, rows: &[Row]) -> String {
    let known = rows.first().map_or(Known::ByPipes, |row| row.known);
    let mut text = format!("{}: from the source to each stage, by its {}\n", plain(&pipeline.name), known.name());
    let names: Vec<String> =
        rows.iter().map(|row| format!("{}{}", "  ".repeat(row.stage.depth), plain(&row.stage.name))).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    text.push_str(&format!("  {:width$}   samples       p50       p95       p99       max\n", ""));
    for (row, name) in rows.iter().zip(&names) {
        let [p50, p95, p99, max] = [50, 95, 99, 100].map(|of_100| shown(row.percentile(of_100)));
        text.push_str(&format!("  {name:width$}  {:>8} {p50:>9} {p95:>9} {p99:>9} {max:>9}\n", row.delays_ms.len()));
    }
    text
}

fn shown(delay_ms: u64) -> String {
    match i64::try_from(delay_ms) {
        Ok(0) => "<1ms".to_owned(),
        Ok(ms) => short(ms),
        Err(_) => short(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Pipe};
    use crate::machine::Look;

    fn look_at(id: u32, latency_ms: u64) -> Look {
        let facts = format!(r#"{{"stage":"window","pid":7,"barrier":{{"id":"r/{id}","latency_ms":{latency_ms}}}}}"#);
        let facts = Facts::parse(&facts).unwrap();
        let stage = Stage { name: "window".to_owned(), pid: 7, facts: Some(facts.into()), ..Stage::default() };
        let plain = Stage { name: "jq".to_owned(), pid: 8, ..Stage::default() };
        Look { pipelines: vec![Pipeline { name: "job".to_owned(), stages: vec![stage, plain] }], ..Look::default() }
    }

    #[test]
    fn each_barrier_counts_once() {
        let mut samples = Samples::default();
        for at in 1..=100 {
            samples.take(&look_at(at, u64::from(at) * 10));
            samples.take(&look_at(at, u64::from(at) * 10));
        }
        let look = look_at(100, 1_000);
        let rows = rows(&samples, &look.pipelines[0]);
        assert_eq!(rows.len(), 1);
        assert_eq!([50, 95, 99, 100].map(|of_100| rows[0].percentile(of_100)), [500, 950, 990, 1_000]);
        let expected = "job: from the source to each stage, by its barriers\n           samples       p50       p95       p99       max\n  \
                        window       100     500ms     950ms     990ms        1s\n";
        assert_eq!(text(&look.pipelines[0], &rows), expected);
        assert_eq!(rows[0].json(&look.pipelines[0])["max_ms"], 1_000);
    }

    #[test]
    fn one_barrier_is_all_of_them() {
        let mut samples = Samples::default();
        samples.take(&look_at(1, 3));
        let look = look_at(1, 3);
        assert_eq!(rows(&samples, &look.pipelines[0])[0].percentile(50), 3);
        assert!(rows(&Samples::default(), &look.pipelines[0]).is_empty());
    }

    #[test]
    fn without_barriers_the_pipes_tell() {
        let facts = r#"{"stage":"window","pid":7,"rates":{"1s":{"bytes_in":100}}}"#;
        let input = Some(Pipe { bytes: Some(50), ..Pipe::default() });
        let stage = Stage { pid: 7, input, facts: Facts::parse(facts).ok().map(Into::into), ..Stage::default() };
        let look = Look { pipelines: vec![Pipeline { stages: vec![stage], ..Pipeline::default() }], ..Look::default() };
        let mut samples = Samples::default();
        samples.take(&look);
        let row = rows(&samples, &look.pipelines[0]).remove(0).json(&look.pipelines[0]);
        assert_eq!((&row["known_by"], &row["p50_ms"], &row["samples"]), (&json!("pipes"), &json!(500), &json!(1)));
    }
}
