//! `throttle`: a bounded queue in front of a consumer that is given lines at a steady pace.
//!
//! **What comes out when.** Lines leave unchanged and in order, at most `--rate` lines and `--bytes` bytes per second ([`bucket`]:
//! a token bucket), `--batch` of them together, and only as fast as the program behind reads. Until then they wait
//! in the queue. At the end of the input the queue is emptied at the same pace.
//!
//! **When the queue is full** `--overflow` says what happens: `block` reads no further, so that the programs before it wait; all others
//! read on. `drop-oldest` and `drop-newest` take lines out, each counted as rejected and kept where rejects have a place
//! (`--rejects`, or as reject marks in a checked stream); `spill:FILE` puts what does not fit into a file and takes it
//! back in order; `fail` ends the run.
//!
//! **Marks** wait in the queue too, in their place. They cost no tokens, and none is ever dropped: as many marks as
//! the queue has lines make it full. Two kinds go past the queue: `waiting`, which is about the pipe and not about lines; and
//! barriers, as the lines in the queue are state and belong to a later epoch then (Flink calls such a checkpoint
//! unaligned). So a slow pace does not slow down checkpoints. Reject marks of stages before it pass at once, too.
//!
//! **Bad lines.** What is not JSON. No line is late here.
//!
//! **State.** What waits, an entry in a checkpoint for each line and mark. A stop without a flush leaves it there. A run that
//! goes on from a checkpoint begins without a burst.
//!
//! **Memory.** `--queue` lines or `--buffer` bytes, whichever is less. With `spill:FILE` and checkpoints, what came since the
//! last one beside that, before it goes into the file.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bucket;
pub mod cli;
mod gaps;
mod queue;
mod spill_file;

pub use queue::Limits;

use bucket::{Bucket, Pace};
use gaps::Gaps;
use millpipe::{Changes, Error, Facts, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};
use queue::Queue;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

/// Where a line goes when the queue is full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overflow {
    Block,
    DropOldest,
    DropNewest,
    Spill(PathBuf),
    Fail,
}

/// What [`Throttle`] is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// So many lines per time, and so many at once.
    pub lines: Option<(Pace, u64)>,
    /// So many bytes per time, and so many at once.
    pub bytes: Option<(Pace, u64)>,
    /// So many lines go together.
    pub batch: u64,
    /// A batch that is not full goes after this time.
    pub linger_us: i64,
    pub limits: Limits,
    pub overflow: Overflow,
    /// Tell at the end how steady the pace was.
    pub reports: bool,
}

/// The clock is looked at no more often than this while lines wait.
const TICK_US: i64 = 200;

/// Lets lines go at their pace.
pub struct Throttle {
    settings: Settings,
    queue: Queue,
    lines: Option<Bucket>,
    bytes: Option<Bucket>,
    /// What is left of the batch that is going.
    left: u64,
    /// When the first line of the next batch began to wait for others.
    since_us: i64,
    /// When it was last tried to let lines go, and whether some waited on then.
    tried_us: i64,
    is_waiting: bool,
    /// The output has no room.
    is_blocked: bool,
    is_ending: bool,
    /// A line has come: what is in the file to spill into is ours.
    has_begun: bool,
    dropped: u64,
    gaps: Gaps,
}

impl Throttle {
    /// # Errors
    /// When the file to spill into cannot be opened.
    pub fn new(settings: Settings) -> Result<Throttle, Error> {
        let bucket = |limit: Option<(Pace, u64)>| limit.map(|(pace, burst)| Bucket::new(pace, burst));
        let (lines, bytes) = (bucket(settings.lines), bucket(settings.bytes));
        let queue = Queue::new(settings.limits);
        let queue = match &settings.overflow {
            Overflow::Spill(path) => queue.spill_to(path)?,
            _ => queue,
        };
        Ok(Throttle {
            settings,
            queue,
            lines,
            bytes,
            left: 0,
            since_us: 0,
            tried_us: i64::MIN,
            is_waiting: false,
            is_blocked: false,
            is_ending: false,
            has_begun: false,
            dropped: 0,
            gaps: Gaps::new(),
        })
    }

    /// Lets go what may go now.
    fn release(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.tried_us = out.now_us();
        self.is_blocked = false;
        for bucket in self.lines.iter_mut().chain(&mut self.bytes) {
            bucket.refill(self.tried_us, self.is_waiting);
        }
        while let Some(is_mark) = self.queue.first().map(|item| item.is_mark()) {
            self.is_blocked = !out.has_room();
            if self.is_blocked || !is_mark && self.left == 0 && !self.begin_batch() {
                break;
            }
            self.write_first(out)?;
        }
        self.is_waiting = !self.queue.is_empty();
        if !self.is_waiting {
            self.gaps.rest();
            self.report(out);
        }
        Ok(())
    }

    /// Whether the next batch goes now.
    fn begin_batch(&mut self) -> bool {
        if self.batch_at_us() > self.tried_us {
            return false;
        }
        let lines = self.batch_lines();
        if let Some(bucket) = &mut self.lines {
            bucket.take(lines);
        }
        self.left = lines;
        self.since_us = self.tried_us;
        self.gaps.go(lines, self.tried_us);
        true
    }

    /// How many lines of the next batch there are.
    fn batch_lines(&self) -> u64 {
        self.queue.lines().clamp(1, self.settings.batch)
    }

    /// When the next batch may go, with the lines that there are.
    fn batch_at_us(&self) -> i64 {
        let lines = self.batch_lines();
        let is_over = lines == self.settings.batch || self.is_ending || self.queue.is_at_limit(0);
        let full_us = if is_over { i64::MIN } else { self.since_us.saturating_add(self.settings.linger_us) };
        let first_bytes = self.queue.first().map_or(0, |item| item.text.len() as u64 + 1);
        let rate_us = self.lines.as_ref().map_or(i64::MIN, |bucket| ready_at_us(bucket, lines));
        let bytes_us = self.bytes.as_ref().map_or(i64::MIN, |bucket| ready_at_us(bucket, first_bytes));
        full_us.max(rate_us).max(bytes_us)
    }

    fn write_first(&mut self, out: &mut Out) -> Result<(), Fault> {
        let Some(item) = self.queue.pop()? else { return Ok(()) };
        if item.is_mark() {
            out.mark(&Mark::parse(&item.text)?);
            return Ok(());
        }
        out.line(&item.text);
        self.left = self.left.saturating_sub(1);
        if let Some(bucket) = &mut self.bytes {
            bucket.take(item.text.len() as u64 + 1);
        }
        Ok(())
    }

    /// Makes room for a line by the way of `--overflow`; false when it is the line itself that has to go.
    fn make_room(&mut self, line: &[u8], out: &mut Out) -> Result<bool, Fault> {
        self.release(out)?;
        while self.queue.is_at_limit(line.len()) {
            match self.settings.overflow {
                Overflow::Block | Overflow::Spill(_) => return Ok(true),
                Overflow::DropNewest => {
                    self.shed(out.line_number(), line, out);
                    return Ok(false);
                }
                Overflow::DropOldest => {
                    let Some(oldest) = self.queue.pop_oldest_line() else { return Ok(true) };
                    self.shed(oldest.line_number, &oldest.text, out);
                }
                Overflow::Fail => return Err(self.overflowed(out.line_number()).into()),
            }
        }
        Ok(true)
    }

    fn shed(&mut self, number: u64, line: &[u8], out: &mut Out) {
        let place = if number == 0 { "a line of the run before".to_owned() } else { format!("line {number}") };
        if self.dropped == 0 {
            out.warn(format_args!(
                "{place}: the queue is full; lines that do not fit are dropped and counted\nhint: --rejects FILE keeps them, a larger --queue or --buffer takes more, --overflow block waits"
            ));
        }
        self.dropped += 1;
        out.shed(line, place, "dropped: the queue is full");
    }

    #[cold]
    fn overflowed(&self, number: u64) -> Error {
        let Limits { lines, bytes } = self.settings.limits;
        Error::temporary(format_args!("line {number}: the queue is full, with {} lines (--queue {lines}, --buffer {bytes}B)", self.queue.lines()))
            .hint("--overflow block lets the programs before this one wait, drop-oldest and drop-newest go on without some lines, spill:FILE keeps them on disk")
    }

    /// At the end, when all lines are gone.
    fn report(&mut self, out: &mut Out) {
        if !self.is_ending {
            return;
        }
        self.queue.end();
        if self.settings.reports {
            out.warn(&self.gaps);
        }
        if self.dropped > 0 {
            out.warn(format_args!("{} lines dropped: the queue was full", self.dropped));
            self.dropped = 0;
        }
    }
}

fn ready_at_us(bucket: &Bucket, count: u64) -> i64 {
    if bucket.has(count) { i64::MIN } else { bucket.ready_at_us(count) }
}

impl Stage for Throttle {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if !self.has_begun {
            self.queue.begin()?;
            self.has_begun = true;
        }
        json_fields::validate(line).map_err(Fault::bad)?;
        if self.queue.is_at_limit(line.len()) && !self.make_room(line, out)? {
            return Ok(());
        }
        if self.queue.lines() == 0 {
            self.since_us = out.now_us();
        }
        self.queue.push(out.line_number(), line)?;
        if self.is_blocked { Ok(()) } else { self.release(out) }
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        // A source that fails before its hello leaves marks at most: then what a run before has spilled is nobody's business.
        if mark.kind() == MarkKind::Waiting || !self.has_begun && self.queue.begin().is_err() {
            out.mark(mark);
            return Ok(());
        }
        self.queue.push(out.line_number(), mark.to_string().as_bytes())?;
        if self.is_blocked { Ok(()) } else { self.release(out) }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.is_ending = true;
        self.release(out)
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.release(out)
    }

    fn held(&self) -> u64 {
        self.queue.lines()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }

    #[inline]
    fn queue(&self) -> Option<&dyn millpipe::Queue> {
        Some(self)
    }
}

impl Stateful for Throttle {
    fn begin_checkpoints(&mut self) -> Result<(), Fault> {
        Ok(self.queue.begin_checkpoints()?)
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        Head::new().with("next_id", self.queue.next_id()).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        to.insert("queue_lines".to_owned(), self.queue.lines().into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        self.queue.restored(Head::read(from, "throttle")?.count("next_id")?);
        self.lines.iter_mut().chain(&mut self.bytes).for_each(Bucket::empty);
        Ok(())
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.queue.save(to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.queue.load(key, value)
    }
}

impl millpipe::Queue for Throttle {
    fn is_full(&self) -> bool {
        let has_no_room = match self.settings.overflow {
            Overflow::Block => self.queue.is_full(),
            _ => self.queue.has_too_many_marks(),
        };
        has_no_room || self.is_ending && !self.queue.is_empty()
    }

    fn wake_at_us(&self) -> Option<i64> {
        // Without room in the output, it is the room that wakes.
        let is_timed = !self.queue.is_empty() && !self.is_blocked;
        is_timed.then(|| self.batch_at_us().max(self.tried_us.saturating_add(TICK_US)))
    }
}

#[cfg(test)]
mod tests;
