//! Adds to each line members that are made from it and from the lines of its key before it.
//!
//! **A line** is a JSON object with a key, made of `--by`, and with what the functions are of; a function of time needs a time.
//! A value that is missing or null makes its members null, and changes nothing.
//!
//! **What comes out**: each line at once, in place, with the new members in front. They depend on the line and on those of
//! its key before it, not on those that follow.
//!
//! **Late**, where times count, is a line with an earlier time than the line before it of its key; with `--ttl` also one whose own
//! time is so far behind the watermark. **Bad** is a line that is no object, has no time where one is needed, or something else
//! than a number where one is needed.
//!
//! **What is kept**: for each of at most `--max-keys` keys a [`KeyState`](key_state::KeyState): a few numbers for each function, and
//! the values of the last lines where a function is of them, at most `--max-lines` each and `--buffer` in all; with `--ttl` a key is forgotten when no
//! line of it came for that long.
//!
//! **Marks** pass.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod digests;
mod folds;
mod function;
mod inputs;
mod key_state;
mod part;
mod plan;
mod ranked;
mod room;
mod smoothing;
mod span;
mod spec;
mod window;

use std::io::{self, BufRead, Write};

use keyed_state::{BufferLimit, KeyLimit};
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, Out, Stage, Stateful};
use series::{FrontMembers, LineReader, SeriesStore, Taken};
use sorted_runs::Scratch;
use units::ByteSize;
use values::state_text::StateReader;

use crate::inputs::Numbers;
use crate::key_state::KeyState;
use crate::plan::Plan;
use crate::room::Room;
pub use crate::spec::Spec;

/// What the operator is made of.
pub struct Job {
    pub reader: LineReader,
    pub(crate) plan: Plan,
    /// The names of the members.
    pub names: Vec<String>,
    pub keys: KeyLimit,
    pub ttl_ms: Option<i64>,
    /// The most lines that a function keeps of a key.
    pub lines_max: usize,
    /// The most memory for all of them.
    pub buffer: BufferLimit,
    /// The expressions of the key.
    pub by: Vec<String>,
    /// The flags that the state depends on.
    pub flags: String,
}

/// The operator.
pub struct Derive {
    reader: LineReader,
    plan: Plan,
    numbers: Numbers,
    store: SeriesStore<KeyState>,
    front: FrontMembers,
    members: Vec<u8>,
    room: Room,
    buffer: BufferLimit,
    by: Vec<String>,
    flags: String,
}

impl Derive {
    #[must_use]
    pub fn new(job: Job) -> Derive {
        Derive {
            reader: job.reader,
            plan: job.plan,
            numbers: Numbers::default(),
            store: SeriesStore::new(job.keys, job.ttl_ms),
            front: FrontMembers::new(&job.names),
            members: Vec::new(),
            room: Room { lines_max: job.lines_max, bytes: 0 },
            buffer: job.buffer,
            by: job.by,
            flags: job.flags,
        }
    }

    /// Keeps about so much of what is kept of keys in memory, and the rest in the scratch.
    ///
    /// # Errors
    /// When the scratch does not work.
    pub fn spill_to(&mut self, memory: ByteSize, scratch: Box<dyn Scratch>) -> Result<(), Error> {
        self.store.spill_to(memory, scratch)
    }

    #[inline]
    fn relieve(&mut self) -> Result<(), Error> {
        let room = &mut self.room;
        self.store.relieve(KeyState::save, |state| room.bytes -= state.bytes())
    }

    #[inline]
    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(text) = self.reader.time_mut().take_warning() {
            out.warn(text);
        }
        if let Some(watermark_ms) = moved_ms {
            self.store.forget(watermark_ms, |state| self.room.bytes -= state.bytes());
        }
    }
}

#[cold]
fn too_many_lines(lines_max: usize) -> Error {
    Error::data(format_args!("more than {lines_max} lines of a key in the time of a function"))
        .hint("--max-lines N allows more, a shorter time needs fewer")
}

impl Stage for Derive {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let watermark_ms = self.reader.time().watermark_ms();
        let reading = self.reader.read(line, out.now_ms())?;
        self.numbers.read(&self.plan.fields, &reading)?;
        let time_ms = reading.time_ms;
        let room = &mut self.room;
        let begin = |before: Option<&KeyState>| {
            room.bytes -= before.map_or(0, KeyState::bytes);
            KeyState::new(&self.plan)
        };
        let mut read_bytes = 0;
        let read = |from: &mut StateReader<'_>| {
            let state = KeyState::load(from, &self.plan)?;
            read_bytes = state.bytes();
            Some(state)
        };
        match self.store.take(reading.key, time_ms, watermark_ms, begin, read)? {
            Taken::State { state, .. } => {
                self.room.bytes += read_bytes;
                self.members.clear();
                let taken = state.take(&self.plan, &self.numbers, &reading, &mut self.room, &mut self.members);
                taken.map_err(|_| too_many_lines(self.room.lines_max))?;
                self.buffer.check(self.room.bytes)?;
                self.front.write(line, reading.object, reading.has_members, &self.members, out.buffer());
                out.end_line();
            }
            Taken::Late(late) => late.tell(line, time_ms, out),
        }
        self.relieve()?;
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

impl Stateful for Derive {
    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::by(self.by.iter().cloned()).any(self.reader.time().of_any_shard());
        Head::new().with("time", self.reader.time().snapshot()).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.reader.time().facts(to);
        self.store.facts(to);
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "derive")?;
        head.must(self.reader.time_mut().restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.store.save(to, KeyState::save)
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let room = &mut self.room;
        self.store.load(key, value, |from| {
            let state = KeyState::load(from, &self.plan)?;
            room.bytes += state.bytes();
            Some(state)
        })?;
        self.relieve()
    }
}

#[cfg(test)]
mod tests;
