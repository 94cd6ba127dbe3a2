//! `stream-join` joins lines of two kinds that share a pipe.
//!
//! **A line** is left, right, both or neither, as `--left` and `--right` say. One that is neither passes in place; one
//! that is both is first joined as a left line, then as a right one, also with itself, as in a self-join. Keys are
//! compared by value (`1` is `1.0`). A key with a null or missing part is equal to none.
//!
//! **What comes out when.** A pair as soon as its second line comes, with the lines of the other side in order of
//! arrival; so does a left line of a semi-join. Left, right, full and anti joins write a line without a partner when
//! none can come any more: by the watermark, before its mark is passed on, or at the end; those that are due together by
//! (time, arrival). A line whose key is null is written at once.
//!
//! **What is kept**: each line until the watermark says that no partner in time can come ([`span::Span`]), or for ever
//! where nothing is known of times. Of it, what is written ([`log`]) and some 32 to 56 bytes ([`rows`]), and its key once.
//! Lines of a semi or anti join go with their first partner; right ones have no bytes there. With `--unique` a line goes
//! with its partner. At most `--max-keys` keys and `--buffer` bytes; with `--memory` the lines' bytes go to disk instead.
//!
//! **Late** is a line that is over when it comes and finds no partner: whether it had one, nobody can say any more. A line
//! behind the watermark that finds one, or can still be kept, is joined like any other. **Bad** is a line of a side that
//! is no object, or has no time where one is needed.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bodies;
mod calendar;
pub mod cli;
mod entries;
mod flag_values;
mod job;
mod keys;
mod line_reader;
mod log;
mod pairings;
mod rows;
mod side;
mod span;
mod tracking;
mod window_text;
mod write;

use std::io::{self, BufRead, Write};

use event_time::{format_rfc3339, parse_rfc3339};
use jq_filters::{Failure, Filter};
use millpipe::{Changes, Error, Fault, Late, Mark, Out, Stage};
use sorted_runs::Scratch;
use units::ByteSize;

pub use crate::job::{Bound, Job, Kind, SideJob};
pub use crate::side::Side;

use crate::line_reader::{LineReader, Read};
use crate::pairings::Pairings;
use crate::rows::{NONE, NewRow, Rows, flag};
use crate::span::Span;
use crate::tracking::Tracking;
use crate::window_text::WindowText;

/// The operator.
pub struct StreamJoin {
    job: Job,
    sides_of: Filter,
    readers: [LineReader; 2],
    /// None where no pair can have a name twice.
    pairings: Option<Pairings>,
    rows: Rows,
    tracking: Tracking,
    /// The stream has watermarks.
    has_watermarks: bool,
    /// Lower than any time as long as there is none.
    watermark_ms: i64,
    /// The number of the next line of a side.
    sequence: u64,
    held: u64,
    window: WindowText,
    /// A row from disk.
    buffer: Vec<u8>,
    due: Vec<u32>,
}

/// What became of a line on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    /// It has had its whole effect.
    Done,
    Late,
}

/// What a line met on the other side.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    partner: bool,
    /// Rows went, and perhaps their key with them.
    removed: bool,
}

/// Results are the same as those of the filter alone.
const SIDES_BYTES_MAX: usize = 64 << 20;

impl StreamJoin {
    /// # Errors
    /// `Usage` where pairs would have a name twice; what is wrong with the folder for lines beyond `--memory`.
    pub fn new(job: Job, scratch: Box<dyn Scratch>) -> Result<StreamJoin, Error> {
        let rows = Rows::new(job.bound != Bound::Unbounded, scratch);
        if job.spills {
            rows.log().try_disk().map_err(|error| Error::io(rows.log().disk_place(), &error))?;
        }
        Ok(StreamJoin {
            sides_of: job.sides_of.filter(SIDES_BYTES_MAX),
            readers: Side::BOTH.map(|side| LineReader::new(&job, side)),
            pairings: Pairings::new(&job)?,
            rows,
            tracking: Tracking::default(),
            has_watermarks: false,
            watermark_ms: i64::MIN,
            sequence: 0,
            held: 0,
            window: WindowText::default(),
            buffer: Vec::new(),
            due: Vec::new(),
            job,
        })
    }

    /// Whether a line is left and right.
    #[inline]
    fn sides(&mut self, line: &[u8]) -> Result<(bool, bool), Fault> {
        let results = self.sides_of.run(line).map_err(|failure| match failure {
            Failure::Line(why) => Fault::Bad(why),
            halt @ Failure::Halt(_) => Error::data(halt).into(),
        })?;
        let mut sides = (false, false);
        for result in results.iter() {
            sides.0 |= result == b"1";
            sides.1 |= result == b"2";
        }
        Ok(sides)
    }

    fn read(&mut self, side: Side, line: &[u8]) -> Result<Read, Fault> {
        let reader = &mut self.readers[side as usize];
        let read = reader.read(line)?;
        if self.job.side(side).is_unique
            && !read.is_null
            && let Some(key) = self.rows.keys.find(&reader.key)
            && self.rows.first(Some(key), side) != NONE
        {
            let key = line_values::key::text(&reader.key).replace('\n', ", ");
            return Err(Fault::bad(format_args!("a second {side} line with key {key}, against --unique {side}")));
        }
        Ok(read)
    }

    fn one_side(&mut self, side: Side, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let read = self.read(side, line)?;
        match self.join(side, read, 0, out)? {
            Fate::Kept => self.held += 1,
            Fate::Done => out.settle(1),
            Fate::Late => self.late(line, &[(side, read.span)], out),
        }
        Ok(())
    }

    /// The row on the right, if it is kept, is the one that counts as the line.
    fn both_sides(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let [left, right] = [self.read(Side::Left, line)?, self.read(Side::Right, line)?];
        let first = self.join(Side::Left, left, flag::TWIN, out)?;
        let second = self.join(Side::Right, right, 0, out)?;
        match (first, second) {
            (_, Fate::Kept) => self.held += 1,
            (Fate::Late, Fate::Late) => self.late(line, &[(Side::Left, left.span), (Side::Right, right.span)], out),
            _ => out.settle(1),
        }
        Ok(())
    }

    fn late(&mut self, line: &[u8], spans: &[(Side, Span)], out: &mut Out) {
        if out.late_policy() == Late::Pass {
            out.count_late_passed();
            out.line(line);
            return;
        }
        let over = spans.iter().map(|(_, span)| span.until).max().unwrap_or(i64::MIN);
        let side = spans.first().map_or(Side::Left, |(side, _)| *side);
        let why = format_args!(
            "a {side} line is late: it waits for partners until {}, the watermark is {}",
            format_rfc3339(over),
            format_rfc3339(self.watermark_ms)
        );
        let hint =
            "a longer --lateness where watermarks are made keeps lines longer, --late reject keeps late ones aside";
        out.late(line, why, hint);
    }

    /// Joins what the reader of a side has read last, and keeps it if it can still have partners.
    fn join(&mut self, side: Side, read: Read, flags: u8, out: &mut Out) -> Result<Fate, Fault> {
        let kind = self.job.kind;
        let mut key = if read.is_null { None } else { self.rows.keys.find(&self.readers[side as usize].key) };
        let met = self.meet(side, read.span, key, out)?;
        if met.removed {
            self.tidy()?;
            key = self.rows.keys.find(&self.readers[side as usize].key);
        }
        if !kind.pairs() && side == Side::Left && met.partner {
            if kind == Kind::Semi {
                self.write_line(side, read.span, out);
            }
            return Ok(Fate::Done);
        }
        if read.span.until < self.watermark_ms {
            return Ok(if met.partner { Fate::Done } else { Fate::Late });
        }
        if read.is_null {
            if kind.preserves(side) {
                self.write_line(side, read.span, out);
            }
            return Ok(Fate::Done);
        }
        let needs_no_row = met.partner && self.job.side(side.other()).is_unique
            // One of them is as good as many.
            || !kind.pairs()
                && side == Side::Right
                && self.job.bound.is_by_key_alone()
                && self.rows.first(key, side) != NONE;
        if needs_no_row {
            return Ok(Fate::Done);
        }
        self.keep(side, read.span, key, flags | if met.partner { flag::MATCHED } else { 0 })?;
        Ok(Fate::Kept)
    }

    /// Goes through the other side's rows of the key.
    fn meet(&mut self, side: Side, span: Span, key: Option<u32>, out: &mut Out) -> Result<Met, Fault> {
        let (kind, bound) = (self.job.kind, self.job.bound);
        let mut met = Met::default();
        let mut next = self.rows.first(key, side.other());
        while next != NONE {
            let number = next;
            next = self.rows.row(number).next;
            let other = self.span(number);
            let (left, right) = if side == Side::Left { (span, other) } else { (other, span) };
            if !bound.joins(left, right) {
                continue;
            }
            met.partner = true;
            match (kind, side) {
                (Kind::Semi | Kind::Anti, Side::Left) => return Ok(met),
                (Kind::Semi | Kind::Anti, Side::Right) => {
                    if kind == Kind::Semi {
                        self.write_row(number, out)?;
                    }
                    self.release(number, out);
                    met.removed = true;
                }
                _ => {
                    self.write_pair(side, number, out)?;
                    if self.job.side(side).is_unique {
                        self.release(number, out);
                        met.removed = true;
                    } else if kind.preserves(side.other()) {
                        self.has_partner(number);
                    }
                }
            }
        }
        Ok(met)
    }

    fn has_partner(&mut self, number: u32) {
        let row = self.rows.row_mut(number);
        if row.has(flag::MATCHED) {
            return;
        }
        row.set(flag::MATCHED);
        if row.has(flag::SAVED) && !row.has(flag::CHANGED) {
            row.set(flag::CHANGED);
            self.tracking.touch(number);
        }
    }

    #[inline]
    fn span(&self, number: u32) -> Span {
        let (time, until) = self.rows.times(number);
        Span { time, until }
    }

    fn keep(&mut self, side: Side, span: Span, key: Option<u32>, flags: u8) -> Result<(), Fault> {
        let (names, body) = pairings::of_reader(&mut self.pairings, side, &self.readers[side as usize]);
        let names = names.to_bytes();
        let names = if self.pairings.is_some() { &names[..] } else { &[] };
        let Span { time, until } = span;
        let new = NewRow {
            side,
            sequence: self.sequence,
            flags,
            key: &self.readers[side as usize].key,
            time,
            until,
            bytes: [names, body],
        };
        let number = self.rows.add(key, &new);
        self.tracking.touch(number);
        self.check_limits()
    }

    /// A row has had its whole effect. Its number may be another row's from now on.
    fn release(&mut self, number: u32, out: &mut Out) {
        self.forget(number, out);
        self.rows.remove(number);
    }

    fn forget(&mut self, number: u32, out: &mut Out) {
        let row = self.rows.row(number);
        if !row.has(flag::TWIN) {
            self.held -= 1;
            out.settle(1);
        }
        if row.has(flag::SAVED) {
            self.tracking.removed.push((row.sequence(), row.side()));
        }
    }

    /// Lines that no partner can come for any more.
    fn finish_due(&mut self, out: &mut Out) -> Result<(), Fault> {
        let due = std::mem::take(&mut self.due);
        if due.is_empty() {
            return Ok(());
        }
        if self.job.kind.preserves(Side::Left) || self.job.kind.preserves(Side::Right) {
            let is_alone = |number: &u32| {
                let row = self.rows.row(*number);
                !row.has(flag::GONE | flag::MATCHED) && self.job.kind.preserves(row.side())
            };
            let mut alone: Vec<u32> = due.iter().copied().filter(is_alone).collect();
            alone.sort_unstable_by_key(|number| {
                let row = self.rows.row(*number);
                (self.rows.times(*number).0, row.sequence(), row.side())
            });
            for number in alone {
                self.write_row(number, out)?;
            }
        }
        for number in &due {
            if !self.rows.row(*number).has(flag::GONE) {
                self.forget(*number, out);
            }
            self.rows.remove_due(*number);
        }
        self.due = due;
        self.due.clear();
        self.tidy()
    }

    fn watermark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.has_watermarks = true;
        let Some(text) = mark.text("time") else {
            self.pass_mark(mark, out);
            return Ok(());
        };
        let time_ms = parse_rfc3339(text.as_bytes())
            .ok_or_else(|| Error::data(format_args!("watermark mark with a time that is none: {text:?}")))?;
        if time_ms > self.watermark_ms {
            self.watermark_ms = time_ms;
            self.rows.take_due(time_ms, &mut self.due);
            self.finish_due(out)?;
        }
        match self.job.marks_delay_ms {
            0 => self.pass_mark(mark, out),
            delay_ms => {
                let time = format_rfc3339(time_ms.saturating_sub(delay_ms));
                out.mark(&Mark::new("watermark").with("time", time));
            }
        }
        Ok(())
    }

    fn pass_mark(&self, mark: &Mark, out: &mut Out) {
        if !self.job.is_plain {
            out.mark(mark);
        }
    }

    fn tidy(&mut self) -> Result<(), Fault> {
        self.rows.tidy().map_err(|error| self.disk_error(&error))
    }

    fn disk_error(&self, error: &io::Error) -> Fault {
        Error::io(self.rows.log().disk_place(), error).into()
    }

    /// Some lines are kept for ever, for want of watermarks.
    fn lacks_watermarks(&self) -> bool {
        !self.has_watermarks && self.job.bound != Bound::Unbounded
    }

    #[inline]
    fn check_limits(&mut self) -> Result<(), Fault> {
        let max = self.job.memory_bytes_max;
        if self.rows.keys.len() > self.job.keys_max {
            return Err(self.full(format_args!("more than {} keys", self.job.keys_max), "--max-keys allows more"));
        }
        if self.rows.memory_bytes() <= max {
            return Ok(());
        }
        let size = ByteSize(max as u64);
        if !self.job.spills {
            let hint = "--buffer allows more, --memory SIZE sends lines to disk";
            return Err(self.full(format_args!("the lines that are kept take more than {size}"), hint));
        }
        self.rows.spill(max).map_err(|error| self.disk_error(&error))?;
        if self.rows.index_bytes() > max {
            let what = format_args!("finding {} lines on disk takes more than {size}", self.rows.len());
            return Err(self.full(what, "--memory allows more"));
        }
        Ok(())
    }

    #[cold]
    fn full(&self, what: std::fmt::Arguments<'_>, hint: &str) -> Fault {
        let way = match self.job.bound {
            _ if self.lacks_watermarks() => "; lines go by watermarks: watermark --time FIELD in front makes them",
            Bound::Unbounded => {
                "; --within, --between, --window or --keep let lines go, --left-fields makes them shorter"
            }
            _ => "; --left-fields and --right-fields make lines shorter",
        };
        Error::data(what).hint(format_args!("{hint}{way}")).into()
    }

    fn report(&self, out: &mut Out) {
        if self.lacks_watermarks() {
            out.warn(
                "no watermarks came, so all lines were kept to the end: watermark --time FIELD in front makes them",
            );
        }
        let written = self.rows.log().written_bytes();
        if written > 0 {
            out.warn(format_args!("{} of lines went to disk", ByteSize(written)));
        }
    }
}

impl Stage for StreamJoin {
    #[inline]
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        match self.sides(line)? {
            (false, false) if self.job.drops_others => {
                out.settle(1);
                return Ok(());
            }
            (false, false) => {
                out.line(line);
                return Ok(());
            }
            (true, false) => self.one_side(Side::Left, line, out)?,
            (false, true) => self.one_side(Side::Right, line, out)?,
            (true, true) => self.both_sides(line, out)?,
        }
        self.sequence += 1;
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match mark.kind() {
            "watermark" => self.watermark(mark, out)?,
            "from" | "idle" | "window" | "sessions" | "counts" => self.pass_mark(mark, out),
            _ => out.mark(mark),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.rows.take_all(&mut self.due);
        self.finish_due(out)?;
        if self.job.reports {
            self.report(out);
        }
        Ok(())
    }

    fn begin_checkpoints(&mut self) -> Result<(), Fault> {
        self.tracking.is_on = true;
        Ok(())
    }

    fn catch_up(&mut self, _out: &mut Out) -> Result<(), Fault> {
        match self.job.spills {
            true => self.try_touched().map_err(|error| self.disk_error(&error)),
            false => Ok(()),
        }
    }

    fn held(&self) -> u64 {
        self.held
    }

    fn flags(&self) -> String {
        self.job.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        self.save_head(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        self.load_head(from)
    }

    fn changes(&mut self, to: &mut Changes) {
        self.save_entries(to);
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.load_entry(key, value)
    }
}
