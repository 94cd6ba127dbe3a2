//! The order in which lines come back from shards, where each line gives one line: that of the input.
//!
//! Which shard each line went to is kept until it has come back. A shard's lines that come before their turn wait here; with
//! more than the limit of them, only the shard whose turn it is is read. Every mark that went to all shards must come back
//! from all of them at its place, so that a shard that adds or drops a line is found there.

use std::collections::VecDeque;

use memchr::memchr;
use stream::{Error, Fault, is_mark};

use crate::fan::fan_in::{Confluence, FanIn};

/// Lines and marks that may be on their way.
const TURNS_MAX: usize = 4 << 20;

/// In place of a shard's number: a mark, for all.
const MARK: u16 = u16::MAX;

/// Where lines went, oldest first.
#[derive(Default)]
pub struct Turns {
    queue: VecDeque<u16>,
}

impl Turns {
    /// A line went to this shard, a mark to all.
    #[inline]
    pub fn push(&mut self, shard: Option<usize>) {
        self.queue.push_back(shard.map_or(MARK, |shard| shard as u16));
    }

    /// Whether as many are on their way as may be.
    pub fn is_full(&self) -> bool {
        self.queue.len() >= TURNS_MAX
    }

    /// The shard that the next line is to come from; none for a mark, or when nothing is on its way.
    pub fn next(&self) -> Option<usize> {
        self.queue.front().filter(|shard| **shard != MARK).map(|shard| usize::from(*shard))
    }
}

/// What a shard has written and was not its turn yet.
#[derive(Default)]
struct Early {
    bytes: Vec<u8>,
    taken: usize,
    /// The end of its output has come, and has been given on.
    is_over: bool,
    is_told: bool,
}

/// Puts what comes from shards into order.
pub struct Ordered {
    shards: Vec<Early>,
    bytes_max: usize,
}

impl Ordered {
    pub fn new(shards: usize, bytes_max: usize) -> Self {
        Self { shards: std::iter::repeat_with(Early::default).take(shards).collect(), bytes_max }
    }

    /// Whether a shard's output can be read: there is room, or it is the one that is waited for.
    pub fn has_room(&self, shard: usize, turns: &Turns) -> bool {
        !self.is_full() || turns.next() == Some(shard) || self.shards[shard].waiting().is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.shards.iter().map(|early| early.waiting().len()).sum::<usize>() >= self.bytes_max
    }

    /// A shard has written this; writes what has its turn.
    ///
    /// # Errors
    /// What ends the run; a shard that does not give one line for each.
    pub fn feed(
        &mut self,
        shard: usize,
        chunk: &[u8],
        turns: &mut Turns,
        fan_in: &mut FanIn,
        to: &mut impl Confluence,
    ) -> Result<(), Fault> {
        self.shards[shard].push(chunk);
        self.advance(turns, fan_in, to)
    }

    /// A shard's output has ended.
    ///
    /// # Errors
    /// As `feed`.
    pub fn finish(
        &mut self,
        shard: usize,
        turns: &mut Turns,
        fan_in: &mut FanIn,
        to: &mut impl Confluence,
    ) -> Result<(), Fault> {
        let early = &mut self.shards[shard];
        early.is_over = true;
        if early.waiting().last().is_some_and(|last| *last != b'\n') {
            early.bytes.push(b'\n');
        }
        self.advance(turns, fan_in, to)
    }

    fn advance(&mut self, turns: &mut Turns, fan_in: &mut FanIn, to: &mut impl Confluence) -> Result<(), Fault> {
        while let Some(turn) = turns.queue.front() {
            let is_done = match *turn {
                MARK => self.take_marks(fan_in, to)?,
                shard => self.take_line(usize::from(shard), fan_in, to)?,
            };
            if !is_done {
                break;
            }
            turns.queue.pop_front();
        }
        self.tell_ends(fan_in, to)?;
        if !turns.queue.is_empty() {
            return Ok(());
        }
        match self.shards.iter().position(|early| early.line().is_some()) {
            Some(shard) => Err(not_one_to_one(shard, "more").into()),
            None => Ok(()),
        }
    }

    /// Gives on the ends of shards of which nothing waits.
    fn tell_ends(&mut self, fan_in: &mut FanIn, to: &mut impl Confluence) -> Result<(), Fault> {
        for (shard, early) in self.shards.iter_mut().enumerate() {
            if early.is_over && !early.is_told && early.waiting().is_empty() {
                early.is_told = true;
                fan_in.finish(shard, to)?;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, shard: usize, fan_in: &mut FanIn, to: &mut impl Confluence) -> Result<bool, Fault> {
        let early = &mut self.shards[shard];
        let Some(line) = early.line() else {
            // In a checked stream the end tells whether it has died.
            let is_short = early.is_over && (early.is_told || !fan_in.is_checked());
            return if is_short { Err(not_one_to_one(shard, "fewer").into()) } else { Ok(false) };
        };
        if is_mark(line) && !line.starts_with(b"{\"$\":\"reject\"") {
            return Err(not_one_to_one(shard, "fewer").into());
        }
        let bytes = line.len() + 1;
        fan_in.line(shard, line, bytes, to)?;
        early.took(bytes);
        Ok(true)
    }

    /// One mark from each shard, once all have theirs.
    fn take_marks(&mut self, fan_in: &mut FanIn, to: &mut impl Confluence) -> Result<bool, Fault> {
        let mut all = true;
        for (shard, early) in self.shards.iter().enumerate() {
            match early.line() {
                Some(line) if !is_mark(line) => return Err(not_one_to_one(shard, "more").into()),
                None if early.is_over && !fan_in.is_checked() => return Err(not_one_to_one(shard, "fewer").into()),
                line => all &= line.is_some(),
            }
        }
        for shard in 0..if all { self.shards.len() } else { 0 } {
            let early = &mut self.shards[shard];
            let Some(line) = early.line() else { break };
            let bytes = line.len() + 1;
            fan_in.line(shard, line, bytes, to)?;
            early.took(bytes);
        }
        Ok(all)
    }
}

impl Early {
    fn waiting(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    fn line(&self) -> Option<&[u8]> {
        let waiting = self.waiting();
        memchr(b'\n', waiting).map(|end| &waiting[..end])
    }

    fn push(&mut self, chunk: &[u8]) {
        if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(chunk);
    }

    fn took(&mut self, bytes: usize) {
        self.taken += bytes;
    }
}

fn not_one_to_one(shard: usize, how: &str) -> Error {
    Error::data(format_args!("shard {shard} has written {how} lines or marks than it got: --ordered needs one for each"))
        .hint("--ordered is for a sub-pipeline that gives each line one line and makes no marks; results of windows are sorted behind it, by their end")
}
