//! The stream protocol around one stage, as a state machine: bytes in, bytes out, no pipe in sight.
//!
//! Every way of running (one loop, threads, a test that crashes it anywhere) feeds this.

use std::any::Any;

use crate::accounting::{Counts, Role};
use crate::fault::{Error, Fault};
use crate::keeper::Keeper;
use crate::lines::{Piece, Splitter};
use crate::mark::is_mark;
use crate::out::Out;
use crate::protocol::{Life, Protocol};
use crate::rejects::{Policy, Rejects};
use crate::sink_stage::SinkStage;
use crate::stage::{Sink, Stage};

/// Limits and policies of a stage, from its flags.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tool's name, for messages and for the `hops` of a barrier.
    pub name: String,
    pub policy: Policy,
    pub line_bytes_max: usize,
    /// `--as`: what the stage's folder in the state folder is called, if not by hop and name.
    pub state_name: Option<String>,
}

impl Config {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), policy: Policy::default(), line_bytes_max: 64 << 20, state_name: None }
    }
}

/// One stage with everything the contract asks of it.
pub struct Driver<S> {
    pub stage: S,
    pub out: Out,
    splitter: Splitter,
    pub(crate) protocol: Protocol,
}

impl<S: Sink> Driver<SinkStage<S>> {
    /// The same around the last stage of a pipe.
    pub fn of_sink(sink: S, config: Config, rejects: Rejects) -> Self {
        Self::new(SinkStage::new(sink), config, rejects)
    }
}

impl<S: Stage> Driver<S> {
    pub fn new(stage: S, config: Config, rejects: Rejects) -> Self {
        let out = Out::new(&config.policy, rejects);
        let splitter = Splitter::new(config.line_bytes_max);
        let protocol = Protocol::new(config, stage.is_sink());
        Self { stage, out, splitter, protocol }
    }

    /// Keeps state by another way than with a thread on the computer's disk.
    #[must_use]
    pub fn keep_with(mut self, keeper: Keeper) -> Self {
        self.protocol.keeper = keeper;
        self
    }

    pub fn keeper(&mut self) -> &mut Keeper {
        &mut self.protocol.keeper
    }

    /// True in a checked stream: only its source ends it.
    pub fn is_checked(&self) -> bool {
        self.protocol.life == Life::Checked
    }

    /// True while a snapshot is being written: look again soon whether it failed.
    ///
    /// # Errors
    /// That of a save that failed.
    pub fn is_saving(&self) -> Result<bool, Fault> {
        Ok(self.protocol.keeper.check()?)
    }

    /// Takes one chunk, cut anywhere.
    ///
    /// # Errors
    /// What ends the run; what was written before it stays in `out`.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        let Self { stage, out, splitter, protocol } = self;
        out.counts.bytes_in += chunk.len() as u64;
        splitter.feed(chunk, |piece, bytes| {
            match piece {
                Piece::Line(line) => protocol.item(stage, out, line)?,
                Piece::TooLong(shown) => protocol.too_long(stage, out, shown)?,
            }
            protocol.byte_offset += bytes as u64;
            Ok::<(), Fault>(())
        })?;
        stage.chunk_over(out)?;
        out.check()
    }

    /// So many bytes of input were taken, by whoever cuts them into lines.
    pub(crate) fn took_bytes(&mut self, bytes: usize) {
        self.out.counts.bytes_in += bytes as u64;
    }

    /// All that was read has been given.
    pub(crate) fn chunk_over(&mut self) -> Result<(), Fault> {
        self.stage.chunk_over(&mut self.out)?;
        self.out.check()
    }

    /// The next read of the input will wait.
    ///
    /// # Errors
    /// What the stage says.
    pub fn rest(&mut self) -> Result<(), Fault> {
        self.stage.rest(&mut self.out)?;
        self.out.check()
    }

    /// Takes one chunk of whose lines a reader has read some.
    ///
    /// # Errors
    /// As [`Driver::feed`].
    pub fn feed_read(&mut self, chunk: &[u8], lines: Box<dyn Any + Send>) -> Result<(), Fault> {
        self.stage.take_read(Some(lines));
        let result = self.feed(chunk);
        self.stage.take_read(None);
        result
    }

    /// The input has ended.
    ///
    /// # Errors
    /// In a checked stream: when it was cut short. Otherwise what the stage says.
    pub fn finish(&mut self) -> Result<(), Fault> {
        let torn = self.splitter.torn();
        let Self { stage, out, protocol, .. } = self;
        match (protocol.life, &torn) {
            (Life::Ended, _) => return Ok(()),
            (Life::Checked, None) => return Err(cut_short("without an end mark").into()),
            (Life::Checked, Some(_)) => return Err(cut_short("in the middle of a line").into()),
            // The source died in the middle of its hello.
            (Life::New, Some(line)) if is_hello(line) => return Err(cut_short("in its first line").into()),
            (Life::New | Life::Plain, _) => {}
        }
        if let Some(line) = torn {
            protocol.item(stage, out, &line)?;
        }
        protocol.begin(stage, out)?;
        stage.end(out)?;
        out.check()
    }

    /// The tool's name.
    pub fn name(&self) -> &str {
        &self.protocol.config.name
    }

    /// Where in its pipe the stage stands.
    pub(crate) fn role(&self) -> Role {
        if self.protocol.is_sink { Role::Sink } else { Role::Stage }
    }

    /// Takes the clock and wakes the stage if it asked for it.
    ///
    /// # Errors
    /// What the stage says.
    pub fn clock(&mut self, now_ms: i64) -> Result<(), Fault> {
        self.out.set_now_ms(now_ms);
        if self.stage.wake_at().is_some_and(|at| at <= now_ms) {
            self.stage.wake(&mut self.out)?;
        }
        self.out.check()
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

/// Whether a torn first line is, or was about to become, a hello.
pub(crate) fn is_hello(torn: &[u8]) -> bool {
    const HELLO: &[u8] = b"{\"$\":\"hello\"";
    torn.starts_with(HELLO) || is_mark(torn) && HELLO.starts_with(torn)
}

pub(crate) fn cut_short(what: &str) -> Error {
    Error::temporary(format_args!("the stream was cut short {what}")).hint(
        "a stage before this one died, or a program between stopped reading (head); start the whole pipeline again",
    )
}
