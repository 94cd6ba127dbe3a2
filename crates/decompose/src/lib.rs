//! Adds to each line what its numbers are made of: trend, season, remainder.
//!
//! **A line** is a JSON object with a key, made of `--by`, a time, and numbers, those of `--value`. A number that is missing
//! or null counts as a step without a point.
//!
//! **What comes out**: [`Decompose`] passes each line at once, in place, with new members in front (`trend`, `season`, `remainder`, …). They depend
//! on the line and on those of its key before it; until there were two of a season they are null. [`Batch`] holds all lines to
//! the end of the input, and makes the members from whole series.
//!
//! **Late** is a line with an earlier time than the line before it of its key, or with `--every` one in the same step; with
//! `--ttl` also one whose own time is at least that much before the watermark. At the end of the input no line is late. **Bad** is a line that is
//! no object, has no time, or something else than a number.
//!
//! **What is kept**: for each key, at most `--max-keys`, and for each number first two of its longest season, then a profile
//! of each season. [`Batch`] keeps all lines, at most `--buffer`.
//!
//! **Marks** pass; from [`Batch`] those about time and partitions do not, as lines come after them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batch;
pub mod cli;
mod decomposer;
mod held;
mod members;
mod parts;
mod running;
mod season;
mod shift;
mod start;
mod track;
mod whole;

use std::io::{self, BufRead, Write};

use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, Out, Stage, Stateful};
use series::{FrontMembers, Late, SeriesReader, SeriesStore, Taken};
use sorted_runs::Scratch;
use units::ByteSize;
use values::state_text::StateReader;

pub use crate::batch::Batch;

use crate::members::Members;
use crate::parts::Parts;
use crate::track::{Rules, Track};

/// What the state says of the flags.
#[derive(Clone, Debug)]
pub struct Flags {
    /// The expressions of the key.
    pub by: Vec<String>,
    /// Those that the state depends on.
    pub text: String,
}

/// The operator that lets lines pass at once.
pub struct Decompose {
    reader: SeriesReader,
    rules: Rules,
    tracks: SeriesStore<Track>,
    front: FrontMembers,
    members: Members,
    parts: Vec<Option<Parts>>,
    steps: Steps,
    flags: Flags,
}

/// The steps of this run.
#[derive(Clone, Copy, Debug, Default)]
struct Steps {
    with_line: u64,
    without_line: u64,
    /// A number had parts.
    has_parts: bool,
}

impl Steps {
    /// Says that most steps have no line.
    fn remark(self) -> Option<String> {
        let Self { with_line, without_line, has_parts } = self;
        if with_line > 0 && !has_parts {
            let hint =
                "parts come after two of the longest season, with --season auto after three of them within --history";
            return Some(format!("no number of {with_line} lines has parts yet\nhint: {hint}"));
        }
        (without_line > with_line).then(|| {
            format!(
                "{without_line} steps between lines had none, {with_line} had one\nhint: a longer --every has fewer steps, \
                 resample --every says what numbers there are between lines"
            )
        })
    }
}

impl Decompose {
    pub(crate) fn new(
        reader: SeriesReader,
        rules: Rules,
        tracks: SeriesStore<Track>,
        front: FrontMembers,
        members: Members,
        flags: Flags,
    ) -> Self {
        Self { reader, rules, tracks, front, members, parts: Vec::new(), steps: Steps::default(), flags }
    }

    /// Keeps about so much of the series in memory, and the rest in the scratch.
    ///
    /// # Errors
    /// When the scratch does not work.
    pub fn spill_to(&mut self, memory: ByteSize, scratch: Box<dyn Scratch>) -> Result<(), Error> {
        self.tracks.spill_to(memory, scratch)
    }

    #[inline]
    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(text) = self.reader.time_mut().take_warning() {
            out.warn(text);
        }
        if let Some(watermark_ms) = moved_ms {
            self.tracks.forget(watermark_ms, drop);
        }
    }
}

impl Stage for Decompose {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let Self { reader, tracks, rules, parts, members, front, steps, .. } = self;
        let watermark_ms = reader.time().watermark_ms();
        let point = reader.read(line, out.now_ms())?;
        let (time_ms, numbers) = (point.time_ms, point.numbers);
        let read = |from: &mut StateReader<'_>| Track::load(from, numbers.len());
        let taken = match tracks.take(point.key, time_ms, watermark_ms, |_| Track::new(time_ms, numbers.len()), read)? {
            Taken::State { state: track, .. } => track.take(time_ms, numbers, rules, parts).ok_or(Late::InLastStep),
            Taken::Late(late) => Err(late),
        };
        match taken {
            Ok(missing) => {
                steps.with_line += 1;
                steps.without_line += missing;
                steps.has_parts |= parts.iter().any(Option::is_some);
                front.write(line, point.object, point.has_members, members.of(parts), out.buffer());
                out.end_line();
            }
            Err(late) => late.tell(line, time_ms, out),
        }
        self.tracks.relieve(Track::save, |_| {})?;
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
        self.tracks.report(out);
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
        self.reader.remark().or_else(|| self.steps.remark())
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Decompose {
    fn flags(&self) -> String {
        self.flags.text.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::by(self.flags.by.iter().cloned()).any(self.reader.time().of_any_shard());
        Head::new().with("time", self.reader.time().snapshot()).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.reader.time().facts(to);
        self.tracks.facts(to);
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "decompose")?;
        head.must(self.reader.time_mut().restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.tracks.save(to, Track::save)
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let numbers = self.members.numbers();
        self.tracks.load(key, value, |from| Track::load(from, numbers))?;
        self.tracks.relieve(Track::save, |_| {})
    }
}

#[cfg(test)]
mod accuracy;
#[cfg(test)]
mod tests;
