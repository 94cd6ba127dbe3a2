//! The stream protocol around one stage, as a state machine: bytes in, bytes out, no pipe in sight.
//!
//! Every way of running (one loop, threads, a test that crashes it anywhere) feeds this.

use std::any::Any;
use std::ops::ControlFlow;

use stream::{Error, Fault};

use crate::bad_line::Place;
use crate::config::Config;
use crate::counts::Counts;
use crate::cut_short::is_hello;
use crate::figures::Facts;
use crate::hot_keys::HotKeys;
use crate::keeper::Keeper;
use crate::lines::{Piece, Splitter};
use crate::out::Out;
use crate::protocol::{Life, Protocol};
use crate::rejects::Rejects;
use crate::sink::Sink;
use crate::sink_station::SinkStation;
use crate::stage::Reader;
use crate::station::{Station, is_full};

/// One stage, sink or pool with everything the contract asks of it.
pub struct Driver<S> {
    pub stage: S,
    pub out: Out,
    splitter: Splitter,
    pub protocol: Protocol,
    hot_keys: Option<HotKeys>,
}

impl<S: Sink> Driver<SinkStation<S>> {
    /// The same around the last stage of a pipe.
    pub fn of_sink(sink: S, config: Config, rejects: Rejects) -> Self {
        Self::new(SinkStation::new(sink), config, rejects)
    }
}

impl<S: Station> Driver<S> {
    pub fn new(mut stage: S, config: Config, rejects: Rejects) -> Self {
        let out = Out::new(&config.policy, rejects);
        let splitter = Splitter::new(config.line_bytes_max);
        let protocol = Protocol::new(config, stage.target().is_some());
        Self { stage, out, splitter, protocol, hot_keys: None }
    }

    /// Keeps state by another way than with a thread on the computer's disk.
    #[must_use]
    pub fn keep_with(mut self, keeper: Keeper) -> Self {
        self.protocol.checkpoints.keeper = keeper;
        self
    }

    pub fn keeper(&mut self) -> &mut Keeper {
        &mut self.protocol.checkpoints.keeper
    }

    /// True in a checked stream: only its source ends it.
    pub fn is_checked(&self) -> bool {
        self.protocol.life == Life::Checked
    }

    /// The stream is a checked one, or was until its end.
    pub fn has_had_hello(&self) -> bool {
        matches!(self.protocol.life, Life::Checked | Life::Ended)
    }

    /// True while a snapshot is being written: look again soon whether it failed.
    ///
    /// # Errors
    /// That of a save that failed.
    pub fn is_saving(&self) -> Result<bool, Fault> {
        Ok(self.protocol.checkpoints.keeper.check()?)
    }

    /// Takes one chunk, cut anywhere. To a stage that is full in the middle of it, time passes: for whoever has no clock.
    ///
    /// # Errors
    /// What ends the run; what was written before it stays in `out`.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        let mut taken = self.offer(chunk)?;
        while taken < chunk.len() || is_full(&self.stage) {
            self.let_time_pass()?;
            taken += self.offer(&chunk[taken..])?;
        }
        Ok(())
    }

    /// Takes of a chunk what the stage has room for; returns how much. The rest, and all further chunks, are for when
    /// it is not full any more.
    ///
    /// # Errors
    /// As [`Driver::feed`].
    pub fn offer(&mut self, chunk: &[u8]) -> Result<usize, Fault> {
        if is_full(&self.stage) {
            return Ok(0);
        }
        self.look_at_key(chunk);
        let Self { stage, out, splitter, protocol, .. } = self;
        let taken = splitter.feed(chunk, |piece, bytes| {
            match piece {
                Piece::Line(line) => protocol.item(stage, out, line)?,
                Piece::TooLong(shown) => protocol.too_long(stage, out, shown)?,
            }
            protocol.byte_offset += bytes as u64;
            Ok::<_, Fault>(if is_full(stage) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        out.counts.bytes_in += taken as u64;
        if taken == chunk.len() {
            stage.chunk_over(out)?;
        }
        out.check()?;
        Ok(taken)
    }

    /// For those who watch: what keys come. Where nobody does, no reader of keys is made.
    fn look_at_key(&mut self, chunk: &[u8]) {
        let keys = self.protocol.config.keys.as_deref().filter(|_| self.out.figures().is_watched());
        let Some(keys) = keys else { return };
        let hot_keys = self.hot_keys.get_or_insert_with(|| HotKeys::new(keys));
        let begin = if self.splitter.is_between_lines() { 0 } else { first_line_begin(chunk) };
        hot_keys.look(&chunk[begin..], self.out.counts.lines_in, self.protocol.selector.as_mut());
    }

    /// Wakes the stage at its own times until it is not full.
    fn let_time_pass(&mut self) -> Result<(), Fault> {
        while is_full(&self.stage) {
            let Some(at_us) = self.wake_at_us() else {
                return Err(Error::data("the stage is full, and waits for nothing").into());
            };
            self.clock_us(at_us.max(self.out.now_us()))?;
        }
        Ok(())
    }

    /// A chunk of so many bytes, which ends with a line, may go to the stage as a whole.
    pub fn takes_whole_lines(&self, bytes: usize) -> bool {
        let lines_come = matches!(self.protocol.life, Life::Plain | Life::Checked);
        lines_come && self.splitter.is_between_lines() && bytes <= self.protocol.config.line_bytes_max
    }

    /// Such a chunk goes to the stage: its data lines end there. The place of the first one.
    pub fn count_whole_lines(&mut self, ends: &[usize], bytes: usize) -> Place {
        self.out.counts.bytes_in += bytes as u64;
        self.protocol.whole_lines(ends, bytes, &mut self.out)
    }

    /// So many bytes of input were taken, by whoever cuts them into lines.
    pub fn took_bytes(&mut self, bytes: usize) {
        self.out.counts.bytes_in += bytes as u64;
    }

    /// All that was read has been given.
    pub fn chunk_over(&mut self) -> Result<(), Fault> {
        self.stage.chunk_over(&mut self.out)?;
        self.out.check()
    }

    /// The next read of the input will wait.
    ///
    /// # Errors
    /// What the stage says.
    pub fn rest(&mut self) -> Result<(), Fault> {
        if let Some(target) = self.stage.target() {
            target.rest(&mut self.out)?;
        }
        self.out.check()
    }

    /// Takes one chunk of whose lines a reader has read some.
    ///
    /// # Errors
    /// As [`Driver::feed`].
    pub fn feed_read(&mut self, chunk: &[u8], lines: Box<dyn Any + Send>) -> Result<(), Fault> {
        self.take_read(Some(lines));
        let result = self.feed(chunk);
        self.take_read(None);
        result
    }

    fn take_read(&mut self, lines: Option<Box<dyn Any + Send>>) {
        if let Some(stage) = self.stage.read_ahead() {
            stage.take_read(lines);
        }
    }

    /// Makes readers for so many threads; none for a stage that reads all of its lines itself.
    pub fn readers(&mut self, threads: usize) -> Vec<Box<dyn Reader>> {
        // What was read of lines that `--where` lets pass would be in the way of the others.
        let stage = if self.protocol.selector.is_some() { None } else { self.stage.read_ahead() };
        stage.map(|stage| stage.readers(threads)).unwrap_or_default()
    }

    /// Returns true for a stage that writes at its own pace.
    pub fn has_queue(&self) -> bool {
        self.stage.queue().is_some()
    }

    /// Returns true while the stage can take nothing more.
    pub fn is_full(&self) -> bool {
        is_full(&self.stage)
    }

    /// Returns true for the last of a pipe, which writes nothing.
    pub fn is_sink(&self) -> bool {
        self.protocol.is_sink
    }

    /// The input has ended. To a stage that is full, time passes: for whoever has no clock.
    ///
    /// # Errors
    /// In a checked stream: when it was cut short. Otherwise what the stage says.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.close()?;
        self.let_time_pass()
    }

    /// The input has ended. What the stage still holds is written when it is not full any more.
    ///
    /// # Errors
    /// As [`Driver::finish`].
    pub fn close(&mut self) -> Result<(), Fault> {
        let torn = self.splitter.torn();
        let Self { stage, out, protocol, .. } = self;
        protocol.is_cut = protocol.life == Life::Checked;
        match (protocol.life, &torn) {
            (Life::Ended, _) => return Ok(()),
            (Life::Checked, None) => return Err(protocol.cut_short("without an end mark").into()),
            (Life::Checked, Some(_)) => return Err(protocol.cut_short("in the middle of a line").into()),
            // The source died in the middle of its hello.
            (Life::New, Some(line)) if is_hello(line) => return Err(protocol.cut_short("in its first line").into()),
            (Life::New | Life::Plain, _) => {}
        }
        if let Some(line) = torn {
            protocol.item(stage, out, &line)?;
        }
        if protocol.waits_for_hello() {
            return Ok(()); // The source has failed before its hello, and says why itself.
        }
        protocol.begin(stage, out)?;
        stage.end(out)?;
        protocol.say_if_one_array(out);
        out.check()
    }

    /// The tool's name.
    pub fn name(&self) -> &str {
        &self.protocol.config.name
    }

    /// The stage before this one whose end has cut the stream short, once that is known.
    pub fn who_died(&self) -> Option<&str> {
        self.protocol.who_died()
    }

    /// When (microseconds of the epoch) the clock is to be given, if no input comes first. Behind the last barrier a stage
    /// is not woken: what it would write belongs to no epoch, and the next run writes it.
    pub fn wake_at_us(&self) -> Option<i64> {
        if self.protocol.is_closing { None } else { self.stage.wake_at_us() }
    }

    /// Takes the clock and wakes the stage if it asked for it.
    ///
    /// # Errors
    /// What the stage says.
    pub fn clock(&mut self, now_ms: i64) -> Result<(), Fault> {
        self.clock_us(now_ms.saturating_mul(1000))
    }

    /// The same in microseconds. A clock that was set back wakes all who wait for it.
    ///
    /// # Errors
    /// What the stage says.
    pub fn clock_us(&mut self, now_us: i64) -> Result<(), Fault> {
        let was_set_back = now_us < self.out.now_us();
        self.out.set_now_us(now_us);
        if self.wake_at_us().is_some_and(|at_us| at_us <= now_us || was_set_back) {
            self.wake()?;
        }
        self.protocol.check_loss(self.out.now_ms())?;
        self.out.check()
    }

    fn wake(&mut self) -> Result<(), Fault> {
        if self.protocol.is_closing {
            return Ok(());
        }
        self.stage.wake(&mut self.out)?;
        if is_full(&self.stage) { Ok(()) } else { self.protocol.resume(&mut self.stage, &mut self.out) }
    }

    /// Hands on what the reader takes now. A stage that was told that there is no room is woken once there is.
    ///
    /// # Errors
    /// What the stage says, and what ends the output.
    pub fn flush_some(&mut self) -> Result<(), Fault> {
        self.out.flush_all_that_can_go()?;
        while self.out.has_room_again() {
            self.wake()?;
            self.out.flush_all_that_can_go()?;
        }
        Ok(())
    }

    /// What the stage says of its state, for those who watch the run.
    pub fn facts(&mut self) -> Facts {
        let mut facts = Facts::new();
        if let Some(state) = self.stage.state() {
            state.facts(&mut facts);
        }
        if let Some(hot_keys) = &self.hot_keys {
            hot_keys.facts(&mut facts);
        }
        if let Some(target) = self.stage.target() {
            target.facts(&mut facts);
        }
        facts
    }

    /// The counts so far, and how many lines the stage holds.
    pub fn counts(&self) -> (Counts, u64) {
        (self.out.counts(), self.stage.held())
    }

    /// Whether `from` marks came: time is kept per partition.
    pub fn sees_from(&self) -> bool {
        self.protocol.sees_from
    }
}

/// Where the first line begins that is not the end of one of the chunk before.
fn first_line_begin(chunk: &[u8]) -> usize {
    memchr::memchr(b'\n', chunk).map_or(chunk.len(), |end| end + 1)
}
