//! The lines that are kept: found by key, in order of arrival, and by the time until which they are.

use std::io;

use millpipe::Error;
use scratch_log::{Log, Place, records};
use sorted_runs::Scratch;

use crate::calendar::Calendar;
use crate::keys::Keys;
use crate::pairings::Names;
use crate::row_number::{NONE, Timed};
use crate::side::Side;
use crate::span::Span;

/// A row's side, and what is known of it.
pub mod flag {
    pub const RIGHT: u8 = 1;
    /// It has had a partner.
    pub const MATCHED: u8 = 2;
    /// Its line is counted as held by the row of the other side.
    pub const TWIN: u8 = 4;
    /// It is gone, but has its place in the calendar.
    pub const GONE: u8 = 8;
    /// A result has something of it. Checkpoints do not keep this.
    pub const USED: u8 = 16;
}

/// In 32 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The line's number, and in the highest byte the flags.
    packed: u64,
    place: Place,
    len: u32,
    key: u32,
    pub next: u32,
    previous: u32,
}

impl Row {
    const FLAGS_AT: u32 = 56;

    #[inline]
    pub fn has(&self, flags: u8) -> bool {
        (self.packed >> Self::FLAGS_AT) as u8 & flags != 0
    }

    #[inline]
    pub fn set(&mut self, flags: u8) {
        self.packed |= u64::from(flags) << Self::FLAGS_AT;
    }

    /// The number of its line among those of both sides, in order of arrival.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.packed & ((1 << Self::FLAGS_AT) - 1)
    }

    #[inline]
    pub fn side(&self) -> Side {
        if self.has(flag::RIGHT) { Side::Right } else { Side::Left }
    }
}

/// A row to be.
#[derive(Clone, Copy, Debug)]
pub struct NewRow<'a> {
    pub side: Side,
    pub sequence: u64,
    pub flags: u8,
    pub key: &'a [u8],
    pub span: Span,
    /// Those of its members; they are kept where pairs need them.
    pub names: Names,
    pub body: &'a [u8],
}

/// All rows.
#[derive(Debug)]
pub struct Rows {
    keys: Keys,
    rows: Vec<Row>,
    /// Empty without times.
    timed: Vec<Timed>,
    is_timed: bool,
    /// The names of each row's members stand in front of its body.
    has_names: bool,
    calendars: [Calendar; 2],
    /// The first of the numbers that are free, which are a list.
    free: u32,
    log: Log,
    count: usize,
}

impl Rows {
    pub fn new(is_timed: bool, has_names: bool, scratch: Box<dyn Scratch>) -> Rows {
        Rows {
            keys: Keys::default(),
            rows: Vec::new(),
            timed: Vec::new(),
            is_timed,
            has_names,
            calendars: Default::default(),
            free: NONE,
            log: Log::new(scratch),
            count: 0,
        }
    }

    /// Checks that lines can go to disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn try_disk(&self) -> Result<(), Error> {
        self.log.try_disk().map_err(|error| self.disk_error(&error))
    }

    fn disk_error(&self, error: &io::Error) -> Error {
        Error::io(self.log.disk_place(), error)
    }

    /// Returns how much was ever written to disk.
    pub fn written_bytes(&self) -> u64 {
        self.log.written_bytes()
    }

    /// Returns how many keys there are.
    #[inline]
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// What finding the rows takes.
    #[inline]
    pub fn index_bytes(&self) -> usize {
        let calendars: usize = self.calendars.iter().map(Calendar::bytes).sum();
        self.keys.bytes() + self.rows.len() * size_of::<Row>() + self.timed.len() * size_of::<Timed>() + calendars
    }

    /// What everything takes in memory.
    #[inline]
    pub fn memory_bytes(&self) -> usize {
        self.index_bytes() + self.log.memory_bytes()
    }

    /// Sends the oldest bytes to disk, so that no more than so many are in memory, as far as that goes.
    ///
    /// # Errors
    /// The disk's.
    pub fn spill(&mut self, bytes_max: usize) -> Result<(), Error> {
        let spilled = self.log.spill(bytes_max.saturating_sub(self.index_bytes()));
        spilled.map_err(|error| self.disk_error(&error))
    }

    #[inline]
    pub fn row(&self, number: u32) -> &Row {
        &self.rows[number as usize]
    }

    #[inline]
    pub fn row_mut(&mut self, number: u32) -> &mut Row {
        &mut self.rows[number as usize]
    }

    #[inline]
    pub fn span(&self, number: u32) -> Span {
        let timed = self.timed.get(number as usize);
        timed.map_or(Span::UNBOUNDED, |timed| Span { time: timed.time, until: timed.until })
    }

    /// Returns the number of a key.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.keys.find(key)
    }

    #[inline]
    pub fn key(&self, number: u32) -> &[u8] {
        self.keys.text(self.rows[number as usize].key)
    }

    /// Returns a row's body with the names of its members, from memory or read into `buffer`.
    ///
    /// # Errors
    /// The disk's.
    #[inline]
    pub fn line<'a>(&'a self, number: u32, buffer: &'a mut Vec<u8>) -> Result<(Names, &'a [u8]), Error> {
        let row = &self.rows[number as usize];
        let bytes = self.log.read(row.place, row.len as usize, buffer).map_err(|error| self.disk_error(&error))?;
        Ok(if self.has_names { Names::split(bytes) } else { (Names::UNKNOWN, bytes) })
    }

    /// The first row of a key and side.
    #[inline]
    pub fn first(&self, key: Option<u32>, side: Side) -> u32 {
        key.map_or(NONE, |key| self.keys.chain(key, side).first)
    }

    /// Adds a row, the last of its key and side. `key` is the number of its key, if that is there.
    pub fn add(&mut self, key: Option<u32>, new: &NewRow<'_>) -> u32 {
        let key = key.unwrap_or_else(|| self.keys.insert(new.key));
        let number = if self.free == NONE { self.rows.len() as u32 } else { self.free };
        let names = new.names.to_bytes();
        let names = if self.has_names { &names[..] } else { &[] };
        let len = names.len() + new.body.len();
        let place = if len == 0 { Place::NOWHERE } else { self.log.append(number, names, new.body) };
        let chain = self.keys.chain_mut(key, new.side);
        let previous = std::mem::replace(&mut chain.last, number);
        match previous {
            NONE => chain.first = number,
            _ => self.rows[previous as usize].next = number,
        }
        let mut row = Row { packed: new.sequence, place, len: len as u32, key, next: NONE, previous };
        row.set(new.flags | if new.side == Side::Right { flag::RIGHT } else { 0 });
        let timed = Timed { time: new.span.time, until: new.span.until, next_due: NONE };
        match self.free {
            NONE => {
                self.rows.push(row);
                if self.is_timed {
                    self.timed.push(timed);
                }
            }
            _ => {
                self.free = std::mem::replace(&mut self.rows[number as usize], row).next;
                if self.is_timed {
                    self.timed[number as usize] = timed;
                }
            }
        }
        if self.is_timed {
            self.calendars[new.side as usize].add(number, &mut self.timed);
        }
        self.count += 1;
        number
    }

    /// Takes a row out. Its number stays taken until its time has come, if it has one.
    pub fn remove(&mut self, number: u32) {
        self.unlink(number);
        match self.is_timed {
            true => self.rows[number as usize].set(flag::GONE),
            false => self.give_back(number),
        }
    }

    /// Takes out a row that [`Rows::take_due`] gave, if it is not gone already.
    pub fn remove_due(&mut self, number: u32) {
        if !self.rows[number as usize].has(flag::GONE) {
            self.unlink(number);
        }
        self.give_back(number);
    }

    fn give_back(&mut self, number: u32) {
        let row = &mut self.rows[number as usize];
        row.set(flag::GONE);
        row.next = std::mem::replace(&mut self.free, number);
    }

    fn unlink(&mut self, number: u32) {
        let Row { place, len, key, next, previous, .. } = self.rows[number as usize];
        let side = self.rows[number as usize].side();
        match previous {
            NONE => self.keys.chain_mut(key, side).first = next,
            _ => self.rows[previous as usize].next = next,
        }
        match next {
            NONE => self.keys.chain_mut(key, side).last = previous,
            _ => self.rows[next as usize].previous = previous,
        }
        self.keys.remove_if_empty(key);
        self.log.forget(place, len as usize);
        self.count -= 1;
    }

    /// The rows that the watermark has passed; each is to be removed by [`Rows::remove_due`].
    pub fn take_due(&mut self, watermark_ms: i64, due: &mut Vec<u32>) {
        for calendar in &mut self.calendars {
            calendar.take_due(watermark_ms, &mut self.timed, due);
        }
    }

    /// All rows, likewise.
    pub fn take_all(&mut self, due: &mut Vec<u32>) {
        if self.is_timed {
            self.calendars.iter_mut().for_each(|calendar| calendar.take_all(&mut self.timed, due));
        } else {
            due.extend(self.numbers());
        }
    }

    /// The rows that there are, in the order of their numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.rows).filter(|(_, row)| !row.has(flag::GONE)).map(|(number, _)| number)
    }

    /// Clears away what rows that are gone have left behind, once it is more than what is there.
    ///
    /// # Errors
    /// The disk's.
    pub fn tidy(&mut self) -> Result<(), Error> {
        while let Some((segment, bytes)) = self.log.to_compact().map_err(|error| self.disk_error(&error))? {
            for record in records(&bytes) {
                let row = &mut self.rows[record.row as usize];
                if row.place == Log::place(segment, &record) && !row.has(flag::GONE) {
                    row.place = self.log.append(record.row, record.bytes, b"");
                    self.log.forget(Log::place(segment, &record), record.bytes.len());
                }
            }
        }
        Ok(())
    }
}
