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
//! where nothing is known of times. Of it, what is written ([`scratch_log`]) and some 32 to 56 bytes ([`rows`]), and its key once.
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
mod joiner;
mod kept_limits;
mod kept_lines;
mod keys;
mod line_reader;
mod pairings;
mod result_writer;
mod row_number;
mod rows;
mod side;
mod side_keys;
mod span;
mod window_text;

use std::io::{self, BufRead, Write};

use event_time::{TIME_MIN_MS, format_rfc3339};
use jq_filters::{Failure, Filter};
use millpipe::{Changes, Error, Fault, Head, Late, Mark, MarkKind, Out, Stage, Stateful};
use sorted_runs::Scratch;

pub use crate::job::{Bound, Job, Kind, SideJob};
pub use crate::side::Side;

use crate::joiner::{Effect, Joiner};
use crate::line_reader::LineReader;

/// The operator.
pub struct StreamJoin {
    job: Job,
    sides_of: Filter,
    readers: [LineReader; 2],
    /// Lines of both sides have come, or are in the state.
    has_both: [bool; 2],
    joiner: Joiner,
}

/// Results are the same as those of the filter alone.
const SIDES_BYTES_MAX: usize = 64 << 20;

impl StreamJoin {
    /// # Errors
    /// `Usage` where pairs would have a name twice; what is wrong with the folder for lines beyond `--memory`.
    pub fn new(job: Job, scratch: Box<dyn Scratch>) -> Result<StreamJoin, Error> {
        Ok(StreamJoin {
            sides_of: job.sides_of.filter(SIDES_BYTES_MAX),
            readers: Side::BOTH.map(|side| LineReader::new(&job, side)),
            has_both: [false; 2],
            joiner: Joiner::new(&job, scratch)?,
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

    fn one_side(&mut self, side: Side, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let read = self.readers[side as usize].read(line)?;
        self.joiner.check_unique(&read)?;
        self.has_both[side as usize] = true;
        let span = read.span;
        match self.joiner.join(&read, false, out)? {
            Effect::Kept => {}
            Effect::Used => out.settle(1),
            Effect::LeftOut => out.leave_out(1),
            Effect::Late => self.late(line, side, span.until, out),
        }
        Ok(())
    }

    /// The row on the right, if it is kept, is the one that counts as the line.
    fn both_sides(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let [left, right] = &mut self.readers;
        let left = left.read(line)?;
        self.joiner.check_unique(&left)?;
        let right = right.read(line)?;
        self.joiner.check_unique(&right)?;
        self.has_both = [true; 2];
        let until = left.span.until.max(right.span.until);
        let first = self.joiner.join(&left, true, out)?;
        let second = self.joiner.join(&right, false, out)?;
        match (first, second) {
            (_, Effect::Kept) => {}
            (Effect::Late, Effect::Late) => self.late(line, Side::Left, until, out),
            // A row on the left goes on alone.
            (Effect::Used | Effect::Kept, _) | (_, Effect::Used) => out.settle(1),
            _ => out.leave_out(1),
        }
        Ok(())
    }

    fn late(&self, line: &[u8], side: Side, until: i64, out: &mut Out) {
        if out.late_policy() == Late::Pass {
            out.count_late_passed();
            out.line(line);
            return;
        }
        let why = format_args!(
            "a {side} line is late: it waits for partners until {}, the watermark is {}",
            format_rfc3339(until),
            format_rfc3339(self.joiner.watermark_ms())
        );
        let hint =
            "a longer --lateness where watermarks are made keeps lines longer, --late reject keeps late ones aside";
        out.late(line, why, hint);
    }

    fn watermark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        let time_ms = mark.watermark_ms()?;
        self.joiner.watermark(time_ms, out)?;
        match (time_ms, self.job.marks_delay_ms) {
            (None, _) | (_, 0) => self.pass_mark(mark, out),
            (Some(time_ms), delay_ms) => {
                let delayed_ms = time_ms.saturating_sub(delay_ms).max(TIME_MIN_MS);
                out.mark(&Mark::watermark(Some(delayed_ms)));
            }
        }
        Ok(())
    }

    fn pass_mark(&self, mark: &Mark, out: &mut Out) {
        if !self.job.is_plain {
            out.mark(mark);
        }
    }
}

impl Stage for StreamJoin {
    #[inline]
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        match self.sides(line)? {
            (false, false) if self.job.drops_others => {
                out.leave_out(1);
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
        self.joiner.end_line();
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match mark.kind() {
            MarkKind::Watermark => self.watermark(mark, out)?,
            MarkKind::From | MarkKind::Idle | MarkKind::Window | MarkKind::Sessions | MarkKind::Counts => {
                self.pass_mark(mark, out)
            }
            _ => out.mark(mark),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.joiner.end(out)?;
        if self.job.reports {
            self.joiner.report(out);
        }
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        let mut remarks: Vec<String> = self.readers.iter().filter_map(LineReader::remark).collect();
        if self.has_both.contains(&true) {
            let missing = Side::BOTH.into_iter().filter(|side| !self.has_both[*side as usize]);
            remarks.extend(missing.map(|side| {
                format!("no line was a {side} one: nothing was joined\nhint: does --{side} fit the lines?")
            }));
        }
        (!remarks.is_empty()).then(|| remarks.join("\n"))
    }

    fn held(&self) -> u64 {
        self.joiner.held()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for StreamJoin {
    fn flags(&self) -> String {
        self.job.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        self.joiner.head(self.job.key_texts()).write(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        self.has_both = [true; 2];
        self.joiner.restore(&Head::read(from, "stream-join")?)
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.joiner.save(to)
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.joiner.load(key, value)
    }
}
