//! Makes a regular grid in time from irregular lines.
//!
//! **A line** is a JSON object with a key, made of `--by`, a time, and numbers, those of `--value`. A number that is missing
//! or null is skipped; a line without any is left out.
//!
//! **What comes out when.** One row for each step of the grid in which a key has a number, and rows for the steps between, as `--fill`
//! says. The row of a step is written as soon as the watermark reaches its last millisecond, before the mark: steps by time, keys in
//! the order of [`values::key::compare`]. With `--fill linear` the rows of a gap stand before the row that ends it. At the end of the
//! input the open steps are written, and the gaps before them.
//!
//! **Late** is a line whose step is closed. **Bad** is a line that is no object, has no time, or something else than a number.
//!
//! **What is kept**: for each key its open steps, at most `--buffer` of them, and its last values until `--max-gap` is over, at most
//! `--max-keys` keys.
//!
//! **Marks** about time go on, as much earlier as the rows that are still to come; those about partitions end here, as rows are of none. With
//! `--where` all go on.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cell;
pub mod cli;
mod fill;
mod grid;
mod rows;
mod series_state;
mod store;

use std::io::{self, BufRead, Write};

use event_time::{TIME_MIN_MS, Window, format_rfc3339};
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};
use series::SeriesReader;
use values::Number;

use crate::rows::Rows;
use crate::store::{Store, Taken};

/// What the flags say beside what is wanted of each step.
pub struct Settings {
    /// The expressions of the key.
    pub by: Vec<String>,
    pub has_other_lines: bool,
    /// The flags that the state depends on.
    pub flags: String,
}

/// The operator.
pub struct Resample {
    reader: SeriesReader<Number>,
    store: Store,
    rows: Rows,
    settings: Settings,
}

impl Resample {
    #[must_use]
    pub(crate) fn new(reader: SeriesReader<Number>, store: Store, rows: Rows, settings: Settings) -> Self {
        Self { reader, store, rows, settings }
    }

    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(text) = self.reader.time_mut().take_warning() {
            out.warn(text);
        }
        if let Some(watermark_ms) = moved_ms {
            self.store.advance(watermark_ms, &mut self.rows, out);
        }
    }

    fn pass_mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Error> {
        match (mark.kind(), mark.watermark_ms()?) {
            (MarkKind::Watermark, Some(watermark_ms)) => {
                let of_rows_ms = self.store.watermark_of_rows(watermark_ms).max(TIME_MIN_MS);
                out.mark(&mark.with_watermark_ms(of_rows_ms));
            }
            (MarkKind::From | MarkKind::Idle, _) if !self.settings.has_other_lines => {}
            _ => out.mark(mark),
        }
        Ok(())
    }
}

#[cold]
fn tell_late(line: &[u8], time_ms: i64, step: Window, out: &mut Out) {
    out.late_or_pass(
        line,
        format_args!(
            "time {} is late: the step up to {} is closed",
            format_rfc3339(time_ms),
            format_rfc3339(step.end_ms)
        ),
        "a longer --lateness keeps steps open, --late reject keeps such lines aside",
    );
}

impl Stage for Resample {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let watermark_ms = self.reader.time().watermark_ms();
        let point = self.reader.read(line, out.now_ms())?;
        let time_ms = point.time_ms;
        match self.store.take(&point, watermark_ms)? {
            Taken::Held => {}
            Taken::Empty => out.leave_out(1),
            Taken::Late(step) => tell_late(line, time_ms, step, out),
        }
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
        Ok(self.pass_mark(mark, out)?)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.store.end(&mut self.rows, out);
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
        self.reader.remark().or_else(|| self.store.remark())
    }

    fn held(&self) -> u64 {
        self.store.lines()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Resample {
    fn flags(&self) -> String {
        self.settings.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::by(self.settings.by.iter().cloned()).any(self.reader.time().of_any_shard());
        Head::new().with("time", self.reader.time().snapshot()).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.reader.time().facts(to);
        to.insert("keys".to_owned(), self.store.keys().into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "resample")?;
        head.must(self.reader.time_mut().restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.store.save(to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.store.load(key, value)
    }
}

#[cfg(test)]
mod tests;
