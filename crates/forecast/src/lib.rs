//! Forecasts the next values of each key.
//!
//! **A line** is a JSON value with a key, made of `--by`, a time and a value. One without a value, or with null, counts
//! for nothing.
//!
//! **What comes out when.** At the end of the input, for each key `--horizon` rows: its key, the time of the step, the
//! forecast and its bounds; keys in the order of their first lines. A run that goes on after that writes them for keys with new lines. With `--emit update` the same rows after each line of a
//! key that is in a later step than those before it. With `--check` instead of these rows how good forecasts were: a row for each value,
//! or for each key at the end.
//!
//! **What is kept**: the last `--history` values of each key, at most `--max-keys` keys and `--buffer` in all; at a limit the tool
//! stops. With `--emit update` and `--check` also a model of each key.
//!
//! **Late** is, with `--emit update` and `--check`, a line that is not in a later step than the last one of its key; else no
//! line is. A value older than all of a full history is left out. **Bad** is a line that is not JSON, has no time, or has a value that is not a
//! number.
//!
//! **Marks** pass, but for those about time and partitions, which end here: rows are of times to come. With `--where` all go on.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod history;
mod levels;
mod live;
mod rows;
mod track;

use std::io::{self, BufRead, Write};

use event_time::{EventTime, TIME_MAX_MS, TIME_MIN_MS, format_rfc3339};
use forecasting::{Method, Model, periods};
use json_fields::Kind;
use keyed_state::{BufferLimit, KeyLimit, Keyed, hash};
use line_values::{Expression, LineValues, Value};
use millpipe::{Changes, Divides, Error, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};
use values::Number;

use crate::history::Taken;
use crate::levels::Levels;
use crate::live::Live;
use crate::rows::Rows;
use crate::track::Track;
use series::{Seasons, Step};

/// What to do, as the flags say.
pub struct Job {
    pub by: Vec<Expression>,
    pub value: Expression,
    pub time: EventTime,
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
    job: Job,
    rows: Rows,
    values: LineValues,
    key: Vec<u8>,
    tracks: Keyed<Track>,
    sequence: u64,
    points: usize,
}

/// A point of a history.
const POINT_BYTES: usize = 16;
/// More steps than this share are missing: that is said.
const FILLED_SHARE_MAX: f64 = 0.3;

impl Forecaster {
    #[must_use]
    pub fn new(job: Job) -> Forecaster {
        let expressions = job.by.iter().chain([&job.value]).chain(job.time.field());
        let names: Vec<String> = job.by.iter().map(Expression::name).collect();
        Forecaster {
            rows: Rows::new(&names, &job.levels),
            values: LineValues::new(expressions).watching(job.by.len() + 1),
            key: Vec::new(),
            tracks: Keyed::new(job.keys),
            sequence: 0,
            points: 0,
            job,
        }
    }

    /// Reads key, time and value of a line.
    fn read(&mut self, line: &[u8], now_ms: i64) -> Result<(i64, Option<f64>), Fault> {
        let keys = self.job.by.len();
        let found = self.values.read(line).map_err(Fault::bad)?;
        self.key.clear();
        found.write_key(0..keys, &mut self.key);
        let time = found.get(keys + 1).filter(|value| !value.is_null()).map(|value| value.text());
        let value = found.get(keys).map(|value| number(value, &self.job.value)).transpose()?.flatten();
        let time_ms = self.job.time.read(time, line, now_ms)?;
        Ok((time_ms, value))
    }

    /// The number of the line's key, a new one if there is none.
    fn find_or_insert(&mut self) -> Result<u32, Error> {
        let hash = hash(&self.key);
        match self.tracks.find(&self.key, hash) {
            Some(id) => Ok(id),
            None => self.tracks.insert(&self.key, hash, Track { first: self.sequence, ..Track::default() }),
        }
    }

    /// Keeps a value of a key.
    fn keep(&mut self, id: u32, time_ms: i64, value: f64, out: &mut Out) -> Result<(), Error> {
        self.job.buffer.check((self.points + 1) * POINT_BYTES)?;
        let track = self.tracks.change(id);
        match track.history.take(time_ms, value, self.job.history) {
            Taken::Added => self.points += 1,
            Taken::Exchanged => {}
            Taken::TooOld => {
                out.leave_out(1);
                return Ok(());
            }
        }
        track.is_fresh = true;
        out.settle(1);
        Ok(())
    }

    /// Lets the model of a key go along.
    fn go_along(
        &mut self,
        id: u32,
        step: Step,
        (time_ms, value): (i64, f64),
        line: &[u8],
        out: &mut Out,
    ) -> Result<(), Error> {
        let last_ms = self.tracks.get(id).history.last_ms();
        let steps = last_ms.map_or(1, |last_ms| step.count(last_ms, time_ms));
        if let Some(last_ms) = last_ms.filter(|_| steps < 1) {
            let (time, last) = (format_rfc3339(time_ms), format_rfc3339(last_ms));
            let why = format_args!("time {time} is not a step after {last}, the last one of its key");
            out.late_or_pass(
                line,
                why,
                "reorder sorts lines by their times, window and aggregate make one of each step",
            );
            return Ok(());
        }
        if steps > self.job.history as i64 {
            let track = self.tracks.change(id);
            self.points -= track.history.len();
            track.history.clear();
            track.live.get_or_insert_default().forget();
        }
        self.keep(id, time_ms, value, out)?;
        let Self { job, rows, tracks, key, .. } = self;
        let track = tracks.change(id);
        let live = track.live.get_or_insert_default();
        let expected = live.take(value, steps.min(job.history as i64), job);
        live.fit(&track.history, step, job);
        if job.check {
            live.expect(job);
        }
        match expected {
            Some(expected) if job.updates => rows.write_check(key, time_ms, value, &expected, &live.accuracy, out),
            None if job.updates && !job.check => live::write_rows(live, key, time_ms, step, job, rows, out),
            _ => {}
        }
        Ok(())
    }

    /// Keys with values since the last end, in the order of their first lines. From now on they have none: a run that goes
    /// on after this end writes no row twice.
    fn take_fresh(&mut self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.tracks.ids().filter(|id| self.tracks.get(*id).is_fresh).collect();
        ids.sort_unstable_by_key(|id| self.tracks.get(*id).first);
        ids.iter().for_each(|id| self.tracks.change(*id).is_fresh = false);
        ids
    }

    /// Fits each key and writes its rows.
    fn write_forecasts(&mut self, out: &mut Out) {
        let mut doubts = Doubts::default();
        for id in self.take_fresh() {
            let history = &self.tracks.get(id).history;
            let Some(step) = self.job.step.or_else(|| history.step()) else {
                doubts.without_step += 1;
                continue;
            };
            let Some(grid) = history.grid(step, self.job.history) else { continue };
            doubts.with_gaps += u64::from(grid.filled as f64 > FILLED_SHARE_MAX * grid.values.len() as f64);
            let seasons = self.job.seasons.lengths(step, || periods::find(&grid.values));
            let model = Model::fit(&grid.values, &seasons, self.job.method);
            let live = Live { model, ..Live::default() };
            live::write_rows(&live, self.tracks.key(id), grid.last_ms, step, &self.job, &self.rows, out);
        }
        doubts.warn(out);
    }

    fn write_totals(&mut self, out: &mut Out) {
        for id in self.take_fresh() {
            if let Some(live) = &self.tracks.get(id).live {
                self.rows.write_total(self.tracks.key(id), &live.accuracy, out);
            }
        }
    }
}

/// Keys that people should know of.
#[derive(Default)]
struct Doubts {
    without_step: u64,
    with_gaps: u64,
}

impl Doubts {
    fn warn(&self, out: &mut Out) {
        if self.without_step > 0 {
            let keys = self.without_step;
            out.warn(format_args!(
                "keys with a single time, of which no step is known: {keys}\nhint: --every 1h says how long a step is"
            ));
        }
        if self.with_gaps > 0 {
            let keys = self.with_gaps;
            out.warn(format_args!("keys of which many steps have no value: {keys}; they were filled\nhint: --every says how long a step is, window and aggregate make one value of each"));
        }
    }
}

/// The number that a value is; none for null.
fn number(value: Value<'_>, expression: &Expression) -> Result<Option<f64>, Fault> {
    match value.kind() {
        Kind::Null => Ok(None),
        Kind::Number => match Number::parse(value.text()) {
            Ok(number) => Ok(Some(number.to_f64())),
            Err(error) => Err(Fault::bad(format_args!("{expression}: {error}"))),
        },
        _ => {
            let text = String::from_utf8_lossy(&value.text()[..value.text().len().min(60)]).into_owned();
            Err(Fault::bad(format_args!("{expression} is not a number: {text}")))
        }
    }
}

fn is_time(time_ms: i64) -> bool {
    (TIME_MIN_MS..=TIME_MAX_MS).contains(&time_ms)
}

impl Stage for Forecaster {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let (time_ms, value) = self.read(line, out.now_ms())?;
        if let Some(text) = self.job.time.take_warning() {
            out.warn(text);
        }
        let id = self.find_or_insert()?;
        self.sequence += 1;
        let Some(value) = value else {
            out.leave_out(1);
            return Ok(());
        };
        match self.job.live_step() {
            Some(step) => self.go_along(id, step, (time_ms, value), line, out)?,
            None => self.keep(id, time_ms, value, out)?,
        }
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match mark.kind() {
            MarkKind::Watermark | MarkKind::From | MarkKind::Idle if !self.job.has_other_lines => {}
            _ => out.mark(mark),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        match (self.job.updates, self.job.check) {
            (true, _) => {}
            (false, true) => self.write_totals(out),
            (false, false) => self.write_forecasts(out),
        }
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.values.remark("lines")
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Forecaster {
    fn flags(&self) -> String {
        self.job.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let by = self.job.by.iter().map(ToString::to_string);
        let divides = Divides::by(by).max("/lines").any(self.job.time.of_any_shard());
        Head::new().with("time", self.job.time.snapshot()).with("lines", self.sequence).divided(divides).write(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "forecast")?;
        self.sequence = head.count("lines")?;
        head.must(self.job.time.restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.tracks.save(to, Track::write);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let id = self.tracks.load(key, value, Track::read)?;
        self.points += self.tracks.get(id).history.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
