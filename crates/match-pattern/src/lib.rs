//! Finds patterns over the rows of a key: SQL's MATCH_RECOGNIZE (ISO/IEC 19075-5) on lines of JSON.
//!
//! **A line** is a JSON value with a key, made of `--by`, and a time; for `--rows all` an object.
//!
//! **Order.** The rows of a key are taken in the order of their times, those of equal times as they arrived; a row waits until
//! the watermark has reached its time. Without a time they are taken as they come.
//!
//! **What comes out when.** A match as soon as it is decided: when no row that may come can make another one that is preferred.
//! With `--rows one` a line for each match, the key and the measures; with `--rows all` its lines as they came, with the measures
//! in front. The matches of a key come in the order of their first rows; those of different keys as they are decided, and at
//! the end of the input by key, in the order of [`values::key::compare`]. With `--ttl` the rows of a key end when none came for so
//! long: what is open then ends as at the end of the input, in the order of the last rows of keys, before any later row is taken.
//!
//! **Late** is a line older than the watermark. **Bad** is a line that is not JSON, or on which a condition on the line alone
//! fails, or that has no time where one is needed.
//!
//! **What is kept**: the rows from the first of the oldest partial match on, and so many before it as PREV looks back; at most
//! `--max-keys` keys, `--max-partial` partial matches of a key, and `--buffer` of memory. A checkpoint has the rows; the partial
//! matches are found in them again.
//!
//! **Time it takes.** Partial matches at the same place of the pattern, for which the conditions to come see the same, are one
//! (see `registers`): so a pattern takes time in proportion to its length, whatever is nested in it, and what looks at the match
//! as much more as it tells apart. With `--within`, those that began at different rows end at different times and are not one.
//!
//! **Marks** pass, but for those about partitions. Lines come out later than they came in, and watermark marks with them: with
//! `--within` so much later; without it, and with NEXT or $, they end here, but for `--where`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod definitions;
mod engine;
mod key_state;
mod matcher;
mod measures;
mod navigation;
mod nodes;
mod pattern;
mod plan;
mod program;
mod reader;
mod registers;
mod row;
mod search;
mod seen;
mod silence;
mod snapshot;
mod template;
mod thread;
mod tokens;
mod variables;
mod writer;

use std::io::{self, BufRead, Write};

use event_time::{EventTime, TIME_MIN_MS, format_rfc3339};
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};

use crate::engine::{Engine, Place};
use crate::reader::Reader;

/// The operator.
pub struct MatchPattern {
    time: EventTime,
    reader: Reader,
    engine: Engine,
    sequence: u64,
    /// What the key is made of, as a user writes it.
    by: Vec<String>,
    /// How much later lines may come out, by the watermark.
    delay_ms: Option<i64>,
    has_other_lines: bool,
    flags: String,
}

impl MatchPattern {
    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) -> Result<(), Fault> {
        if let Some(text) = self.time.take_warning() {
            out.warn(text);
        }
        moved_ms.map_or(Ok(()), |watermark_ms| self.engine.advance(watermark_ms, out))
    }

    fn late(&self, line: &[u8], time_ms: i64, watermark_ms: i64, out: &mut Out) {
        let (time, watermark) = (format_rfc3339(time_ms), format_rfc3339(watermark_ms));
        out.late(line, format_args!("time {time} is late: the watermark was {watermark}"), self.time.late_hint());
    }

    /// Passes a mark, unless it would make a line late that is still to come.
    fn pass_mark(&self, mark: &Mark, out: &mut Out) -> Result<(), Error> {
        match mark.kind() {
            MarkKind::From | MarkKind::Idle if !self.has_other_lines => {}
            MarkKind::Watermark => match (mark.watermark_ms()?, self.delay_ms) {
                (Some(time_ms), Some(delay_ms)) => {
                    out.mark(&mark.with_watermark_ms(time_ms.saturating_sub(delay_ms).max(TIME_MIN_MS)));
                }
                (None, _) => out.mark(mark),
                _ if self.has_other_lines => out.mark(mark),
                _ => {}
            },
            _ => out.mark(mark),
        }
        Ok(())
    }
}

impl Stage for MatchPattern {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let read = self.reader.read(line)?;
        let time_ms = self.time.read(read.time, line, out.now_ms())?;
        let sequence = self.sequence;
        self.sequence += 1;
        if let Some(watermark_ms) = self.time.watermark_ms().filter(|watermark_ms| time_ms < *watermark_ms) {
            self.late(line, time_ms, watermark_ms, out);
            let moved_ms = self.time.observe(time_ms);
            return self.advance(moved_ms, out);
        }
        let moved_ms = self.time.observe(time_ms);
        let watermark_ms = self.time.is_some().then(|| self.time.watermark_ms().unwrap_or(i64::MIN));
        self.engine.take(&read, line, Place { time_ms, sequence, watermark_ms }, out)?;
        self.advance(moved_ms, out)
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        let moved_ms = self.time.pass(line, out.now_ms());
        self.advance(moved_ms, out)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.time.mark(mark, out.now_ms())?.flatten();
        self.advance(moved_ms, out)?;
        Ok(self.pass_mark(mark, out)?)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.engine.end(out)
    }

    fn wake_at(&self) -> Option<i64> {
        self.time.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.time.wake(out.now_ms());
        self.advance(moved_ms, out)
    }

    fn remark(&self) -> Option<String> {
        let conditions = || self.engine.search.definitions.remark();
        self.reader.remark().or_else(conditions).or_else(|| self.engine.writer.measures.remark())
    }

    fn held(&self) -> u64 {
        self.engine.held()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for MatchPattern {
    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::by(self.by.iter().cloned()).max("/lines").any(self.time.of_any_shard());
        Head::new().with("time", self.time.snapshot()).with("lines", self.sequence).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.time.facts(to);
        to.insert("keys".to_owned(), self.engine.keys().into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "match-pattern")?;
        self.sequence = head.count("lines")?;
        head.must(self.time.restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.engine.save(to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.engine.load(key, value, &mut self.reader, self.time.watermark_ms())
    }
}

#[cfg(test)]
mod tests;
