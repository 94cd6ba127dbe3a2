//! `generate`: deterministic test data, the load of benchmarks and demos.
//!
//! Line i is a pure function of the flags and i. Metrics are described in `metrics`. A web request takes eight 32-bit words of a ChaCha8 stream, at word
//! 8 i, and nothing else, so a position is a line number and to seek is to set the word position. Floating
//! point goes through `libm`, which computes in software, so the bytes are the same on every machine.
//! No state grows; a poll writes up to 64 KiB.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod auctions;
pub mod cli;
mod metrics;
mod request;

use event_time::{TIME_MAX_MS, format_rfc3339, parse_rfc3339};
use millpipe::{BLOCK_BYTES, Error, Fault, Goal, Out, Polled, Source};
use serde_json::{Value, json};
use units::Rate;

use crate::auctions::Auctions;
use crate::metrics::Metrics;
use crate::request::Requests;

/// Where event time starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Milliseconds of the epoch.
    At(i64),
    /// When the run starts.
    Now,
}

/// What the lines are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Data {
    /// Web requests
    #[default]
    Requests,
    /// Persons, auctions and bids, three kinds of lines in one stream: the events of the Nexmark benchmark
    Nexmark,
    /// A metric of each host: a level with a trend, a day, a week and noise, and anomalies, which "label" names
    Metrics,
}

/// What is to be generated.
#[derive(Clone, Debug)]
pub struct Spec {
    pub data: Data,
    pub lines: u64,
    pub seed: u64,
    pub keys: u64,
    /// Pace by the clock; none: as fast as possible.
    pub rate: Option<Rate>,
    /// Pace in event time; none: all lines at once.
    pub event_rate: Option<Rate>,
    pub out_of_order_ms: i64,
    pub start: Start,
}

impl Spec {
    /// How far event time has come at this line, without disorder.
    pub fn event_ms(&self, line: u64) -> i64 {
        let nanos = self.event_rate.map_or(0, |rate| rate.due_nanos(line));
        i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
    }

    /// Events from this number on. They are out of order in groups, each as long as `out_of_order_ms`.
    fn auctions(&self, start_ms: i64, first: u64) -> Auctions {
        let per_second = self.event_rate.map_or(0.0, Rate::per_second).round() as u64;
        let group = per_second.saturating_mul(u64::try_from(self.out_of_order_ms).unwrap_or(0)) / 1_000;
        Auctions::new(start_ms, per_second, group, first)
    }
}

/// The lines to come.
enum Lines {
    Requests(Box<Requests>),
    /// Once it is known when they start.
    Nexmark(Option<Box<Auctions>>),
    Metrics(Metrics),
}

impl Lines {
    /// No line is longer.
    fn bytes_max(&self) -> usize {
        match self {
            Lines::Requests(_) => request::LINE_BYTES_MAX,
            Lines::Nexmark(_) => auctions::LINE_BYTES_MAX,
            Lines::Metrics(_) => metrics::LINE_BYTES_MAX,
        }
    }
}

/// The source.
pub struct Generator {
    spec: Spec,
    lines: Lines,
    /// The next line.
    line: u64,
    /// Event time at line 0, once it is known.
    start_ms: Option<i64>,
    /// The clock and the line when this run started: what `--rate` is measured from.
    paced_from: Option<(i64, u64)>,
}

impl Generator {
    pub fn new(spec: &Spec) -> Self {
        let start_ms = match spec.start {
            Start::At(ms) => Some(ms),
            Start::Now => None,
        };
        let lines = match spec.data {
            Data::Requests => Lines::Requests(Box::new(Requests::new(spec))),
            Data::Nexmark => Lines::Nexmark(None),
            Data::Metrics => Lines::Metrics(Metrics::new(spec)),
        };
        Self { lines, spec: spec.clone(), line: 0, start_ms, paced_from: None }
    }

    /// Up to which line (exclusive) may be written now.
    fn due(&self, now_ms: i64) -> u64 {
        let (Some(rate), Some((from_ms, from_line))) = (self.spec.rate, self.paced_from) else {
            return self.spec.lines;
        };
        let elapsed_nanos = u64::try_from(now_ms - from_ms).unwrap_or(0).saturating_mul(1_000_000);
        from_line.saturating_add(rate.due_count(elapsed_nanos)).min(self.spec.lines)
    }

    /// When the next line is due, rounded up to a millisecond.
    fn due_at_ms(&self) -> i64 {
        let (Some(rate), Some((from_ms, from_line))) = (self.spec.rate, self.paced_from) else { return 0 };
        let nanos = rate.due_nanos(self.line - from_line);
        from_ms.saturating_add(i64::try_from(nanos.div_ceil(1_000_000)).unwrap_or(i64::MAX))
    }

    fn write_line(&mut self, start_ms: i64, out: &mut Out) -> Result<(), Fault> {
        let event_ms = self.spec.event_ms(self.line).saturating_add(self.spec.out_of_order_ms);
        let latest_ms = start_ms.saturating_add(event_ms);
        if latest_ms > TIME_MAX_MS {
            return Err(Error::data("event time has come to the year 9999").into());
        }
        match &mut self.lines {
            Lines::Requests(requests) => requests.write_next(latest_ms, out.buffer()),
            Lines::Nexmark(auctions) => {
                let first = self.line;
                let auctions = auctions.get_or_insert_with(|| Box::new(self.spec.auctions(start_ms, first)));
                auctions.write_next(out.buffer());
            }
            Lines::Metrics(metrics) => {
                let step = self.line / self.spec.keys * self.spec.keys;
                metrics.write_next(start_ms, self.spec.event_ms(step), out.buffer());
            }
        }
        out.end_line();
        self.line += 1;
        Ok(())
    }
}

impl Source for Generator {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.start_ms.get_or_insert(out.now_ms());
        self.paced_from = Some((out.now_ms(), self.line));
        Ok(())
    }

    fn poll(&mut self, _wait_ms: u64, out: &mut Out) -> Result<Polled, Fault> {
        if self.line >= self.spec.lines {
            return Ok(Polled::Done);
        }
        let start_ms = self.start_ms.unwrap_or_default();
        let due = self.due(out.now_ms());
        if due <= self.line {
            return Ok(Polled::PaceUntil(self.due_at_ms()));
        }
        let mut bytes = 0;
        while self.line < due && bytes < BLOCK_BYTES - 2 * self.lines.bytes_max() {
            let before = out.buffer().len();
            self.write_line(start_ms, out)?;
            bytes += out.buffer().len().saturating_sub(before);
        }
        Ok(if self.line >= self.spec.lines { Polled::Done } else { Polled::More })
    }

    fn goal(&mut self) -> Option<Goal> {
        // Without --lines it goes on for ever.
        (self.spec.lines < u64::MAX).then_some(Goal { done: self.line, total: self.spec.lines, of: "lines" })
    }

    fn position(&self) -> String {
        let start = self.start_ms.map(format_rfc3339);
        json!({ "line": self.line, "start": start }).to_string()
    }

    fn seek(&mut self, position: &str) -> Result<(), Error> {
        let broken = || Error::data(format_args!("not a position of generate: {position:?}"));
        let position: Value = serde_json::from_str(position).map_err(|_| broken())?;
        self.line = position["line"].as_u64().ok_or_else(broken)?;
        self.start_ms = match &position["start"] {
            Value::Null => None,
            time => Some(time.as_str().and_then(|t| parse_rfc3339(t.as_bytes())).ok_or_else(broken)?),
        };
        match &mut self.lines {
            Lines::Requests(requests) => requests.seek(self.line),
            Lines::Nexmark(auctions) => *auctions = None,
            Lines::Metrics(metrics) => metrics.seek(self.line),
        }
        Ok(())
    }

    /// What line N depends on. How many there are and how fast they come may change from run to run.
    fn flags(&self) -> String {
        let Spec { data, seed, keys, out_of_order_ms, start, .. } = &self.spec;
        let event_rate = self.spec.event_rate.map(|rate| format!(" --event-rate {rate}")).unwrap_or_default();
        let start = match start {
            Start::At(ms) => format_rfc3339(*ms),
            Start::Now => "now".to_owned(),
        };
        let which = match data {
            Data::Requests => format!("--seed {seed} --keys {keys}"),
            Data::Nexmark => "--data nexmark".to_owned(),
            Data::Metrics => format!("--data metrics --seed {seed} --keys {keys}"),
        };
        format!("{which}{event_rate} --out-of-order {out_of_order_ms}ms --start {start}")
    }
}

#[cfg(test)]
mod tests;
