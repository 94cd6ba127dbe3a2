//! Aggregates lines by key: counts, sums, percentiles and more, per window or over the whole input.
//!
//! **A line** is a JSON value. Its key is made of the fields of `--by`; a missing one is null. Its window is what
//! `window` wrote in front of it: `window_start` and `window_end` (times, or line numbers for count windows), or the
//! slice of several windows or of a session, which marks explain. A stream has one of these kinds for all its lines.
//!
//! **What comes out when.** With windows, a line for each window and key as soon as the watermark reaches the window's
//! last millisecond; count windows with their last line; what is open at the end of the input then. Windows come by
//! (end, start), keys in the order of [`keys::compare`]. Without windows, by `--emit`; with `--last`, a line after each
//! line. Watermarks, window marks and partition marks end here, unless some lines go on to other stages, which may need
//! them: those that `--where` leaves, or all of them with `--keep-lines`.
//!
//! **What is kept**: a state for each (window or slice, key), at most `--max-keys` of them, or as many as fit into
//! `--memory` and the others on disk; with `--last`, the last lines of each key, at most `--buffer` in all. Windows of several slices are put together when they are written, a key at a time.
//!
//! **Late** is a line whose window was closed; for a slice, when all its windows were. **Bad** is a line whose field
//! is not a number where one is needed, on which a filter fails, which takes back what has not come, or whose annotation
//! is not like that of the lines before.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod broken;
mod changes;
pub mod cli;
mod counts;
mod entry_name;
mod groups;
mod job;
mod key_order;
mod keys;
mod line_reader;
mod mode;
mod overlaps;
mod pane;
mod panes;
mod parts;
mod pending;
mod read_lines;
mod recency;
mod results;
mod rolling;
mod running;
mod sessions;
mod snapshot;
mod span_groups;
mod spill;
mod windows;
mod work;

use std::any::Any;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use event_time::{Window, format_rfc3339};
use json_fields::Unseen;
use line_values::{Computed, Expression};
use millpipe::{Changes, Error, Facts, Fault, Mark, MarkKind, Out, ReadAhead, Stage, Stateful};
use sorted_runs::Scratch;

pub use crate::job::{Emit, Job, Last, Overflow};

use crate::groups::Taken;
use crate::line_reader::{LineReader, Read};
use crate::mode::Mode;
use crate::read_lines::{ReadLines, Reader};
use crate::spill::Spill;
use crate::work::Work;

/// The operator.
#[derive(Debug)]
pub struct Aggregate {
    work: Work,
    mode: Mode,
    reader: LineReader,
    /// Filters, in this thread alone.
    computed: Option<Box<Computed>>,
    /// Lines that another thread has read.
    ahead: ReadLines,
    /// The stream has watermarks.
    has_watermarks: bool,
    watermark_ms: Option<i64>,
    /// Fields of the key.
    unseen: Unseen,
}

impl Aggregate {
    #[must_use]
    pub fn new(job: Job) -> Aggregate {
        let job = Arc::new(job);
        let fields = job.by.iter().map(Expression::path).enumerate();
        let names = fields.filter_map(|(number, path)| Some((number, path?.name())));
        Aggregate {
            unseen: Unseen::new(names).with_members(),
            reader: LineReader::new(&job),
            computed: line_reader::computed(&job),
            ahead: ReadLines::default(),
            mode: Mode::default(),
            has_watermarks: false,
            watermark_ms: None,
            work: Work::new(job),
        }
    }

    /// With `--memory`: where groups beyond it go.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn spill_to(mut self, scratch: Box<dyn Scratch>) -> Result<Aggregate, Error> {
        if let Some(memory_bytes) = self.work.job.memory_bytes {
            self.work.spill = Some(Box::new(Spill::new(scratch, &self.work.job.plan, memory_bytes)?));
        }
        Ok(self)
    }

    fn watermark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.has_watermarks = true;
        if let Some(time_ms) = mark.watermark_ms()?
            && self.watermark_ms.is_none_or(|known| known < time_ms)
        {
            self.watermark_ms = Some(time_ms);
            self.mode.advance(time_ms, &mut self.work, out)?;
        }
        if self.work.job.keep_marks || self.work.job.has_other_lines {
            out.mark(mark);
        }
        Ok(())
    }

    /// Missing and null fields are no error, but seldom meant.
    fn report_missing(&self, out: &mut Out) {
        let job = &self.work.job;
        for (name, lines) in job.plan.labels().zip(self.reader.values.skipped()) {
            // In all lines it is hardly meant.
            let in_all = *lines == self.work.sequence;
            if *lines > 0 && (job.reports_missing || in_all) {
                let beside = if in_all { format!("; {}", self.unseen.members_beside(&name)) } else { String::new() };
                out.warn(format_args!(
                    "field {name:?} was missing or null in {lines} of {} lines{beside}",
                    self.work.sequence
                ));
            }
        }
    }

    /// Whether lines without windows go by the processing time.
    fn uses_clock(&self) -> bool {
        let job = &self.work.job;
        let is_timed = matches!(job.emit, Emit::Every(_)) || job.ttl_ms.is_some();
        is_timed && job.time.is_none() && !self.has_watermarks
    }
}

/// Looks for fields of the key that no line has had.
#[cold]
fn look(unseen: &mut Unseen, line: &[u8], key: &[u8]) {
    unseen.look(line, |number| keys::cells(key).nth(number) != Some(b"null"));
}

impl Stage for Aggregate {
    fn start(&mut self, _out: &mut Out) -> Result<(), Fault> {
        if let Some(spill) = &mut self.work.spill {
            spill.end_loading()?;
        }
        match &mut self.mode {
            Mode::Running(_) if self.work.has_parts() => return Err(mode::no_parts()),
            Mode::Running(running) => running.loaded(&self.work),
            Mode::Sessions(sessions) => sessions.loaded()?,
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let Read { annotation, time_ms, front } = match self.ahead.next(line, &mut self.reader) {
            Some(read) => read,
            None => match &mut self.computed {
                None => self.reader.read(line)?,
                Some(computed) => self.reader.read_computed(line, computed)?,
            },
        };
        if !self.mode.takes(annotation) {
            self.mode.begin(annotation, &self.work)?;
            // Time was known before there was a line.
            if let Some(watermark_ms) = self.watermark_ms {
                self.mode.advance(watermark_ms, &mut self.work, out)?;
            }
        }
        let now_ms = if self.uses_clock() { Some(out.now_ms()) } else { time_ms };
        match &mut self.mode {
            Mode::Running(running) => {
                running.is_taken_back = self.reader.is_taken_back;
                if let Some(now_ms) = now_ms {
                    running.advance(now_ms, &mut self.work, out);
                }
            }
            Mode::Rolling(rolling) => rolling.time_ms = time_ms.unwrap_or_default(),
            _ => {}
        }
        if self.unseen.is_watching() {
            look(&mut self.unseen, line, &self.reader.key);
        }
        let taken = Taken {
            line,
            scanned: &line[front..],
            key: &self.reader.key,
            values: &self.reader.values,
            sequence: self.work.sequence,
        };
        self.work.sequence += 1;
        let window = annotation.map_or(Window::new(0, 0), |annotation| annotation.window);
        self.mode.line(window, &taken, self.watermark_ms, &mut self.work, out)?;
        if let Some(spill) = &mut self.work.spill
            && spill.is_due(line)
        {
            self.mode.spill_if_full(&mut self.work)?;
        }
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.unseen.remark("lines")
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match mark.kind() {
            MarkKind::Watermark => return self.watermark(mark, out),
            MarkKind::Window => self.mode.announce_window(mark, self.watermark_ms, &self.work)?,
            MarkKind::Sessions => self.mode.announce_sessions(mark, &self.work)?,
            MarkKind::Counts => self.mode.announce_counts(mark, &self.work)?,
            // Results are of no partition.
            MarkKind::From | MarkKind::Idle => {}
            _ => {
                out.mark(mark);
                return Ok(());
            }
        }
        if self.work.job.has_other_lines {
            out.mark(mark);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.mode.end(&mut self.work, out)?;
        self.report_missing(out);
        if let Some(spill) = self.work.spill.as_ref().filter(|_| self.work.job.reports_missing) {
            spill.report(out);
        }
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        match &self.mode {
            Mode::Running(running) if self.uses_clock() => running.wake_at(&self.work),
            _ => None,
        }
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        if let Mode::Running(running) = &mut self.mode {
            running.advance(out.now_ms(), &mut self.work, out);
        }
        Ok(())
    }

    fn held(&self) -> u64 {
        self.work.held
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }

    fn read_ahead(&mut self) -> Option<&mut dyn ReadAhead> {
        Some(self)
    }
}

impl Stateful for Aggregate {
    fn flags(&self) -> String {
        self.work.job.flags()
    }

    fn begin_checkpoints(&mut self) -> Result<(), Fault> {
        if let Some(spill) = &mut self.work.spill {
            spill.parts.get_or_insert_default();
        }
        Ok(())
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        self.save_head(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.mode.facts(&self.work, to);
        if let Some(watermark_ms) = self.watermark_ms {
            to.insert("watermark".to_owned(), format_rfc3339(watermark_ms).into());
        }
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        self.load_head(from)
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.save_entries(to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.load_entry(key, value)
    }
}

impl ReadAhead for Aggregate {
    fn readers(&self, threads: usize) -> Vec<Box<dyn millpipe::Reader>> {
        // Filters cannot go from thread to thread.
        let threads = if self.work.job.is_plain() { threads } else { 0 };
        let reader = || Box::new(Reader::new(&self.work.job)) as Box<dyn millpipe::Reader>;
        (0..threads).map(|_| reader()).collect()
    }

    fn take_read(&mut self, lines: Option<Box<dyn Any + Send>>) {
        self.ahead = lines.and_then(|lines| lines.downcast().ok()).map_or_else(ReadLines::default, |lines| *lines);
    }
}
