//! What a stage writes to: lines and marks in one buffer, the counts, and the way of bad and late lines.

use crate::bad_line::{Place, bad_line};
use crate::counts::{Counts, Done};
use crate::drain::Drain;
use crate::figures::Figures;
use crate::other_format;
use crate::rejects::{Late, OnError, Policy, Rejects};
use crate::waits::Waits;
use std::fmt::Display;

use stream::{Exit, Fault, Mark, MarkKind};

/// How much may collect before it goes to the pipe, even in the middle of a flush of many lines.
pub const BLOCK_BYTES: usize = 64 * 1024;

/// What was written elsewhere is copied up to here; more is worth a write of its own.
const COPIED_BYTES_MAX: usize = BLOCK_BYTES / 4;

/// How much a stage with a queue writes ahead of its reader. A pipe that has room takes so much at once.
pub const ROOM_BYTES: usize = 4096;

/// The output side of a stage.
///
/// Nothing here fails: a failure is remembered and ends the run as soon as the stage returns, so that an
/// operator needs no error handling for its output.
pub struct Out {
    bytes: Vec<u8>,
    drain: Option<Box<dyn Drain>>,
    failed: Option<Fault>,
    waits: Waits,
    figures: Figures,
    rejects: Rejects,
    on_error: OnError,
    late: Late,
    late_warned: bool,
    now_us: i64,
    /// Of a stage with a queue: it was told that there is no room.
    was_refused: bool,
    place: Place,
    /// The inputs by name, where there are several, and the one that the current line is of.
    inputs: Vec<String>,
    input: usize,
    /// Lines written since the last barrier.
    pub epoch_lines: u64,
    pub counts: Counts,
}

impl Out {
    /// An output that keeps everything in memory, for a plain stream.
    pub fn new(policy: &Policy, rejects: Rejects) -> Self {
        Self {
            bytes: Vec::with_capacity(2 * BLOCK_BYTES),
            drain: None,
            failed: None,
            waits: Waits::default(),
            figures: Figures::default(),
            rejects,
            on_error: policy.on_error.unwrap_or(OnError::Stop),
            late: policy.late.unwrap_or(Late::Drop),
            late_warned: false,
            now_us: 0,
            was_refused: false,
            place: Place::default(),
            inputs: Vec::new(),
            input: 0,
            epoch_lines: 0,
            counts: Counts::default(),
        }
    }

    /// The last words of a stage of a checked stream that has failed: those after it then know who it was, and if it has failed
    /// for good, that a new start does not help. What it has written since it failed is not for them. `died` is the stage before it
    /// that has ended without such words.
    pub fn last_words(&mut self, name: &str, died: Option<&str>, result: &Result<(), Fault>) {
        let Err(Fault::Stop(error)) = result else { return };
        if self.failed.take().is_some() {
            self.bytes.clear();
        }
        let mark = match error.exit {
            Exit::Temporary => Mark::new(MarkKind::Died).with("stage", died.unwrap_or(name)),
            _ => Mark::new(MarkKind::Failed).with("by", name),
        };
        self.mark(&mark);
    }

    /// From now on full blocks go there, and what `flush_all` finds.
    pub fn set_drain(&mut self, drain: Box<dyn Drain>) {
        self.drain = Some(drain);
    }

    /// The stream is checked: bad lines are kept aside where no flag says otherwise, and what is kept aside goes into the stream.
    pub fn stream_is_checked(&mut self, policy: &Policy, at_sink: bool) {
        self.on_error = policy.on_error.unwrap_or(OnError::Reject);
        if at_sink {
            self.rejects.go_to_sink();
        } else {
            self.rejects.go_into_stream();
        }
    }

    /// The clock, in milliseconds of the epoch, read once per chunk.
    #[inline]
    pub fn now_ms(&self) -> i64 {
        self.now_us.div_euclid(1000)
    }

    /// The same in microseconds.
    pub fn now_us(&self) -> i64 {
        self.now_us
    }

    /// Sets the clock. The runtime does it for each chunk, a test for each step.
    pub fn set_now_ms(&mut self, now_ms: i64) {
        self.set_now_us(now_ms.saturating_mul(1000));
    }

    pub fn set_now_us(&mut self, now_us: i64) {
        self.now_us = now_us;
    }

    /// The number of the current line in the input of this run, from 1; of no use as a position.
    pub fn line_number(&self) -> u64 {
        self.place.line
    }

    /// Writes one line that stands for one input line.
    #[inline]
    pub fn line(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.end_line();
    }

    /// The buffer, to write a line into piece by piece; `end_line` or `end_result` ends it.
    #[inline]
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the line in the buffer. It stands for one input line, which is settled by it.
    #[inline]
    pub fn end_line(&mut self) {
        self.counts.settled += 1;
        self.end_result();
    }

    /// Ends the line in the buffer. Input lines are settled apart from it, by [`Out::settle`].
    #[inline]
    pub fn end_result(&mut self) {
        self.bytes.push(b'\n');
        self.counts.lines_out += 1;
        self.epoch_lines += 1;
        if self.bytes.len() >= BLOCK_BYTES {
            self.flush();
        }
    }

    /// These input lines have had their whole effect: they are no longer held.
    #[inline]
    pub fn settle(&mut self, lines: u64) {
        self.counts.settled += lines;
    }

    /// These input lines are done with, and are in no output: a filter is false for them, another line of their key is kept.
    #[inline]
    pub fn leave_out(&mut self, lines: u64) {
        self.counts.left_out += lines;
    }

    /// Writes so many whole lines at once, each with its newline; each stands for one input line.
    pub fn block(&mut self, bytes: &[u8], lines: u64) {
        self.take_over(bytes, Done { lines_out: lines, settled: lines, left_out: 0 });
    }

    /// Writes a mark at this place of the stream.
    pub fn mark(&mut self, mark: &Mark) {
        self.figures.watermark(mark, self.now_ms());
        mark.write(&mut self.bytes);
        self.bytes.push(b'\n');
    }

    /// What `--late` says, for a stage that can let late lines pass.
    pub fn late_policy(&self) -> Late {
        self.late
    }

    /// Lets a late line through: the stage writes it itself, this counts it.
    pub fn count_late_passed(&mut self) {
        self.counts.late_passed += 1;
    }

    /// Sends a late line the way of `--late`: lets it pass as it is, or takes it out as [`Out::late`] does.
    pub fn late_or_pass(&mut self, line: &[u8], why: impl Display, hint: impl Display) {
        if self.late == Late::Pass {
            self.count_late_passed();
            self.line(line);
        } else {
            self.late(line, why, hint);
        }
    }

    /// Takes a late line out of the stream, counted, the way of `--late`.
    ///
    /// The reason and the hint are formatted only when somebody reads them.
    pub fn late(&mut self, line: &[u8], why: impl Display, hint: impl Display) {
        self.counts.late += 1;
        if self.late == Late::Reject {
            let at = self.place_shown();
            self.reject_to(line, &at, &why);
        } else if !self.late_warned {
            self.late_warned = true;
            let text = format!("{}: {why}; late lines are dropped and counted\nhint: {hint}", self.place_shown());
            self.rejects.warn(&text);
        }
    }

    /// A value that cannot be used, with its place (`topic t, partition 0, offset 17`), by `--on-error`.
    ///
    /// A second line of the reason that begins with `hint: ` is for those who see it at once: what is kept aside goes without.
    pub fn bad(&mut self, at: impl Display, why: impl Display, line: &[u8]) {
        let why = why.to_string();
        let (why, own_hint) = why.split_once("\nhint: ").unwrap_or((&why, ""));
        self.counts.rejected += 1;
        match self.on_error {
            OnError::Stop => self.fail(bad_line(&at, why, own_hint, line).into()),
            OnError::Reject => match other_format::recognise(why, line) {
                Some(format) => self.reject_to(line, &at, &format_args!("{why}: {}", format.what)),
                None => self.reject_to(line, &at, &why),
            },
            OnError::Skip => self.figures.reject(self.now_ms(), &at, &why, line),
        }
    }

    /// Takes a line out of the stream that there is no room for, counted as rejected, whatever `--on-error` says: it
    /// is kept where rejects have a place of their own, a file or a checked stream.
    pub fn shed(&mut self, line: &[u8], at: impl Display, why: impl Display) {
        self.counts.rejected += 1;
        if self.rejects.have_a_place() {
            self.reject_to(line, &at, &why);
        }
    }

    /// Says how many lines `--on-error skip` has left out.
    pub fn say_skipped(&mut self) {
        let skipped = self.counts.rejected;
        if self.on_error == OnError::Skip && skipped > 0 {
            self.warn(format_args!("{skipped} bad lines skipped"));
        }
    }

    /// A warning for people, on stderr.
    pub fn warn(&mut self, text: impl Display) {
        self.rejects.warn(&text.to_string());
    }

    /// Ends the run with this fault once the stage returns. What was written before it goes out.
    pub fn fail(&mut self, fault: Fault) {
        self.flush();
        self.failed.get_or_insert(fault);
    }

    /// The fault that output ended with, if it did.
    #[inline]
    pub fn check(&self) -> Result<(), Fault> {
        match &self.failed {
            None => Ok(()),
            Some(fault) => Err(fault.clone()),
        }
    }

    /// The current input line is bad.
    pub fn bad_here(&mut self, why: &str, line: &[u8]) {
        let at = self.place_shown();
        if self.on_error == OnError::Stop {
            let byte = self.place.byte;
            self.bad(format_args!("{at}, byte {byte}"), why, line);
        } else {
            self.bad(at, why, line);
        }
    }

    /// Lines come from these inputs: places are told with their names.
    pub fn name_inputs(&mut self, names: Vec<String>) {
        self.inputs = names;
    }

    /// The next line is of this input.
    pub fn at_input(&mut self, input: usize) {
        self.input = input;
    }

    fn place_shown(&self) -> String {
        let place = self.place;
        self.inputs.get(self.input).map_or_else(|| place.to_string(), |name| format!("{name}, {place}"))
    }

    pub fn at(&mut self, line: u64, byte: u64) {
        self.place = Place { line, byte };
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// True when a bad line ends the run.
    pub fn stops_on_error(&self) -> bool {
        self.on_error == OnError::Stop
    }

    /// Takes over whole lines that were written elsewhere. Many go out from where they are.
    pub fn take_over(&mut self, bytes: &[u8], done: Done) {
        self.counts.settled += done.settled;
        self.counts.left_out += done.left_out;
        self.counts.lines_out += done.lines_out;
        self.epoch_lines += done.lines_out;
        if self.drain.is_some() && bytes.len() >= COPIED_BYTES_MAX {
            return self.flush_by(bytes.len(), |drain, buffer| drain.drain_with(buffer, bytes));
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= BLOCK_BYTES {
            self.flush();
        }
    }

    fn reject_to(&mut self, line: &[u8], at: &dyn Display, why: &dyn Display) {
        self.figures.reject(self.now_ms(), at, why, line);
        if let Err(fault) = self.rejects.reject(line, at, why, &mut self.bytes) {
            self.fail(fault);
        }
        if self.bytes.len() >= BLOCK_BYTES {
            self.flush();
        }
    }

    /// Hands the buffer on. Without a drain it stays, for whoever takes it.
    pub fn flush(&mut self) {
        self.flush_by(0, |drain, bytes| drain.drain(bytes));
        if self.drain.is_some() {
            self.bytes.clear();
        }
    }

    /// Hands on what the reader takes now.
    pub fn flush_some(&mut self) {
        self.flush_by(0, |drain, bytes| drain.drain_some(bytes));
    }

    /// Hands on the buffer, and so many bytes behind it.
    fn flush_by(&mut self, more: usize, hand_on: impl FnOnce(&mut dyn Drain, &mut Vec<u8>) -> Result<(), Fault>) {
        let Some(drain) = &mut self.drain else { return };
        if self.failed.is_some() {
            return self.bytes.clear();
        }
        let before = self.bytes.len() + more;
        if before == 0 {
            return;
        }
        self.figures.note_counts(&self.counts);
        match self.waits.for_output(|| hand_on(drain.as_mut(), &mut self.bytes)) {
            Ok(()) => self.counts.bytes_out += (before - self.bytes.len()) as u64,
            Err(fault) => {
                self.failed = Some(fault);
                self.bytes.clear();
            }
        }
    }

    /// Notes waits there.
    pub fn set_waits(&mut self, waits: Waits) {
        self.waits = waits;
    }

    /// What is waited for. A source that waits inside its own `poll` notes that here.
    pub fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Shows what goes on there.
    pub fn set_figures(&mut self, figures: Figures) {
        self.figures = figures;
    }

    /// What those see who watch the run.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Flushes the reject file too: all that is to be kept is in the hands of the system.
    ///
    /// # Errors
    /// `ReaderGone`, or what ended the output before.
    pub fn flush_all(&mut self) -> Result<(), Fault> {
        self.flush();
        self.rejects.flush()?;
        self.check()
    }

    /// An empty buffer to write to, of which the capacity counts.
    pub fn give(&mut self, buffer: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = buffer;
        }
    }

    /// As [`Out::flush_all`], but for what the reader does not take now.
    pub fn flush_all_that_can_go(&mut self) -> Result<(), Fault> {
        self.flush_some();
        self.rejects.flush()?;
        self.check()
    }

    /// Takes what was written to memory.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The rejects and warnings that a test collected.
    pub fn rejects(&mut self) -> &mut Rejects {
        &mut self.rejects
    }
}

mod room;
#[cfg(test)]
mod tests;
