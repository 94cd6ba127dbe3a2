//! Keeps one line of each key.
//!
//! **A line** is a JSON value with a key, made of `--by`, and with `--time` or `--within` a time.
//!
//! **What comes out when.** `--keep first`: the first line of a key at once, in place; those that follow are left out.
//! `--keep last`: the line with the latest time of each key (of equal times the one that arrived last) at the end of
//! the input; with `--within` each line that no other of its key follows in less than that, when it is final, which is
//! when the watermark is `--within` beyond it. By time, and of equal times as they arrived. With `--emit update` each
//! line at once that becomes the latest of its key.
//!
//! **Forgetting.** A line with time t is remembered until the watermark is at or beyond t + `--within`. For a line that
//! comes before that, its own time counts too: at or beyond t + `--within` it repeats nothing (with `--keep first` it
//! passes, and is what its key is remembered by). The watermark is that of the lines before it, so the same lines give the same output however they
//! arrive.
//!
//! **Late** is a line whose own time is `--within` or more behind the watermark: what it would repeat may be forgotten.
//! Without `--within` no line is late. **Bad** is a line that is not JSON or has no time where one is needed.
//!
//! **What is kept**: a key with its time, at most `--max-keys` of them; for `--keep last` the last line of each session
//! (see `sessions`), at most `--buffer` of them.
//!
//! **Marks** pass. Lines that come out later than they came in would be late for the watermarks that passed before them:
//! with `--keep last --within` watermark marks go on `--within` later, and without it they end here, but for `--where`,
//! where other lines may need them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;

mod kept;
mod known;
mod latest;
mod sessions;
mod taken;

use std::io::{self, BufRead, Write};

use event_time::{EventTime, TIME_MIN_MS, format_rfc3339};
use keyed_state::{BufferLimit, KeyLimit};
use line_values::{Expression, LineValues};
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};
use units::format_duration;

use crate::cli::{Emit, Keep};
use crate::kept::Kept;
use crate::taken::Taken;

/// What to do, as the flags say.
pub struct Job {
    pub by: Vec<Expression>,
    pub keep: Keep,
    pub emit: Emit,
    pub within_ms: Option<i64>,
    pub time: EventTime,
    pub keys: KeyLimit,
    pub buffer: BufferLimit,
    pub has_other_lines: bool,
    /// Say at the end how many lines were left out.
    pub reports: bool,
    pub flags: String,
}

/// The operator.
pub struct Dedup {
    job: Job,
    values: LineValues,
    key: Vec<u8>,
    kept: Kept,
    sequence: u64,
    dropped: u64,
}

impl Dedup {
    #[must_use]
    pub fn new(job: Job) -> Dedup {
        Dedup {
            values: LineValues::new(job.by.iter().chain(job.time.field())).watching(job.by.len()),
            key: Vec::new(),
            kept: Kept::new(&job),
            sequence: 0,
            dropped: 0,
            job,
        }
    }

    #[inline]
    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(text) = self.job.time.take_warning() {
            out.warn(text);
        }
        let Some(watermark_ms) = moved_ms else { return };
        self.kept.advance(watermark_ms, out);
    }

    fn late(&self, line: &[u8], time_ms: i64, watermark_ms: i64, out: &mut Out) {
        let (time, watermark) = (format_rfc3339(time_ms), format_rfc3339(watermark_ms));
        let within = format_duration(self.job.within_ms.unwrap_or(0));
        out.late_or_pass(
            line,
            format_args!("time {time} is late: at watermark {watermark} keys of it are forgotten (--within {within})"),
            "a longer --within or --lateness remembers them, --late reject keeps such lines aside",
        );
    }

    /// Passes a mark, unless it would make a line late that is still to come.
    fn pass_mark(&self, mark: &Mark, out: &mut Out) -> Result<(), Error> {
        let is_delayed = self.kept.delays_lines() && mark.kind() == MarkKind::Watermark;
        let time_ms = if is_delayed { mark.watermark_ms()? } else { None };
        let Some(time_ms) = time_ms else {
            out.mark(mark);
            return Ok(());
        };
        match self.job.within_ms {
            Some(within_ms) => {
                let delayed_ms = time_ms.saturating_sub(within_ms).max(TIME_MIN_MS);
                out.mark(&mark.with_watermark_ms(delayed_ms));
            }
            None if self.job.has_other_lines => out.mark(mark),
            None => {}
        }
        Ok(())
    }
}

impl Stage for Dedup {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let keys = self.job.by.len();
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        let found = self.values.read(line).map_err(Fault::bad)?;
        found.write_key(0..keys, &mut key);
        let time = found.get(keys).filter(|value| !value.is_null()).map(|value| value.text());
        let time_ms = self.job.time.read(time, line, out.now_ms())?;
        let over_ms = time_ms.saturating_add(self.job.within_ms.unwrap_or(0));
        match self.job.time.watermark_ms().filter(|watermark_ms| over_ms <= *watermark_ms) {
            Some(watermark_ms) => self.late(line, time_ms, watermark_ms, out),
            None => {
                self.dropped += self.kept.take(&Taken { line, key: &key, time_ms, sequence: self.sequence }, out)?
            }
        }
        self.key = key;
        self.sequence += 1;
        // A line of the stream has this time, whatever happened to it.
        let moved_ms = self.job.time.observe(time_ms);
        self.advance(moved_ms, out);
        Ok(())
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        let moved_ms = self.job.time.pass(line, out.now_ms());
        self.advance(moved_ms, out);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.job.time.mark(mark, out.now_ms())?.flatten();
        self.advance(moved_ms, out);
        Ok(self.pass_mark(mark, out)?)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.kept.end(out);
        if self.job.reports {
            out.warn(format_args!(
                "{} of {} lines left out: others of their key are kept",
                self.dropped, self.sequence
            ));
        }
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.job.time.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.job.time.wake(out.now_ms());
        self.advance(moved_ms, out);
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.values.remark("lines")
    }

    fn held(&self) -> u64 {
        self.kept.lines()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Dedup {
    fn flags(&self) -> String {
        self.job.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let by = self.job.by.iter().map(ToString::to_string);
        let divides = Divides::by(by).max("/lines").any(self.job.time.of_any_shard());
        Head::new().with("time", self.job.time.snapshot()).with("lines", self.sequence).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.job.time.facts(to);
        to.insert("keys".to_owned(), self.kept.keys().into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "dedup")?;
        self.sequence = head.count("lines")?;
        head.must(self.job.time.restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.kept.save(to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.kept.load(key, value)
    }
}

#[cfg(test)]
mod tests;
