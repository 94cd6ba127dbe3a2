//! The rows of all keys in the order of their times, and their matchers.

use std::collections::BTreeSet;

use keyed_state::{BufferLimit, KeyLimit, Keyed, hash};
use millpipe::{Changes, Error, Fault, Out};

use crate::key_state::KeyState;
use crate::matcher::{Found, Sink, Time};
use crate::reader::{Read, Reader};
use crate::row::{Row, Rows};
use crate::search::Search;
use crate::silence::Silence;
use crate::snapshot;
use crate::writer::Writer;

/// A line with its place among all lines.
#[derive(Clone, Copy)]
pub struct Place {
    pub time_ms: i64,
    pub sequence: u64,
    /// The watermark after it; none where rows are taken as they come.
    pub watermark_ms: Option<i64>,
}

/// How many rows are held, and what they take.
#[derive(Debug, Default)]
struct Ledger {
    rows: u64,
    bytes: usize,
}

pub struct Engine {
    pub search: Search,
    pub writer: Writer,
    keys: Keyed<KeyState>,
    /// Rows that wait: by time and number, with the number of their key.
    waiting: BTreeSet<(i64, u64, u32)>,
    /// When partial matches are too old.
    timers: BTreeSet<(i64, u64, u32)>,
    silence: Silence,
    ledger: Ledger,
    buffer: BufferLimit,
    /// The variables of which a first row must have one; none if each row has to be taken.
    first: Option<u64>,
    /// A key is forgotten when none of its rows is kept.
    forgets: bool,
    key: Vec<u8>,
}

/// The limits of an [`Engine`], and what it may leave out.
pub struct Limits {
    pub keys: KeyLimit,
    pub buffer: BufferLimit,
    /// Without a row for so long a key is forgotten.
    pub ttl_ms: Option<i64>,
    pub first: Option<u64>,
    pub forgets: bool,
}

impl Engine {
    #[must_use]
    pub fn new(search: Search, writer: Writer, limits: Limits) -> Engine {
        Engine {
            search,
            writer,
            keys: Keyed::new(limits.keys),
            waiting: BTreeSet::new(),
            timers: BTreeSet::new(),
            silence: Silence::new(limits.ttl_ms),
            ledger: Ledger::default(),
            buffer: limits.buffer,
            first: limits.first,
            forgets: limits.forgets,
            key: Vec::new(),
        }
    }

    /// Counts the keys.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Counts the rows that are not decided.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.ledger.rows
    }

    /// Takes a line that is not late.
    ///
    /// # Errors
    /// `Stop` at a limit, and where the next match cannot begin.
    pub fn take(&mut self, read: &Read<'_>, line: &[u8], place: Place, out: &mut Out) -> Result<(), Fault> {
        let Place { time_ms, sequence, watermark_ms } = place;
        let is_due = watermark_ms.is_none_or(|watermark_ms| time_ms <= watermark_ms);
        if is_due {
            self.release(time_ms, out)?;
            self.expire(time_ms, out)?;
        }
        let hash = hash(read.key);
        let id = self.keys.find(read.key, hash);
        if is_due && self.is_nothing(read.truths) && id.is_none_or(|id| self.keys.get(id).matcher.is_empty()) {
            if let Some(id) = id {
                self.renew(id, time_ms, sequence);
            }
            out.leave_out(1);
            return Ok(());
        }
        let id = match id {
            Some(id) => id,
            None => self.keys.insert(read.key, hash, KeyState::default())?,
        };
        let row = Row::new(line, read.cells, read.truths, time_ms, sequence);
        self.ledger.rows += 1;
        self.ledger.bytes += row.bytes();
        if is_due {
            return self.push(id, row, watermark_ms.map(|_| time_ms), out);
        }
        self.buffer.check(self.ledger.bytes)?;
        self.keys.change(id).waiting.insert((time_ms, sequence), row);
        self.waiting.insert((time_ms, sequence, id));
        Ok(())
    }

    /// No match can begin at such a row, and nothing looks at it later.
    #[inline]
    fn is_nothing(&self, truths: u64) -> bool {
        self.first.is_some_and(|first| truths & first == 0)
    }

    /// Takes the rows whose turn has come, and ends what is too old.
    ///
    /// # Errors
    /// As [`Engine::take`].
    pub fn advance(&mut self, watermark_ms: i64, out: &mut Out) -> Result<(), Fault> {
        self.release(watermark_ms, out)?;
        while let Some((due_ms, sequence, id)) = self.timers.first().copied()
            && due_ms <= watermark_ms
        {
            self.timers.remove(&(due_ms, sequence, id));
            self.keys.change(id).due = None;
            self.run(id, Time { watermark_ms: Some(watermark_ms), is_over: false }, out)?;
        }
        self.expire(watermark_ms, out)
    }

    /// Takes the rows up to this time.
    fn release(&mut self, up_to_ms: i64, out: &mut Out) -> Result<(), Fault> {
        while let Some((time_ms, sequence, id)) = self.waiting.first().copied()
            && time_ms <= up_to_ms
        {
            // The key of this row has one that waits: it keeps its number.
            self.expire(time_ms, out)?;
            self.waiting.pop_first();
            let Some(row) = self.keys.change(id).waiting.remove(&(time_ms, sequence)) else { continue };
            self.push(id, row, Some(time_ms), out)?;
        }
        Ok(())
    }

    fn push(&mut self, id: u32, row: Row, watermark_ms: Option<i64>, out: &mut Out) -> Result<(), Fault> {
        self.renew(id, row.time_ms, row.sequence);
        let is_nothing = self.is_nothing(row.truths());
        let state = self.keys.change(id);
        if is_nothing && state.matcher.is_empty() {
            self.ledger.rows -= 1;
            self.ledger.bytes -= row.bytes();
            out.leave_out(1);
            self.forget_if_empty(id);
            return Ok(());
        }
        state.matcher.rows.push(row);
        self.run(id, Time { watermark_ms, is_over: false }, out)
    }

    /// A row of this key is taken.
    #[inline]
    fn renew(&mut self, id: u32, time_ms: i64, sequence: u64) {
        if !self.silence.is_on() {
            return;
        }
        let state = self.keys.change(id);
        state.last = Some((time_ms, sequence));
        if state.place.is_none() {
            state.place = state.last;
            self.silence.put((time_ms, sequence), id);
        }
    }

    /// Ends the keys of which no row came for so long before this time.
    fn expire(&mut self, time_ms: i64, out: &mut Out) -> Result<(), Fault> {
        while let Some(id) = self.silence.pop(time_ms) {
            let state = self.keys.change(id);
            let was = std::mem::replace(&mut state.place, state.last);
            match state.last.filter(|last| Some(*last) != was) {
                Some(last) => self.silence.put(last, id),
                None => self.forget(id, out)?,
            }
        }
        Ok(())
    }

    /// Ends the rows of a key, and what is open in them; rows that wait begin anew.
    fn forget(&mut self, id: u32, out: &mut Out) -> Result<(), Fault> {
        if !self.keys.get(id).matcher.is_empty() {
            self.work(id, Time { watermark_ms: None, is_over: true }, out)?;
        }
        let state = self.keys.change(id);
        let matcher = std::mem::take(&mut state.matcher);
        (state.last, state.place) = (None, None);
        self.ledger.bytes -= matcher.bytes() + matcher.rows.iter().map(Row::bytes).sum::<usize>();
        if state.waiting.is_empty() {
            self.keys.remove(id);
        }
        Ok(())
    }

    /// Lets the matcher of a key do what there is to do; the key is forgotten when nothing of it is left.
    fn run(&mut self, id: u32, time: Time, out: &mut Out) -> Result<(), Fault> {
        self.work(id, time, out)?;
        self.forget_if_empty(id);
        Ok(self.buffer.check(self.ledger.bytes)?)
    }

    fn work(&mut self, id: u32, time: Time, out: &mut Out) -> Result<(), Error> {
        self.key.clear();
        self.key.extend_from_slice(self.keys.key(id));
        let state = self.keys.change(id);
        let before = state.matcher.bytes();
        let ledger = &mut self.ledger;
        let mut output = Output { writer: &mut self.writer, out, key: &self.key, ledger };
        state.matcher.advance(&mut self.search, time, &mut output)?;
        self.ledger.bytes = self.ledger.bytes + state.matcher.bytes() - before;
        let due = state.matcher.due(&self.search);
        if due != state.due {
            let old = std::mem::replace(&mut state.due, due);
            old.map(|(due_ms, sequence)| self.timers.remove(&(due_ms, sequence, id)));
            due.map(|(due_ms, sequence)| self.timers.insert((due_ms, sequence, id)));
        }
        Ok(())
    }

    fn forget_if_empty(&mut self, id: u32) {
        let state = self.keys.get(id);
        if self.forgets && state.matcher.is_empty() && state.waiting.is_empty() {
            let state = self.keys.remove(id);
            state.place.into_iter().for_each(|place| self.silence.leave(place, id));
        }
    }

    /// All rows have come.
    ///
    /// # Errors
    /// As [`Engine::take`].
    pub fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.release(i64::MAX, out)?;
        for id in self.keys.ids_by_key() {
            if !self.keys.get(id).matcher.is_empty() {
                self.run(id, Time { watermark_ms: None, is_over: true }, out)?;
            }
        }
        Ok(())
    }

    /// Gives the keys that changed since the last checkpoint.
    pub fn save(&mut self, to: &mut Changes) {
        let with_last = self.silence.is_on();
        self.keys.save(to, |state, out| snapshot::write(state, with_last, out));
    }

    /// Takes a key of a checkpoint, at this watermark.
    ///
    /// # Errors
    /// When it is damaged, or at the limit of keys.
    pub fn load(
        &mut self,
        name: &str,
        value: &[u8],
        reader: &mut Reader,
        watermark_ms: Option<i64>,
    ) -> Result<(), Error> {
        let (search, with_last) = (&mut self.search, self.silence.is_on());
        let id = self.keys.load(name, value, |from| {
            let mut state = snapshot::read(from, with_last, reader)?;
            let time = Time { watermark_ms, is_over: false };
            let mut nothing = Nothing::default();
            state.matcher.advance(search, time, &mut nothing).ok().filter(|()| nothing.is_true)?;
            state.due = state.matcher.due(search);
            state.place = state.last;
            Some(state)
        })?;
        let state = self.keys.get(id);
        self.ledger.rows += state.matcher.open_rows() + state.waiting.len() as u64;
        let bytes: usize = state.matcher.rows.iter().chain(state.waiting.values()).map(Row::bytes).sum();
        self.ledger.bytes += bytes + state.matcher.bytes();
        self.waiting.extend(state.waiting.keys().map(|(time_ms, sequence)| (*time_ms, *sequence, id)));
        state.place.into_iter().for_each(|place| self.silence.put(place, id));
        self.timers.extend(state.due.map(|(due_ms, sequence)| (due_ms, sequence, id)));
        Ok(())
    }
}

/// Writes what a matcher finds, and settles its rows.
struct Output<'o> {
    writer: &'o mut Writer,
    out: &'o mut Out,
    key: &'o [u8],
    ledger: &'o mut Ledger,
}

impl Sink for Output<'_> {
    fn matched(&mut self, rows: &mut Rows, found: &Found<'_>) {
        self.writer.write_match(self.key, rows, found, self.out);
    }

    fn unmatched(&mut self, rows: &mut Rows, number: u64) {
        self.writer.write_unmatched(rows, number, self.out);
    }

    fn settle(&mut self, row: &Row) {
        self.ledger.rows -= 1;
        if row.is_out { self.out.settle(1) } else { self.out.leave_out(1) }
    }

    fn forget(&mut self, row: &Row) {
        self.ledger.bytes -= row.bytes();
    }
}

/// A state that was saved has nothing to write.
struct Nothing {
    is_true: bool,
}

impl Default for Nothing {
    fn default() -> Nothing {
        Nothing { is_true: true }
    }
}

impl Sink for Nothing {
    fn matched(&mut self, _: &mut Rows, _: &Found<'_>) {
        self.is_true = false;
    }

    fn unmatched(&mut self, _: &mut Rows, _: u64) {
        self.is_true = false;
    }

    fn settle(&mut self, _: &Row) {
        self.is_true = false;
    }

    fn forget(&mut self, _: &Row) {}
}
