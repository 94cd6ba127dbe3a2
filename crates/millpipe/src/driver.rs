//! The stream protocol around one stage, as a state machine: bytes in, bytes out, no pipe in sight.
//!
//! Every way of running (one loop, threads, a test that crashes it anywhere) feeds this.

use std::any::Any;

use checkpoint::{Changes, Part, Snapshot};

use crate::accounting::{Counts, Role};
use crate::fault::{Error, Fault};
use crate::hello::{Barrier, Hello};
use crate::keeper::{Keeper, folder_name};
use crate::lines::{Piece, Splitter};
use crate::mark::{Mark, is_mark};
use crate::out::Out;
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

/// Where a stream is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// Nothing has come yet: a hello may be next.
    New,
    Plain,
    Checked,
    /// A checked stream that had its `end`.
    Ended,
}

/// One stage with everything the contract asks of it.
pub struct Driver<S> {
    pub stage: S,
    pub out: Out,
    splitter: Splitter,
    protocol: Protocol,
}

/// A stream with checkpoints, as this stage takes part in it.
struct Kept {
    run: String,
    /// The stage's own folder in the state folder; a stage without state has none.
    folder: Option<String>,
    flags: String,
}

impl<S: Sink> Driver<SinkStage<S>> {
    /// The same around the last stage of a pipe.
    pub fn of_sink(sink: S, config: Config, rejects: Rejects) -> Self {
        Self::new(SinkStage::new(sink), config, rejects)
    }
}

struct Protocol {
    config: Config,
    life: Life,
    line_number: u64,
    byte_offset: u64,
    /// Data lines since the last barrier.
    epoch_lines: u64,
    /// The last stage of the pipe writes no marks.
    is_sink: bool,
    keeper: Keeper,
    /// What the stage has in the state folder, if the stream has checkpoints.
    kept: Option<Kept>,
    /// A barrier has said that the input is finished: what was open is flushed.
    drained: bool,
    sees_from: bool,
}

impl<S: Stage> Driver<S> {
    pub fn new(stage: S, config: Config, rejects: Rejects) -> Self {
        let out = Out::new(&config.policy, rejects);
        let splitter = Splitter::new(config.line_bytes_max);
        let protocol = Protocol {
            life: Life::New,
            line_number: 0,
            byte_offset: 0,
            epoch_lines: 0,
            is_sink: stage.is_sink(),
            sees_from: false,
            keeper: Keeper::new(),
            kept: None,
            drained: false,
            config,
        };
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
fn is_hello(torn: &[u8]) -> bool {
    const HELLO: &[u8] = b"{\"$\":\"hello\"";
    torn.starts_with(HELLO) || is_mark(torn) && HELLO.starts_with(torn)
}

fn cut_short(what: &str) -> Error {
    Error::temporary(format_args!("the stream was cut short {what}")).hint(
        "a stage before this one died, or a program between stopped reading (head); start the whole pipeline again",
    )
}

impl Protocol {
    fn item<S: Stage>(&mut self, stage: &mut S, out: &mut Out, line: &[u8]) -> Result<(), Fault> {
        self.line_number += 1;
        if self.life != Life::Plain {
            self.before_item(stage, out, line)?;
        }
        if is_mark(line) {
            return self.mark(stage, out, line);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            self.epoch_lines += 1;
            return Ok(()); // A blank line is no value, as for jq.
        }
        self.count_line(out);
        match stage.line(line, out) {
            Ok(()) => {}
            Err(Fault::Bad(why)) => {
                out.bad_here(&why, line);
                self.give_to_sink(stage, out)?;
            }
            Err(fault) => return Err(fault),
        }
        out.check()
    }

    /// A sink's own rejects go the way of those that come to it as marks.
    fn give_to_sink<S: Stage>(&self, stage: &mut S, out: &mut Out) -> Result<(), Fault> {
        for reject in out.rejects().for_sink() {
            stage.mark(&Mark::parse(reject.as_bytes())?, out)?;
        }
        Ok(())
    }

    fn before_item<S: Stage>(&mut self, stage: &mut S, out: &mut Out, line: &[u8]) -> Result<(), Fault> {
        match self.life {
            Life::New if is_mark(line) && Mark::parse(line)?.kind() == "hello" => Ok(()),
            Life::New => self.begin(stage, out),
            Life::Ended => Err(self.follows_the_end()),
            Life::Plain | Life::Checked => Ok(()),
        }
    }

    /// The stream is plain, and the stage may speak.
    fn begin<S: Stage>(&mut self, stage: &mut S, out: &mut Out) -> Result<(), Fault> {
        if self.life == Life::New {
            self.life = Life::Plain;
            stage.start(out)?;
        }
        out.check()
    }

    fn too_long<S: Stage>(&mut self, stage: &mut S, out: &mut Out, shown: &[u8]) -> Result<(), Fault> {
        self.line_number += 1;
        if self.life == Life::Ended {
            return Err(self.follows_the_end());
        }
        self.begin(stage, out)?;
        stage.catch_up(out)?;
        self.count_line(out);
        let why = format!("a line longer than {} bytes (--max-line)", self.config.line_bytes_max);
        out.bad_here(&why, shown);
        self.give_to_sink(stage, out)?;
        out.check()
    }

    /// A data line is next.
    #[inline]
    fn count_line(&mut self, out: &mut Out) {
        self.epoch_lines += 1;
        out.counts.lines_in += 1;
        out.at(self.line_number, self.byte_offset);
    }

    fn follows_the_end(&self) -> Fault {
        Error::data(format_args!("line {}: something follows the end mark", self.line_number)).into()
    }

    fn mark<S: Stage>(&mut self, stage: &mut S, out: &mut Out, line: &[u8]) -> Result<(), Fault> {
        let mark = Mark::parse(line)
            .map_err(|e| Error { message: format!("line {}: {}", self.line_number, e.message), ..e })?;
        match mark.kind() {
            "hello" => self.hello(stage, out, mark)?,
            "barrier" => self.barrier(stage, out, mark)?,
            "end" => self.end(stage, out, mark)?,
            "reject" if !self.is_sink => {
                stage.catch_up(out)?;
                out.mark(&mark);
            }
            kind => {
                self.sees_from |= kind == "from";
                stage.mark(&mark, out)?;
            }
        }
        out.check()
    }

    fn hello<S: Stage>(&mut self, stage: &mut S, out: &mut Out, mut mark: Mark) -> Result<(), Fault> {
        if self.life != Life::New {
            return Err(Error::data(format_args!("line {}: a hello mark in the middle", self.line_number)).into());
        }
        self.life = Life::Checked;
        out.stream_is_checked(&self.config.policy, self.is_sink);
        let hop = mark.number("hop").unwrap_or(0) + 1;
        mark.set("hop", hop);
        let hello = Hello::read(&mark)?;
        if !self.is_sink {
            // Before our own state is read: the stages restore side by side.
            out.mark(&mark);
            out.flush();
        }
        if let Some(hello) = hello {
            self.open(stage, out, &hello)?;
        }
        stage.start(out)
    }

    /// The stream has checkpoints: go on from the one that the source has chosen.
    fn open<S: Stage>(&mut self, stage: &mut S, out: &mut Out, hello: &Hello) -> Result<(), Fault> {
        let name = folder_name(hello, &self.config.name, self.config.state_name.as_deref());
        let kept = Kept { run: hello.run.clone(), folder: stage.has_state().then_some(name), flags: stage.flags() };
        stage.begin_checkpoints()?;
        self.keeper.open(&hello.state, &hello.run, kept.folder.as_deref())?;
        if self.is_sink {
            let truth = stage.open(hello, out)?;
            self.keeper.compare(hello, truth, stage.target(), out.now_ms())?;
        } else if let (Some(id), Some(_)) = (&hello.restore.id, &kept.folder) {
            self.keeper.load(id, &kept.flags, &mut |part| match part {
                Part::Head(mut head) => stage.restore(&mut head),
                Part::Entry { key, value } => stage.restore_entry(key, value),
            })?;
            out.counts.restored = stage.held();
        }
        self.kept = Some(kept);
        Ok(())
    }

    fn barrier<S: Stage>(&mut self, stage: &mut S, out: &mut Out, mut mark: Mark) -> Result<(), Fault> {
        self.check_count(&mark)?;
        stage.catch_up(out)?;
        if self.is_sink {
            self.commit(stage, out, &mark)?;
        } else {
            if mark.flag("drain") && !self.drained {
                stage.end(out)?;
                self.drained = true;
            }
            self.save(stage, &mut mark)?;
            self.sign(&mut mark);
            mark.set("lines", out.epoch_lines);
            out.mark(&mark);
        }
        self.epoch_lines = 0;
        out.epoch_lines = 0;
        Ok(())
    }

    /// The last act of an epoch.
    fn commit<S: Stage>(&mut self, stage: &mut S, out: &mut Out, mark: &Mark) -> Result<(), Fault> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let barrier = self.barrier_of(kept, mark)?;
        self.give_to_sink(stage, out)?;
        self.keeper.wait_for(&barrier)?;
        stage.commit(&barrier, out)?;
        Ok(self.keeper.set_committed(&barrier, stage.target(), out.now_ms())?)
    }

    /// The stage's state of now, under the barrier's id. It is written beside the stream.
    fn save<S: Stage>(&mut self, stage: &mut S, mark: &mut Mark) -> Result<(), Fault> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let mut barrier = self.barrier_of(kept, mark)?;
        let Some(folder) = &kept.folder else { return Ok(()) };
        if barrier.snapshots.contains(folder) {
            return Err(Error::usage(format_args!("two stages of this pipeline keep their state as \"{folder}\""))
                .hint("each --as NAME once")
                .into());
        }
        let mut snapshot = Snapshot {
            id: barrier.id,
            stage: self.config.name.clone(),
            flags: kept.flags.clone(),
            head: Vec::new(),
            changes: Changes::default(),
        };
        stage.snapshot(&mut snapshot.head).map_err(|error| Error::io("snapshot", &error))?;
        stage.changes(&mut snapshot.changes);
        self.keeper.save(snapshot)?;
        barrier.snapshots.push(folder.clone());
        mark.set("snapshots", barrier.snapshots);
        Ok(())
    }

    fn barrier_of(&self, kept: &Kept, mark: &Mark) -> Result<Barrier, Error> {
        let barrier = Barrier::read(mark)?;
        if barrier.id.run == kept.run {
            return Ok(barrier);
        }
        Err(Error::data(format_args!("line {}: barrier {} in run {}", self.line_number, barrier.id, kept.run)))
    }

    /// Each stage leaves its name on a barrier.
    fn sign(&self, mark: &mut Mark) {
        let mut hops = mark.get("hops").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        hops.push(self.config.name.as_str().into());
        mark.set("hops", hops);
    }

    fn end<S: Stage>(&mut self, stage: &mut S, out: &mut Out, mut mark: Mark) -> Result<(), Fault> {
        if self.life != Life::Checked {
            // A plain stream has no end mark of its own: what it is, a later stage may know.
            return stage.mark(&mark, out);
        }
        self.check_count(&mark)?;
        stage.catch_up(out)?;
        if self.is_sink {
            self.must_be_committed()?;
            stage.end(out)?;
        } else {
            if mark.flag("drain") && !self.drained {
                stage.end(out)?;
            }
            mark.set("lines", out.epoch_lines);
            out.mark(&mark);
            out.flush();
            self.keeper.finish()?;
        }
        self.life = Life::Ended;
        Ok(())
    }

    fn must_be_committed(&self) -> Result<(), Error> {
        if self.kept.is_none() || self.epoch_lines == 0 {
            return Ok(());
        }
        Err(Error::data(format_args!("line {}: {} lines behind the last barrier", self.line_number, self.epoch_lines)))
    }

    /// The sender counted its lines, we counted ours: a filter between that lost or doubled some is found here.
    fn check_count(&self, mark: &Mark) -> Result<(), Fault> {
        let Some(sent) = mark.number("lines") else {
            return Err(
                Error::data(format_args!("line {}: a {} mark without lines", self.line_number, mark.kind())).into()
            );
        };
        if self.life != Life::Checked || sent == self.epoch_lines {
            return Ok(());
        }
        let hops = mark.get("hops").and_then(serde_json::Value::as_array);
        let upstream = hops.and_then(|h| h.last()).and_then(serde_json::Value::as_str).unwrap_or("the source");
        let arrived = self.epoch_lines;
        let what = if arrived < sent { "dropped" } else { "added" };
        Err(Error::data(format_args!(
            "line {}: {upstream} sent {sent} lines since the last barrier, {arrived} arrived: a program between {upstream} and {} {what} {}",
            self.line_number,
            self.config.name,
            sent.abs_diff(arrived),
        ))
        .hint("run that program inside parallel-map -- CMD, which keeps the counts right")
        .into())
    }
}
