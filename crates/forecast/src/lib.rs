//! Forecasts the next values of each key.
//!
//! **A line** is a JSON value with a key, made of `--by`, a time and values, those of `--value`: each is a series of its own. A
//! value that is missing or null counts for nothing.
//!
//! **What comes out when.** At the end of the input, for each key `--horizon` rows: its key, the time of the step, the
//! forecast and its bounds; keys in the order of their first lines. A run that goes on after that writes them for keys with new lines. With `--emit update` the same rows after each line of a
//! key that is in a later step than those before it. With `--check` instead of these rows how good forecasts were: a row for each value,
//! or for each key at the end. Of several values there are such rows of each, in the order of `--value`.
//!
//! **What is kept**: the last `--history` values of each key, at most `--max-keys` keys and `--buffer` in all; at a limit the tool
//! stops. With `--emit update` and `--check` also a model of each key. With `--ttl` a key is forgotten when no line of it came for that
//! long, by the times of its lines and by the watermark; at the end of the input there are no rows of it.
//!
//! **Late** is, with `--emit update` and `--check`, a line that is not in a later step than the last one of its key; else no
//! line is; with `--ttl` also one whose own time is so far behind the watermark. A value older than all of a full history is left out. **Bad** is a line that is not JSON, has no time, or has a value that is not a
//! number.
//!
//! **Marks** pass, but for those about time and partitions, which end here: rows are of times to come. With `--where` all go on.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod history;
mod levels;
mod live;
mod rows;
mod store;
mod track;
mod work;

use std::io::{self, BufRead, Write};

use event_time::{TIME_MAX_MS, TIME_MIN_MS};
use forecasting::Method;
use keyed_state::{BufferLimit, KeyLimit};
use line_values::Expression;
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};
use series::{Seasons, SeriesReader, Step};
use sorted_runs::Scratch;
use units::ByteSize;

use crate::levels::Levels;
use crate::rows::Rows;
use crate::store::Store;
use crate::work::Work;

/// What to do, as the flags say.
pub struct Job {
    pub by: Vec<Expression>,
    pub values: Vec<Expression>,
    pub horizon: usize,
    /// None: told by the values.
    pub step: Option<Step>,
    pub seasons: Seasons,
    pub method: Method,
    pub levels: Levels,
    pub updates: bool,
    pub check: bool,
    /// None: in proportion to the values that a model was fitted to.
    pub refit: Option<u64>,
    pub history: usize,
    pub keys: KeyLimit,
    pub ttl_ms: Option<i64>,
    pub buffer: BufferLimit,
    pub has_other_lines: bool,
    pub flags: String,
}

impl Job {
    /// The step of models that go along with their values; none when they are fitted at the end.
    fn live_step(&self) -> Option<Step> {
        self.step.filter(|_| self.updates || self.check)
    }
}

/// The operator.
pub struct Forecaster {
    reader: SeriesReader,
    work: Work,
}

impl Forecaster {
    /// Reads lines with `reader`.
    #[must_use]
    pub fn new(reader: SeriesReader, job: Job) -> Forecaster {
        let names = |expressions: &[Expression]| expressions.iter().map(Expression::name).collect::<Vec<String>>();
        let rows = Rows::new(&names(&job.by), &names(&job.values), &job.levels);
        let store = Store::new(job.values.len(), job.keys, job.ttl_ms);
        Forecaster { reader, work: Work { job, rows, store, lines: 0 } }
    }

    /// Keeps about so much of the series in memory, and the rest in the scratch.
    ///
    /// # Errors
    /// When the scratch does not work.
    pub fn spill_to(&mut self, memory: ByteSize, scratch: Box<dyn Scratch>) -> Result<(), Error> {
        self.work.store.spill_to(memory, scratch)
    }

    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(text) = self.reader.time_mut().take_warning() {
            out.warn(text);
        }
        if let Some(watermark_ms) = moved_ms {
            self.work.store.forget(watermark_ms);
        }
    }
}

fn is_time(time_ms: i64) -> bool {
    (TIME_MIN_MS..=TIME_MAX_MS).contains(&time_ms)
}

impl Stage for Forecaster {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let watermark_ms = self.reader.time().watermark_ms();
        let point = self.reader.read(line, out.now_ms())?;
        let time_ms = point.time_ms;
        self.work.take(&point, line, watermark_ms, out)?;
        let moved_ms = self.reader.time_mut().observe(time_ms);
        self.advance(moved_ms, out);
        Ok(())
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        let moved_ms = self.reader.time_mut().pass(line, out.now_ms());
        self.advance(moved_ms, out);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.reader.time_mut().mark(mark, out.now_ms())?.flatten();
        self.advance(moved_ms, out);
        match mark.kind() {
            MarkKind::Watermark | MarkKind::From | MarkKind::Idle if !self.work.job.has_other_lines => {}
            _ => out.mark(mark),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        match (self.work.job.updates, self.work.job.check) {
            (true, _) => {}
            (false, true) => self.work.write_totals(out)?,
            (false, false) => self.work.write_forecasts(out)?,
        }
        self.work.store.report(out);
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.reader.time().wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.reader.time_mut().wake(out.now_ms());
        self.advance(moved_ms, out);
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Forecaster {
    fn flags(&self) -> String {
        self.work.job.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let time = self.reader.time();
        let by = self.work.job.by.iter().map(ToString::to_string);
        let divides = Divides::by(by).max("/lines").any(time.of_any_shard());
        Head::new().with("time", time.snapshot()).with("lines", self.work.lines).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.reader.time().facts(to);
        to.insert("keys".to_owned(), self.work.store.keys().into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "forecast")?;
        self.work.lines = head.count("lines")?;
        head.must(self.reader.time_mut().restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.work.store.save(to)
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.work.store.load(key, value)
    }
}

#[cfg(test)]
mod tests;
