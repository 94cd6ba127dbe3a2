//! `watermark` makes time: it passes lines as they are and writes watermark marks among them.
//!
//! **Marks.** The watermark is the latest time less `--lateness`, the least over all partitions. A mark is written right
//! behind the line (or idle mark) that moved it at least `--every` beyond the last mark. So the marks depend on
//! the lines alone, not on how they arrive; and what is left below `--every` at the end is for the end of the
//! stream to close. Watermark marks of the input are passed on where they move time, and its lines then move nothing.
//!
//! **Bad lines.** Not JSON, no object, no time, or a time too far ahead of the clock. No line is late here.
//!
//! **Memory.** A few bytes for each partition, at most [`event_time::PARTITIONS_MAX`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;

use event_time::{StreamTime, TimeField};
use line_values::Expression;
use millpipe::{Divides, Error, Facts, Fault, Head, Mark, Out, Stage, Stateful};
use std::io::{self, BufRead, Write};

/// Passes lines and writes watermarks.
pub struct Watermark {
    field: TimeField,
    time: StreamTime,
    every_ms: i64,
    flags: String,
    /// The watermark of the last mark.
    written_ms: Option<i64>,
}

impl Watermark {
    /// Marks are at least `every_ms` apart. A snapshot is of use with the same `flags` only.
    pub fn new(field: &Expression, time: StreamTime, every_ms: i64, flags: String) -> Self {
        Self { field: TimeField::new(field), time, every_ms, flags, written_ms: None }
    }

    #[inline]
    fn moved(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        let Some(watermark_ms) = moved_ms else { return };
        if self.written_ms.is_none_or(|written_ms| watermark_ms >= written_ms.saturating_add(self.every_ms)) {
            self.written_ms = Some(watermark_ms);
            out.mark(&Mark::watermark(Some(watermark_ms)));
        }
    }
}

impl Stage for Watermark {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        out.mark(&Mark::watermark(None));
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let found = self.field.find(line).map_err(Fault::bad)?;
        if !found.is_object {
            return Err(Fault::bad("not an object"));
        }
        let Some(text) = found.text else { return Err(Fault::bad(self.field.missing(line))) };
        let time_ms = self.time.read(text, out.now_ms()).map_err(|error| Fault::bad(error.with_hint()))?;
        if let Some(doubt) = self.time.take_doubt() {
            out.warn(doubt);
        }
        out.line(line);
        let moved_ms = self.time.observe(time_ms);
        self.moved(moved_ms, out);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match self.time.mark(mark, out.now_ms())? {
            Some(moved_ms) => self.moved(moved_ms, out),
            None => out.mark(mark),
        }
        if let Some(text) = self.time.unused_lateness() {
            out.warn(text);
        }
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.time.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.time.wake(out.now_ms());
        self.moved(moved_ms, out);
        Ok(())
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Watermark {
    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::heads().any(self.time.of_any_shard());
        Head::new().with("time", self.time.snapshot()).with("written_ms", self.written_ms).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.time.facts(to);
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "watermark")?;
        self.written_ms = head.maybe("written_ms")?;
        head.must(self.time.restore(head.value("time")))
    }
}

#[cfg(test)]
mod tests;
