//! What a line meets, what becomes of it, and the end of those that are kept.

use millpipe::{Fault, Out};

use crate::StreamJoin;
use crate::entries::name;
use crate::job::Kind;
use crate::line_reader::Read;
use crate::row_number::NONE;
use crate::rows::{NewRow, flag};
use crate::side::Side;
use crate::span::Span;

/// What became of a line on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    /// It has had its whole effect, on some result.
    Used,
    /// It is in no result, and will be in none.
    LeftOut,
    Late,
}

/// What a line met on the other side.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    partner: bool,
    /// Rows went, and perhaps their key with them.
    removed: bool,
}

/// What became of a line that is not kept, and not late.
fn done(is_used: bool) -> Fate {
    if is_used { Fate::Used } else { Fate::LeftOut }
}

impl StreamJoin {
    /// Joins what the reader of a side has read last, and keeps it if it can still have partners.
    pub(crate) fn join(&mut self, side: Side, read: Read, flags: u8, out: &mut Out) -> Result<Fate, Fault> {
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
            return Ok(done(kind == Kind::Semi));
        }
        let is_used = met.partner && kind != Kind::Anti;
        if self.job.bound.is_late(read.span, self.watermark_ms) {
            return Ok(if met.partner { done(is_used) } else { Fate::Late });
        }
        // No partner will come any more: of a key that is null, or all had to come before the line.
        if read.is_null || read.span.until < self.watermark_ms {
            let is_alone = kind.preserves(side) && !met.partner;
            if is_alone {
                self.write_line(side, read.span, out);
            }
            return Ok(done(is_used || is_alone));
        }
        let needs_no_row = met.partner && self.job.side(side.other()).is_unique
            // One of them is as good as many.
            || !kind.pairs()
                && side == Side::Right
                && self.job.bound.is_by_key_alone()
                && self.rows.first(key, side) != NONE;
        if needs_no_row {
            return Ok(done(is_used));
        }
        let matched = if met.partner { flag::MATCHED } else { 0 };
        self.keep(side, read.span, key, flags | matched | if is_used { flag::USED } else { 0 })?;
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
                (Kind::Semi | Kind::Anti, Side::Left) => {
                    if kind == Kind::Semi {
                        self.rows.row_mut(number).set(flag::USED);
                    }
                    return Ok(met);
                }
                (Kind::Semi | Kind::Anti, Side::Right) => {
                    if kind == Kind::Semi {
                        self.write_row(number, out)?;
                        self.rows.row_mut(number).set(flag::USED);
                    }
                    self.release(number, out);
                    met.removed = true;
                }
                _ => {
                    self.write_pair(side, number, out)?;
                    self.rows.row_mut(number).set(flag::USED);
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
    pub(crate) fn span(&self, number: u32) -> Span {
        let (time, until) = self.rows.times(number);
        Span { time, until }
    }

    fn keep(&mut self, side: Side, span: Span, key: Option<u32>, flags: u8) -> Result<(), Fault> {
        let reader = &self.readers[side as usize];
        let names = self.names[side as usize].to_bytes();
        let names = if self.pairings.is_some() { &names[..] } else { &[] };
        let Span { time, until } = span;
        let new = NewRow {
            side,
            sequence: self.sequence,
            flags,
            key: &reader.key,
            time,
            until,
            bytes: [names, &reader.body],
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
            if row.has(flag::USED) { out.settle(1) } else { out.leave_out(1) }
        }
        if row.has(flag::SAVED) {
            self.tracking.removed.push(name(row.sequence(), row.side(), self.rows.key(number)));
        }
    }

    /// Lines that no partner can come for any more.
    pub(crate) fn finish_due(&mut self, out: &mut Out) -> Result<(), Fault> {
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
                self.rows.row_mut(number).set(flag::USED);
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
}
