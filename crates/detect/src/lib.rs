//! Adds to each line how surprising its numbers are.
//!
//! **A line** is a JSON object with a key, made of `--by`, a time, and numbers, those of `--value`. A number that is missing
//! or null is skipped.
//!
//! **What comes out**: each line at once, in place, with new members in front ([`members::names`]). They depend on the line
//! and on those of its key before it, not on those that follow. Of several numbers the most surprising one speaks.
//!
//! **Late** is a line with an earlier time than the line before it of its key; with `--ttl` also one whose own time is so far
//! behind the watermark. **Bad** is a line that is no object, has no time, or something else than a number.
//!
//! **What is kept**: for each key at most `--max-keys` times what a [`Detector`] of each number takes; with `--ttl` a key is
//! forgotten when no line of it came for that long, by the times of its lines and by the watermark.
//!
//! **Marks** pass.
//!
//! [`Among`] is the operator of `--among`, where lines wait for their peers.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alarms;
mod among;
pub mod cli;
mod group;
mod judged;
mod members;
mod models;
mod open_alarm;
mod peers;
mod records;
mod regimes;
mod series_state;

use std::io::{self, BufRead, Write};

use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, Out, Stage, Stateful};
use series::{FrontMembers, SeriesReader, SeriesStore, Taken};
use sorted_runs::Scratch;
use units::ByteSize;
use values::state_text::StateReader;

pub use crate::among::Among;

use crate::members::Members;
use crate::series_state::{Judging, SeriesState};

/// What the state says of the flags.
pub struct Flags {
    /// The expressions of the key.
    pub by: Vec<String>,
    /// Those that the state depends on.
    pub text: String,
}

/// The operator.
pub struct Detect {
    reader: SeriesReader,
    store: SeriesStore<SeriesState>,
    judging: Judging,
    front: FrontMembers,
    members: Members,
    flags: Flags,
}

impl Detect {
    /// Reads lines with `reader`, keeps series in `store`; `values` are the names of the numbers.
    #[must_use]
    pub(crate) fn new(
        reader: SeriesReader,
        store: SeriesStore<SeriesState>,
        judging: Judging,
        values: &[String],
        flags: Flags,
    ) -> Self {
        let front = FrontMembers::new(members::names(judging.changes));
        Self { reader, store, judging, front, members: Members::new(values), flags }
    }

    /// Keeps about so much of the series in memory, and the rest in the scratch.
    ///
    /// # Errors
    /// When the scratch does not work.
    pub fn spill_to(&mut self, memory: ByteSize, scratch: Box<dyn Scratch>) -> Result<(), Error> {
        self.store.spill_to(memory, scratch)
    }

    #[inline]
    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(text) = self.reader.time_mut().take_warning() {
            out.warn(text);
        }
        if let Some(watermark_ms) = moved_ms {
            self.store.forget(watermark_ms, drop);
        }
    }
}

impl Stage for Detect {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let watermark_ms = self.reader.time().watermark_ms();
        let point = self.reader.read(line, out.now_ms())?;
        let time_ms = point.time_ms;
        let judging = self.judging;
        let read = |from: &mut StateReader<'_>| SeriesState::load(from, &judging);
        match self.store.take(point.key, time_ms, watermark_ms, |_| SeriesState::new(&judging), read)? {
            Taken::State { state, before_ms } => {
                let finding = state.take(time_ms, before_ms, point.numbers, &judging);
                let members = self.members.of(finding.as_ref());
                self.front.write(line, point.object, point.has_members, members, out.buffer());
                out.end_line();
            }
            Taken::Late(late) => late.tell(line, time_ms, out),
        }
        self.store.relieve(SeriesState::save, |_| {})?;
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
        out.mark(mark);
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.store.report(out);
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

impl Stateful for Detect {
    fn flags(&self) -> String {
        self.flags.text.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::by(self.flags.by.iter().cloned()).any(self.reader.time().of_any_shard());
        Head::new().with("time", self.reader.time().snapshot()).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.reader.time().facts(to);
        self.store.facts(to);
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "detect")?;
        head.must(self.reader.time_mut().restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.store.save(to, SeriesState::save)
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.store.load(key, value, |from| SeriesState::load(from, &self.judging))?;
        self.store.relieve(SeriesState::save, |_| {})
    }
}

#[cfg(test)]
mod tests;
