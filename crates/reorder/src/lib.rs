//! `reorder` sorts lines by their times, as far as the watermark allows.
//!
//! **What comes out when.** A line is held until the watermark has reached its time, and is then written in the order of
//! (time, arrival). So at the end of a stream all lines that were not late are sorted. Without disorder a line goes out
//! at once, whatever came with it.
//!
//! **Marks.** The watermark is made as `watermark` makes it, or taken from the watermark marks of the input. Behind the lines
//! that it covers it is written as a mark: at least `--every` after the last one, or where it was given. So no line behind
//! a mark has an earlier time. from and idle marks end here, all others pass in their place: before the lines that are held.
//!
//! **Lines that `--where` leaves** pass at once, in place. Their time counts if they have one: it moves the watermark.
//!
//! **Late lines.** A line older than the watermark goes the way of `--late`; with `pass` it is written at once.
//!
//! **Bad lines.** Not JSON, no object, no time, or a time too far ahead of the clock.
//!
//! **State.** The lines that are held, an entry in a checkpoint for each, and what time it is.
//!
//! **Memory.** `--memory`: beyond it all that is held goes to disk as a sorted run ([`sorted_runs::Queue`]), and comes back
//! in order, side by side with what is in memory. In a stream with checkpoints a line goes to disk only once a
//! checkpoint has it, so what comes between two of them needs memory beside that.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod held;

use event_time::{StreamTime, TIME_MIN_MS, TimeField, format_rfc3339};
use held::Held;
use line_values::Expression;
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};
use sorted_runs::Scratch;
use std::fmt;
use std::io::{self, BufRead, Write};

/// What [`Reorder`] is made of, beside its time.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the time is.
    pub field: Expression,
    /// Marks are at least so far apart.
    pub every_ms: i64,
    /// Marks that are made here say so much less than the watermark, which a line may still equal.
    pub behind_ms: i64,
    /// Beyond this lines go to disk.
    pub memory_bytes: usize,
    /// A snapshot is of use with the same only.
    pub flags: String,
    /// Tell at the end what went to disk.
    pub reports: bool,
}

/// Holds lines until it is their turn.
pub struct Reorder {
    settings: Settings,
    field: TimeField,
    time: StreamTime,
    held: Held,
    /// The number of the next line that is held.
    next_line: u64,
    /// The watermark of the last mark.
    written_ms: Option<i64>,
}

impl Reorder {
    /// # Errors
    /// When the scratch does not work: better now than in an hour.
    pub fn new(settings: Settings, time: StreamTime, scratch: Box<dyn Scratch>) -> Result<Reorder, Error> {
        let held = Held::new(settings.memory_bytes, scratch)?;
        let field = TimeField::new(&settings.field);
        Ok(Reorder { settings, field, time, held, next_line: 0, written_ms: None })
    }

    fn read(&mut self, line: &[u8], now_ms: i64) -> Result<i64, Fault> {
        let found = self.field.find(line).map_err(Fault::bad)?;
        if !found.is_object {
            return Err(Fault::bad("not an object"));
        }
        let Some(text) = found.text else { return Err(Fault::bad(self.field.missing(line))) };
        self.time.read(text, now_ms).map_err(|error| Fault::bad(error.with_hint()))
    }

    /// The line may be written, or is held.
    #[inline]
    fn take(&mut self, time_ms: i64, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if self.time.watermark_ms().is_some_and(|watermark_ms| time_ms <= watermark_ms) {
            self.held.release(time_ms, out)?;
            out.line(line);
            return Ok(());
        }
        let number = self.next_line;
        self.next_line += 1;
        Ok(self.held.push((time_ms, number), line)?)
    }

    #[inline]
    fn moved(&mut self, moved_ms: Option<i64>, every_ms: i64, out: &mut Out) -> Result<(), Fault> {
        let Some(watermark_ms) = moved_ms else { return Ok(()) };
        self.held.release(watermark_ms, out)?;
        if self.written_ms.is_none_or(|written_ms| watermark_ms >= written_ms.saturating_add(every_ms)) {
            self.written_ms = Some(watermark_ms);
            let behind_ms = if self.time.is_given() { 0 } else { self.settings.behind_ms };
            out.mark(&Mark::watermark(Some((watermark_ms - behind_ms).max(TIME_MIN_MS))));
        }
        Ok(())
    }
}

/// Why a line is late.
#[derive(Clone, Copy, Debug)]
struct LateLine {
    time_ms: i64,
    watermark_ms: i64,
}

impl fmt::Display for LateLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [time, watermark] = [self.time_ms, self.watermark_ms].map(format_rfc3339);
        write!(f, "time {time} is late: the watermark was {watermark}")
    }
}

impl Stage for Reorder {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        out.mark(&Mark::watermark(None));
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let time_ms = self.read(line, out.now_ms())?;
        if let Some(doubt) = self.time.take_doubt() {
            out.warn(doubt);
        }
        if let Some(watermark_ms) = self.time.watermark_ms().filter(|watermark_ms| time_ms < *watermark_ms) {
            out.late_or_pass(line, LateLine { time_ms, watermark_ms }, self.time.late_hint());
            // A partition that was idle is back, whatever the time is.
            let moved_ms = self.time.observe(time_ms);
            return self.moved(moved_ms, self.settings.every_ms, out);
        }
        let moved_ms = self.time.observe(time_ms);
        self.take(time_ms, line, out)?;
        self.moved(moved_ms, self.settings.every_ms, out)
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        let Ok(time_ms) = self.read(line, out.now_ms()) else { return Ok(()) };
        let moved_ms = self.time.observe(time_ms);
        self.moved(moved_ms, self.settings.every_ms, out)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match self.time.mark(mark, out.now_ms())? {
            Some(moved_ms) => {
                let every_ms = if mark.kind() == MarkKind::Watermark { 0 } else { self.settings.every_ms };
                self.moved(moved_ms, every_ms, out)?;
            }
            None => out.mark(mark),
        }
        if let Some(text) = self.time.unused_lateness() {
            out.warn(text);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.held.release(i64::MAX, out)?;
        if self.settings.reports {
            self.held.report(out);
        }
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.time.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.time.wake(out.now_ms());
        self.moved(moved_ms, self.settings.every_ms, out)
    }

    fn held(&self) -> u64 {
        self.held.lines()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Reorder {
    fn flags(&self) -> String {
        self.settings.flags.clone()
    }

    fn begin_checkpoints(&mut self) -> Result<(), Fault> {
        self.held.begin_checkpoints();
        Ok(())
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::heads().lines("", "", "/next_line").sum("/next_line").any(self.time.of_any_shard());
        Head::new()
            .with("time", self.time.snapshot())
            .with("next_line", self.next_line)
            .with("written_ms", self.written_ms)
            .divided(divides)
            .write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.time.facts(to);
        to.insert("spilled_lines".to_owned(), self.held.lines_on_disk().into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "reorder")?;
        self.next_line = head.count("next_line")?;
        self.written_ms = head.maybe("written_ms")?;
        self.held.restored(self.next_line);
        head.must(self.time.restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.held.save(self.next_line, to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.held.load(key, value)
    }
}

#[cfg(test)]
mod tests;
