//! The lines that are kept: found by key, in order of arrival, and by the time until which they are.

use std::io;

use sorted_runs::Scratch;

use crate::calendar::Calendar;
use crate::keys::Keys;
use crate::log::{Log, Place, records};
use crate::row_number::{NONE, Timed};
use crate::side::Side;

/// A row's side, and what is known of it.
pub mod flag {
    pub const RIGHT: u8 = 1;
    /// It has had a partner.
    pub const MATCHED: u8 = 2;
    /// Its line is counted as held by the row of the other side.
    pub const TWIN: u8 = 4;
    /// The last checkpoint has it.
    pub const SAVED: u8 = 8;
    /// It differs from what the last checkpoint has.
    pub const CHANGED: u8 = 16;
    /// It is gone, but has its place in the calendar.
    pub const GONE: u8 = 32;
    /// A result has something of it. Checkpoints do not keep this.
    pub const USED: u8 = 64;
}

/// In 32 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The line's number, and in the highest byte the flags.
    packed: u64,
    place: Place,
    len: u32,
    pub key: u32,
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

    pub fn unset(&mut self, flags: u8) {
        self.packed &= !(u64::from(flags) << Self::FLAGS_AT);
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
    pub time: i64,
    pub until: i64,
    /// Its bytes, in two parts.
    pub bytes: [&'a [u8]; 2],
}

/// All rows.
#[derive(Debug)]
pub struct Rows {
    pub keys: Keys,
    rows: Vec<Row>,
    /// Empty without times.
    timed: Vec<Timed>,
    is_timed: bool,
    calendars: [Calendar; 2],
    /// The first of the numbers that are free, which are a list.
    free: u32,
    log: Log,
    count: usize,
}

impl Rows {
    pub fn new(is_timed: bool, scratch: Box<dyn Scratch>) -> Rows {
        Rows {
            keys: Keys::default(),
            rows: Vec::new(),
            timed: Vec::new(),
            is_timed,
            calendars: Default::default(),
            free: NONE,
            log: Log::new(scratch),
            count: 0,
        }
    }

    pub fn log(&self) -> &Log {
        &self.log
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
    pub fn spill(&mut self, bytes_max: usize) -> io::Result<()> {
        self.log.spill(bytes_max.saturating_sub(self.index_bytes()))
    }

    #[inline]
    pub fn row(&self, number: u32) -> &Row {
        &self.rows[number as usize]
    }

    #[inline]
    pub fn row_mut(&mut self, number: u32) -> &mut Row {
        &mut self.rows[number as usize]
    }

    /// Time and until.
    #[inline]
    pub fn times(&self, number: u32) -> (i64, i64) {
        self.timed.get(number as usize).map_or((0, i64::MAX), |timed| (timed.time, timed.until))
    }

    #[inline]
    pub fn key(&self, number: u32) -> &[u8] {
        self.keys.text(self.rows[number as usize].key)
    }

    /// # Errors
    /// The disk's.
    #[inline]
    pub fn bytes<'a>(&'a self, number: u32, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        let row = &self.rows[number as usize];
        self.log.read(row.place, row.len as usize, buffer)
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
        let [first, second] = new.bytes;
        let len = first.len() + second.len();
        let place = if len == 0 { Place::NOWHERE } else { self.log.append(number, first, second) };
        let chain = self.keys.chain_mut(key, new.side);
        let previous = std::mem::replace(&mut chain.last, number);
        match previous {
            NONE => chain.first = number,
            _ => self.rows[previous as usize].next = number,
        }
        let mut row = Row { packed: new.sequence, place, len: len as u32, key, next: NONE, previous };
        row.set(new.flags | if new.side == Side::Right { flag::RIGHT } else { 0 });
        let timed = Timed { time: new.time, until: new.until, next_due: NONE };
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
    pub fn tidy(&mut self) -> io::Result<()> {
        while let Some((segment, bytes)) = self.log.to_compact()? {
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
