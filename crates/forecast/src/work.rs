//! Takes points, and writes the rows of series.

use event_time::format_rfc3339;
use forecasting::{Model, periods};
use millpipe::{Error, Out};
use series::{Late, Point, Step};

use crate::Job;
use crate::history::Taken;
use crate::live::{self, Live};
use crate::rows::{Rows, Subject};
use crate::store::Store;

/// What is done with the points of all keys.
pub struct Work {
    pub job: Job,
    pub rows: Rows,
    pub store: Store,
    /// How many lines came.
    pub lines: u64,
}

/// A point of a history.
const POINT_BYTES: usize = 16;
/// More steps than this share are missing: that is said.
const FILLED_SHARE_MAX: f64 = 0.3;

impl Work {
    /// Takes a line; the watermark is that of the lines before it.
    ///
    /// # Errors
    /// At a limit.
    pub fn take(
        &mut self,
        point: &Point<'_>,
        line: &[u8],
        watermark_ms: Option<i64>,
        out: &mut Out,
    ) -> Result<(), Error> {
        let place = self.store.place(point.key, point.time_ms, watermark_ms, self.lines)?;
        self.lines += 1;
        let Some(id) = place else {
            Late::MayBeForgotten.tell(line, point.time_ms, out);
            return Ok(());
        };
        if point.numbers.iter().all(Option::is_none) {
            out.leave_out(1);
            return Ok(());
        }
        match self.job.live_step() {
            Some(step) if self.is_late(id, step, point.time_ms, line, out)? => {}
            Some(step) => self.go_along(id, step, point, out)?,
            None => self.keep_all(id, point, out)?,
        }
        self.store.relieve()
    }

    /// Keeps the values of a line.
    fn keep_all(&mut self, id: u32, point: &Point<'_>, out: &mut Out) -> Result<(), Error> {
        let mut is_kept = false;
        for (value, number) in numbers(point) {
            is_kept |= self.keep(id, value, point.time_ms, number)? != Taken::TooOld;
        }
        if is_kept {
            out.settle(1)
        } else {
            out.leave_out(1)
        }
        Ok(())
    }

    fn keep(&mut self, id: u32, value: usize, time_ms: i64, number: f64) -> Result<Taken, Error> {
        self.job.buffer.check((self.store.points() + 1) * POINT_BYTES)?;
        self.store.keep(id, value, time_ms, number, self.job.history)
    }

    /// Returns true for a line that is not in a later step than the last one of its key with a value.
    fn is_late(&mut self, id: u32, step: Step, time_ms: i64, line: &[u8], out: &mut Out) -> Result<bool, Error> {
        let last_ms = self.store.tracks(id)?.iter().filter_map(|track| track.history.last_ms()).max();
        let Some(last_ms) = last_ms.filter(|last_ms| step.count(*last_ms, time_ms) < 1) else { return Ok(false) };
        let (time, last) = (format_rfc3339(time_ms), format_rfc3339(last_ms));
        out.late_or_pass(
            line,
            format_args!("time {time} is not a step after {last}, the last one of its key"),
            "reorder sorts lines by their times, window and aggregate make one of each step",
        );
        Ok(true)
    }

    /// Lets the models of a key go along.
    fn go_along(&mut self, id: u32, step: Step, point: &Point<'_>, out: &mut Out) -> Result<(), Error> {
        for (value, number) in numbers(point) {
            self.move_model(Subject { key: point.key, value }, id, step, (point.time_ms, number), out)?;
        }
        out.settle(1);
        Ok(())
    }

    fn move_model(
        &mut self,
        subject: Subject<'_>,
        id: u32,
        step: Step,
        (time_ms, number): (i64, f64),
        out: &mut Out,
    ) -> Result<(), Error> {
        let value = subject.value;
        let last_ms = self.store.change(id, value)?.history.last_ms();
        let steps = last_ms.map_or(1, |last_ms| step.count(last_ms, time_ms));
        if steps > self.job.history as i64 {
            self.store.begin_anew(id, value)?;
        }
        self.keep(id, value, time_ms, number)?;
        let Self { job, rows, store, .. } = self;
        let track = store.change(id, value)?;
        let live = track.live.get_or_insert_default();
        let expected = live.take(number, steps.min(job.history as i64), job);
        live.fit(&track.history, step, job);
        if job.check {
            live.expect(job);
        }
        match expected {
            Some(expected) if job.updates => {
                rows.write_check(subject, time_ms, number, &expected, &live.accuracy, out);
            }
            None if job.updates && !job.check => live::write_rows(live, subject, time_ms, step, job, rows, out),
            _ => {}
        }
        Ok(())
    }

    /// Fits each series and writes its rows.
    ///
    /// # Errors
    /// When a series cannot be read from disk.
    pub fn write_forecasts(&mut self, out: &mut Out) -> Result<(), Error> {
        let mut doubts = Doubts::default();
        for id in self.store.take_fresh() {
            for value in self.store.take_fresh_values(id)? {
                self.write_forecast(id, value, &mut doubts, out)?;
            }
            self.store.relieve()?;
        }
        doubts.warn(if self.rows.has_several_values() { "series" } else { "keys" }, out);
        Ok(())
    }

    fn write_forecast(&mut self, id: u32, value: usize, doubts: &mut Doubts, out: &mut Out) -> Result<(), Error> {
        let Self { job, rows, store, .. } = self;
        let history = &store.change(id, value)?.history;
        let Some(step) = job.step.or_else(|| history.step()) else {
            doubts.without_step += 1;
            return Ok(());
        };
        let Some(grid) = history.grid(step, job.history) else { return Ok(()) };
        doubts.with_gaps += u64::from(grid.filled as f64 > FILLED_SHARE_MAX * grid.values.len() as f64);
        let seasons = job.seasons.lengths(step, || periods::find(&grid.values));
        let model = Model::fit(&grid.values, &seasons, job.method);
        let live = Live { model, ..Live::default() };
        live::write_rows(&live, Subject { key: store.key(id), value }, grid.last_ms, step, job, rows, out);
        Ok(())
    }

    /// Writes how good the forecasts of each series were.
    ///
    /// # Errors
    /// When a series cannot be read from disk.
    pub fn write_totals(&mut self, out: &mut Out) -> Result<(), Error> {
        for id in self.store.take_fresh() {
            for value in self.store.take_fresh_values(id)? {
                let accuracy = self.store.change(id, value)?.live.as_ref().map(|live| live.accuracy.clone());
                if let Some(accuracy) = accuracy {
                    self.rows.write_total(Subject { key: self.store.key(id), value }, &accuracy, out);
                }
            }
            self.store.relieve()?;
        }
        Ok(())
    }
}

/// The numbers that a line has, each with the place of its `--value`.
fn numbers(point: &Point<'_>) -> impl Iterator<Item = (usize, f64)> {
    point.numbers.iter().enumerate().filter_map(|(value, number)| Some((value, (*number)?)))
}

/// Series that people should know of.
#[derive(Default)]
struct Doubts {
    without_step: u64,
    with_gaps: u64,
}

impl Doubts {
    fn warn(&self, what: &str, out: &mut Out) {
        if self.without_step > 0 {
            let count = self.without_step;
            out.warn(format_args!(
                "{what} with a single time, of which no step is known: {count}\nhint: --every 1h says how long a step is"
            ));
        }
        if self.with_gaps > 0 {
            let count = self.with_gaps;
            out.warn(format_args!("{what} of which many steps have no value: {count}; they were filled\nhint: --every says how long a step is, window and aggregate make one value of each"));
        }
    }
}
