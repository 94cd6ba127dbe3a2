//! What a line meets, what happens to it, and the end of those that are kept.

use millpipe::{Changes, Divides, Error, Fault, Head, Out};
use sorted_runs::Scratch;
use units::ByteSize;

use crate::entries;
use crate::job::{Bound, Job, Kind};
use crate::kept_lines::KeptLines;
use crate::line_reader::SideLine;
use crate::pairings::Names;
use crate::result_writer::ResultWriter;
use crate::row_number::NONE;
use crate::rows::{NewRow, flag};
use crate::side::Side;
use crate::span::Span;

/// What happened to a line on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Kept,
    /// It has had its whole effect, on some result.
    Used,
    /// It is in no result, and will be in none.
    LeftOut,
    Late,
}

impl Effect {
    /// That of a line that is not kept, and not late.
    fn done(is_used: bool) -> Effect {
        if is_used { Effect::Used } else { Effect::LeftOut }
    }
}

/// What a line met on the other side.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    partner: bool,
    /// Rows went, and perhaps their key with them.
    removed: bool,
}

/// Joins lines with those that are kept, until the watermark says that no partner can come any more.
pub struct Joiner {
    kind: Kind,
    bound: Bound,
    /// Of each side, whether a key comes once.
    is_unique: [bool; 2],
    kept: KeptLines,
    results: ResultWriter,
    /// The stream has watermarks.
    has_watermarks: bool,
    /// Lower than any time as long as there is none.
    watermark_ms: i64,
    /// The number of the next line of a side.
    sequence: u64,
    /// For a row from disk.
    buffer: Vec<u8>,
    due: Vec<u32>,
}

impl Joiner {
    /// # Errors
    /// `Usage` where pairs would have a name twice; what is wrong with the folder for lines beyond `--memory`.
    pub fn new(job: &Job, scratch: Box<dyn Scratch>) -> Result<Joiner, Error> {
        let results = ResultWriter::new(job)?;
        Ok(Joiner {
            kind: job.kind,
            bound: job.bound,
            is_unique: Side::BOTH.map(|side| job.side(side).is_unique),
            kept: KeptLines::new(job, results.needs_names(), scratch)?,
            results,
            has_watermarks: false,
            watermark_ms: i64::MIN,
            sequence: 0,
            buffer: Vec::new(),
            due: Vec::new(),
        })
    }

    pub fn held(&self) -> u64 {
        self.kept.held()
    }

    /// Returns the watermark, or a time lower than any.
    pub fn watermark_ms(&self) -> i64 {
        self.watermark_ms
    }

    /// Checks that a line is the only one of its key, where `--unique` says that it is.
    ///
    /// # Errors
    /// `Bad` when it is not.
    #[inline]
    pub fn check_unique(&self, line: &SideLine<'_>) -> Result<(), Fault> {
        let SideLine { side, key, is_null, .. } = *line;
        if !self.is_unique[side as usize] || is_null || self.rows_of(key, side) == NONE {
            return Ok(());
        }
        let key = values::key::text(key).replace('\n', ", ");
        Err(Fault::bad(format_args!("a second {side} line with key {key}, against --unique {side}")))
    }

    /// Returns the first row of a key and side.
    fn rows_of(&self, key: &[u8], side: Side) -> u32 {
        let rows = self.kept.rows();
        rows.first(rows.find(key), side)
    }

    /// Joins a line, and keeps it if it can still have partners. A twin is kept on the other side too, which counts it.
    ///
    /// # Errors
    /// At a limit; where a pair would have a name twice; the disk's.
    pub fn join(&mut self, line: &SideLine<'_>, is_twin: bool, out: &mut Out) -> Result<Effect, Fault> {
        let SideLine { side, span, is_null, .. } = *line;
        let kind = self.kind;
        let names = self.results.names(side, line.body);
        let mut key = if is_null { None } else { self.kept.rows().find(line.key) };
        let met = self.meet(line, names, key, out)?;
        if met.removed {
            self.kept.tidy()?;
            key = self.kept.rows().find(line.key);
        }
        if !kind.pairs() && side == Side::Left && met.partner {
            if kind == Kind::Semi {
                self.results.write_alone(line.body, span, out);
            }
            return Ok(Effect::done(kind == Kind::Semi));
        }
        let is_used = met.partner && kind != Kind::Anti;
        if self.bound.is_late(span, self.watermark_ms) {
            return Ok(if met.partner { Effect::done(is_used) } else { Effect::Late });
        }
        // No partner will come any more: of a key that is null, or all had to come before the line.
        if is_null || span.until < self.watermark_ms {
            let is_alone = kind.preserves(side) && !met.partner;
            if is_alone {
                self.results.write_alone(line.body, span, out);
            }
            return Ok(Effect::done(is_used || is_alone));
        }
        if self.needs_no_row(side, key, met) {
            return Ok(Effect::done(is_used));
        }
        let mut flags = if is_twin { flag::TWIN } else { 0 };
        flags |= if met.partner { flag::MATCHED } else { 0 };
        flags |= if is_used { flag::USED } else { 0 };
        let row = NewRow { side, sequence: self.sequence, flags, key: line.key, span, names, body: line.body };
        self.kept.keep(key, &row, self.lacks_watermarks())?;
        Ok(Effect::Kept)
    }

    /// Returns true if no line that comes later needs this one.
    fn needs_no_row(&self, side: Side, key: Option<u32>, met: Met) -> bool {
        met.partner && self.is_unique[side.other() as usize]
            // One of them is as good as many.
            || !self.kind.pairs()
                && side == Side::Right
                && self.bound.is_by_key_alone()
                && self.kept.rows().first(key, side) != NONE
    }

    /// Goes through the other side's rows of the key.
    fn meet(&mut self, line: &SideLine<'_>, names: Names, key: Option<u32>, out: &mut Out) -> Result<Met, Fault> {
        let mut met = Met::default();
        let mut next = self.kept.rows().first(key, line.side.other());
        while next != NONE {
            let number = next;
            let rows = self.kept.rows();
            next = rows.row(number).next;
            let other = rows.span(number);
            let (left, right) = line.side.in_order(line.span, other);
            if !self.bound.joins(left, right) {
                continue;
            }
            met.partner = true;
            match (self.kind, line.side) {
                (Kind::Semi, Side::Left) => {
                    self.kept.set_used(number);
                    return Ok(met);
                }
                (Kind::Anti, Side::Left) => return Ok(met),
                (Kind::Semi | Kind::Anti, Side::Right) => {
                    if self.kind == Kind::Semi {
                        self.write_row(number, out)?;
                    }
                    self.kept.release(number, out);
                    met.removed = true;
                }
                _ => met.removed |= self.pair(line, names, number, other, out)?,
            }
        }
        Ok(met)
    }

    /// Writes the pair of a line and a row of the other side; true if the row goes with that.
    fn pair(
        &mut self,
        line: &SideLine<'_>,
        names: Names,
        number: u32,
        other: Span,
        out: &mut Out,
    ) -> Result<bool, Fault> {
        let row = self.kept.rows().line(number, &mut self.buffer)?;
        let (left, right) = line.side.in_order((names, line.body), row);
        self.results.write_pair(left, right, other, out)?;
        self.kept.set_used(number);
        if self.is_unique[line.side as usize] {
            self.kept.release(number, out);
            return Ok(true);
        }
        if self.kind.preserves(line.side.other()) {
            self.kept.set_matched(number);
        }
        Ok(false)
    }

    fn write_row(&mut self, number: u32, out: &mut Out) -> Result<(), Fault> {
        let rows = self.kept.rows();
        let (_, body) = rows.line(number, &mut self.buffer)?;
        self.results.write_alone(body, rows.span(number), out);
        self.kept.set_used(number);
        Ok(())
    }

    /// Lines that come from here on have the next number.
    #[inline]
    pub fn end_line(&mut self) {
        self.sequence += 1;
    }

    /// A watermark has come, with a time if there is one yet.
    ///
    /// # Errors
    /// The disk's.
    pub fn watermark(&mut self, time_ms: Option<i64>, out: &mut Out) -> Result<(), Fault> {
        self.has_watermarks = true;
        let Some(time_ms) = time_ms.filter(|time_ms| *time_ms > self.watermark_ms) else { return Ok(()) };
        self.watermark_ms = time_ms;
        let mut due = std::mem::take(&mut self.due);
        self.kept.take_due(time_ms, &mut due);
        self.finish(due, out)
    }

    /// No more lines come.
    ///
    /// # Errors
    /// The disk's.
    pub fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        let mut due = std::mem::take(&mut self.due);
        self.kept.take_all(&mut due);
        self.finish(due, out)
    }

    /// Lines that no partner can come for any more.
    fn finish(&mut self, mut due: Vec<u32>, out: &mut Out) -> Result<(), Fault> {
        if due.is_empty() {
            return Ok(());
        }
        if Side::BOTH.into_iter().any(|side| self.kind.preserves(side)) {
            self.write_unmatched(&due, out)?;
        }
        due.drain(..).for_each(|number| self.kept.remove_due(number, out));
        self.due = due;
        Ok(self.kept.tidy()?)
    }

    fn write_unmatched(&mut self, due: &[u32], out: &mut Out) -> Result<(), Fault> {
        let rows = self.kept.rows();
        let is_alone = |number: &u32| {
            let row = rows.row(*number);
            !row.has(flag::GONE | flag::MATCHED) && self.kind.preserves(row.side())
        };
        let mut alone: Vec<u32> = due.iter().copied().filter(is_alone).collect();
        alone.sort_unstable_by_key(|number| {
            let row = rows.row(*number);
            (rows.span(*number).time, row.sequence(), row.side())
        });
        alone.into_iter().try_for_each(|number| self.write_row(number, out))
    }

    /// Returns true if lines are kept for ever for want of watermarks.
    fn lacks_watermarks(&self) -> bool {
        !self.has_watermarks && self.bound != Bound::Unbounded
    }

    /// Tells people, at the end, what was kept for long or went to disk.
    pub fn report(&self, out: &mut Out) {
        if self.lacks_watermarks() {
            out.warn(
                "no watermarks came, so all lines were kept to the end: watermark --time FIELD in front makes them",
            );
        }
        let written = self.kept.rows().written_bytes();
        if written > 0 {
            out.warn(format_args!("{} of lines went to disk", ByteSize(written)));
        }
    }

    /// Returns the first line of a snapshot. `key_texts` are those of [`Job::key_texts`].
    pub fn head(&self, key_texts: Vec<Vec<String>>) -> Head {
        Head::new()
            .with("sequence", self.sequence)
            .with("watermark_ms", (self.watermark_ms > i64::MIN).then_some(self.watermark_ms))
            .with("has_watermarks", self.has_watermarks)
            .divided(Divides::by(key_texts).after("|").max("/sequence"))
    }

    /// Takes back what [`Joiner::head`] wrote.
    ///
    /// # Errors
    /// When it is something else.
    pub fn restore(&mut self, head: &Head) -> Result<(), Error> {
        self.sequence = head.count("sequence")?;
        self.watermark_ms = head.maybe("watermark_ms")?.unwrap_or(i64::MIN);
        self.has_watermarks = head.flag("has_watermarks")?;
        Ok(())
    }

    /// Gives the entries that changed since the last checkpoint.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.kept.save(to)
    }

    /// Takes an entry of a checkpoint.
    ///
    /// # Errors
    /// When it is damaged; at a limit; the disk's.
    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let Some(row) = entries::read(name, value).filter(|row| row.sequence < self.sequence) else {
            return Err(Error::data(format_args!("entry {name:?} of the snapshot is damaged, or not of stream-join")));
        };
        let names = self.results.names(row.side, row.body);
        self.kept.restore(&NewRow { names, ..row }, self.lacks_watermarks())
    }
}
