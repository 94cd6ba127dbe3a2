//! The contract of the stream, item by item: lines and marks, plain and checked streams, barriers and their counts.

use stream::{Error, Fault, Mark, MarkKind, is_mark};

use crate::bad_line::Place;
use crate::config::Config;
use crate::cut_short::cut_short;
use crate::hello::Hello;
use crate::last_words::LastWords;
use crate::line_count::{Miscount, check_count};
use crate::lines::{is_blank, without_byte_order_mark};
use crate::loss::Loss;
use crate::no_hello;
use crate::out::Out;
use crate::outside::must_be_outside;
use crate::select::LineSelector;
use crate::stage_checkpoints::StageCheckpoints;
use crate::station::{Station, is_full};

/// Where a stream is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Nothing has come yet: a hello may be next.
    New,
    Plain,
    Checked,
    /// A checked stream that had its `end`.
    Ended,
}

/// What the contract asks of a stage, item by item.
pub struct Protocol {
    pub config: Config,
    pub life: Life,
    line_number: u64,
    pub byte_offset: u64,
    /// Data lines since the last barrier.
    epoch_lines: u64,
    /// The last stage of the pipe writes no marks.
    pub is_sink: bool,
    pub checkpoints: StageCheckpoints,
    /// A barrier has said that the input is finished: what was open is flushed.
    drained: bool,
    /// A barrier or end mark that waits until all that was open is flushed.
    waiting: Option<Mark>,
    pub sees_from: bool,
    last_words: LastWords,
    /// The stage right before this one: it has ended too early if the input is cut short and nobody says more.
    before: Option<String>,
    /// The input has ended without the end mark.
    pub is_cut: bool,
    /// Of a sink: nothing is written any more.
    loss: Option<Loss>,
    /// The last barrier has gone on: what the stage still holds is in that checkpoint, and for the next run to write.
    pub is_closing: bool,
    /// The first line of a plain stream is an array of objects.
    begins_with_objects: bool,
    /// Of `--where`.
    pub selector: Option<Box<dyn LineSelector>>,
}

impl Protocol {
    pub fn new(config: Config, is_sink: bool) -> Self {
        Self {
            life: Life::New,
            line_number: 0,
            byte_offset: 0,
            epoch_lines: 0,
            is_sink,
            sees_from: false,
            last_words: LastWords::default(),
            before: None,
            is_cut: false,
            loss: None,
            is_closing: false,
            begins_with_objects: false,
            checkpoints: StageCheckpoints::default(),
            drained: false,
            waiting: None,
            selector: config.selection.as_ref().map(|selection| selection.selector()),
            config,
        }
    }

    /// A line of the stream, data or mark.
    #[inline(always)]
    pub fn item<S: Station>(&mut self, stage: &mut S, out: &mut Out, line: &[u8]) -> Result<(), Fault> {
        self.line_number += 1;
        let line = match self.life {
            Life::Plain => line,
            Life::New if self.waits_for_hello() && no_hello::is_passed_over(line, self.line_number)? => return Ok(()),
            _ if self.loss.is_some() => {
                let failed = &mut self.last_words.failed;
                *failed = failed.take().or_else(|| Loss::who_failed(line));
                return Ok(());
            }
            _ => self.before_item(stage, out, line)?,
        };
        if is_mark(line) {
            return self.mark(stage, out, line);
        }
        if is_blank(line) {
            return Ok(()); // No value, as for jq; and none that was counted, so that a program that blanks lines is found.
        }
        self.count_line(out);
        let taken = match &mut self.selector {
            None => stage.line(line, out),
            Some(selector) => match selector.takes(line) {
                Ok(true) => stage.line(line, out),
                Ok(false) => stage.pass(line, out),
                Err(fault) => Err(fault),
            },
        };
        match taken {
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
    fn give_to_sink<S: Station>(&self, stage: &mut S, out: &mut Out) -> Result<(), Fault> {
        for reject in out.rejects().for_sink() {
            stage.mark(&Mark::parse(reject.as_bytes())?, out)?;
        }
        Ok(())
    }

    fn before_item<'l, S: Station>(&mut self, stage: &mut S, out: &mut Out, line: &'l [u8]) -> Result<&'l [u8], Fault> {
        match self.life {
            // No line at all: neither the begin of a plain stream nor something after the end of a checked one.
            Life::New | Life::Ended if is_blank(line) => Ok(line),
            Life::New if is_mark(line) && Mark::parse(line)?.kind() == MarkKind::Hello => Ok(line),
            Life::New => {
                self.begin(stage, out)?;
                let line = without_byte_order_mark(line);
                self.begins_with_objects = line.trim_ascii_start().starts_with(b"[{");
                Ok(line)
            }
            Life::Ended => Err(self.follows_the_end()),
            Life::Plain | Life::Checked => Ok(line),
        }
    }

    /// A file that is one array is one line, which is seldom meant. What makes lines of its elements knows it.
    pub fn say_if_one_array(&self, out: &mut Out) {
        let counts = out.counts();
        if self.begins_with_objects && counts.lines_in == 1 && counts.lines_out <= 1 {
            out.warn(
                "all of the input is one line, an array of objects, and is taken as one\n\
                 hint: jq -c '.[]' FILE | … (or parallel-map '.[]') makes one line of each element",
            );
        }
    }

    /// The input has ended without the end mark.
    pub fn cut_short(&self, what: &str) -> Error {
        match (&self.loss, &self.last_words.failed) {
            (Some(loss), None) => loss.why.clone(),
            (_, failed) => cut_short(what, failed.as_deref(), self.who_died()),
        }
    }

    /// Whose end has cut the stream short, if it was.
    pub fn who_died(&self) -> Option<&str> {
        self.last_words.died.as_deref().or(self.before.as_deref()).filter(|_| self.is_cut)
    }

    /// Time has passed.
    ///
    /// # Errors
    /// When nothing can be committed any more.
    #[inline]
    pub fn check_loss(&self, now_ms: i64) -> Result<(), Error> {
        self.loss.as_ref().map_or(Ok(()), |loss| loss.check(now_ms))
    }

    /// A hello has to be the first that comes, by `--exactly-once`.
    pub fn waits_for_hello(&self) -> bool {
        self.config.exactly_once && self.life == Life::New
    }

    /// A checked stream has had its end.
    pub fn is_over(&self) -> bool {
        self.life == Life::Ended
    }

    /// The next line is this one of its input, and begins at this byte.
    pub fn stands_at(&mut self, line: u64, byte: u64) {
        self.line_number = line - 1;
        self.byte_offset = byte;
    }

    /// The stream is plain, and the stage may speak.
    pub fn begin<S: Station>(&mut self, stage: &mut S, out: &mut Out) -> Result<(), Fault> {
        if self.waits_for_hello() {
            return Err(no_hello::error(self.line_number).into());
        }
        if self.life == Life::New {
            self.life = Life::Plain;
            stage.start(out)?;
        }
        out.check()
    }

    pub fn too_long<S: Station>(&mut self, stage: &mut S, out: &mut Out, shown: &[u8]) -> Result<(), Fault> {
        self.line_number += 1;
        if self.loss.is_some() {
            return Ok(());
        }
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

    /// Data lines are next, which the stage takes as a whole. The place of the first.
    pub fn whole_lines(&mut self, ends: &[usize], bytes: usize, out: &mut Out) -> Place {
        let first = Place { line: self.line_number + 1, byte: self.byte_offset };
        let lines = ends.len() as u64;
        self.line_number += lines;
        self.epoch_lines += lines;
        out.counts.lines_in += lines;
        let last = ends.iter().rev().nth(1).map_or(0, |end| end + 1);
        out.at(self.line_number, self.byte_offset + last as u64);
        self.byte_offset += bytes as u64;
        first
    }

    fn follows_the_end(&self) -> Fault {
        Error::data(format_args!("line {}: something follows the end mark", self.line_number)).into()
    }

    fn mark<S: Station>(&mut self, stage: &mut S, out: &mut Out, line: &[u8]) -> Result<(), Fault> {
        let mark = Mark::parse(line)
            .map_err(|e| Error { message: format!("line {}: {}", self.line_number, e.message), ..e })?;
        match mark.kind() {
            MarkKind::Hello => self.hello(stage, out, mark)?,
            MarkKind::Barrier => self.barrier(stage, out, mark)?,
            MarkKind::End => self.end(stage, out, mark)?,
            _ if self.life == Life::Checked && self.last_words.take(&mark) => {
                if !self.is_sink {
                    stage.catch_up(out)?;
                    out.mark(&mark);
                }
            }
            MarkKind::Reject if !self.is_sink => {
                stage.catch_up(out)?;
                out.mark(&mark);
            }
            // The stage writes nothing any more, and must not be filled.
            _ if self.is_closing => out.mark(&mark),
            kind => {
                self.sees_from |= kind == MarkKind::From;
                if self.is_sink {
                    out.figures().watermark(&mark, out.now_ms());
                }
                stage.mark(&mark, out)?;
            }
        }
        out.check()
    }

    fn hello<S: Station>(&mut self, stage: &mut S, out: &mut Out, mut mark: Mark) -> Result<(), Fault> {
        if self.life != Life::New {
            return Err(Error::data(format_args!("line {}: a hello mark in the middle", self.line_number)).into());
        }
        self.life = Life::Checked;
        out.stream_is_checked(&self.config.policy, self.is_sink);
        let hop = mark.number("hop").unwrap_or(0) + 1;
        mark.set("hop", hop);
        if let Some(hops) = mark.get("hops").and_then(serde_json::Value::as_array) {
            self.before = hops.last().and_then(serde_json::Value::as_str).map(str::to_owned);
            self.sign(&mut mark);
        }
        let hello = Hello::read(&mark)?;
        out.figures().hello(&mark);
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
    fn open<S: Station>(&mut self, stage: &mut S, out: &mut Out, hello: &Hello) -> Result<(), Fault> {
        if let Some(rejects) = &self.config.policy.rejects {
            must_be_outside(hello, "--rejects", rejects)?;
        }
        self.checkpoints.open(stage, out, hello, &self.config)
    }

    fn barrier<S: Station>(&mut self, stage: &mut S, out: &mut Out, mark: Mark) -> Result<(), Fault> {
        self.check_count(&mark)?;
        out.figures().barrier(&mark, out.now_ms());
        stage.catch_up(out)?;
        self.epoch_lines = 0;
        if self.is_sink {
            self.commit(stage, out, &mark)?;
            out.epoch_lines = 0;
            return Ok(());
        }
        if self.drains(stage, out, &mark)? {
            self.waiting = Some(mark);
            return Ok(());
        }
        self.pass_barrier(stage, out, mark)
    }

    /// With this mark the input is finished: what is open is flushed. True while that takes its time.
    fn drains<S: Station>(&mut self, stage: &mut S, out: &mut Out, mark: &Mark) -> Result<bool, Fault> {
        if !mark.flag("drain") || self.drained {
            return Ok(false);
        }
        stage.end(out)?;
        self.drained = true;
        Ok(is_full(stage))
    }

    fn pass_barrier<S: Station>(&mut self, stage: &mut S, out: &mut Out, mut mark: Mark) -> Result<(), Fault> {
        if let Some(barrier) = self.checkpoints.barrier(&mark, self.line_number)? {
            self.checkpoints.save(stage, out, barrier, &mut mark, &self.config.name)?;
        }
        self.sign(&mut mark);
        mark.set("lines", out.epoch_lines);
        out.mark(&mark);
        out.epoch_lines = 0;
        self.is_closing = mark.flag("last");
        Ok(())
    }

    /// The stage is not full any more: what waited for it goes on.
    pub fn resume<S: Station>(&mut self, stage: &mut S, out: &mut Out) -> Result<(), Fault> {
        match self.waiting.take() {
            None => Ok(()),
            Some(mark) if mark.kind() == MarkKind::Barrier => self.pass_barrier(stage, out, mark),
            Some(mark) => self.pass_end(out, mark),
        }
    }

    /// The last act of an epoch.
    fn commit<S: Station>(&mut self, stage: &mut S, out: &mut Out, mark: &Mark) -> Result<(), Fault> {
        let Some(barrier) = self.checkpoints.barrier(mark, self.line_number)? else { return Ok(()) };
        self.give_to_sink(stage, out)?;
        self.loss = self.checkpoints.commit(stage, out, &barrier)?;
        Ok(())
    }

    /// Each stage leaves its name on a barrier.
    fn sign(&self, mark: &mut Mark) {
        let mut hops = mark.get("hops").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        hops.push(self.config.name.as_str().into());
        mark.set("hops", hops);
    }

    fn end<S: Station>(&mut self, stage: &mut S, out: &mut Out, mark: Mark) -> Result<(), Fault> {
        if self.life != Life::Checked {
            // A plain stream has no end mark of its own: what it is, a later stage may know.
            return stage.mark(&mark, out);
        }
        self.check_count(&mark)?;
        stage.catch_up(out)?;
        if self.is_sink {
            self.must_be_committed()?;
            stage.end(out)?;
            self.life = Life::Ended;
            return Ok(());
        }
        if self.drains(stage, out, &mark)? {
            self.waiting = Some(mark);
            return Ok(());
        }
        self.pass_end(out, mark)
    }

    fn pass_end(&mut self, out: &mut Out, mut mark: Mark) -> Result<(), Fault> {
        mark.set("lines", out.epoch_lines);
        out.mark(&mark);
        out.flush();
        self.checkpoints.keeper.finish()?;
        self.life = Life::Ended;
        Ok(())
    }

    fn must_be_committed(&self) -> Result<(), Error> {
        if !self.checkpoints.are_on() || self.epoch_lines == 0 {
            return Ok(());
        }
        Err(Error::data(format_args!("line {}: {} lines behind the last barrier", self.line_number, self.epoch_lines)))
    }

    /// The sender counted its lines, we counted ours: a filter between that lost or doubled some is found here.
    fn check_count(&self, mark: &Mark) -> Result<(), Fault> {
        let counted = check_count(mark, self.epoch_lines, &self.config.name);
        match counted {
            Err(Miscount::Different(_)) if self.life != Life::Checked => Ok(()),
            Ok(()) => Ok(()),
            Err(Miscount::Missing(error) | Miscount::Different(error)) => {
                Err(Error { message: format!("line {}: {}", self.line_number, error.message), ..error }.into())
            }
        }
    }
}
