//! The bytes of rows, of whatever rows are to their owner: appended to segments, which go to disk, oldest first, when memory is short, and are freed when
//! nothing in them is wanted any more.
//!
//! ```text
//! segment  records, one behind the other, about 256 KiB; a longer record has one of its own
//! record   u32 number of its row, u32 length, u32 checksum (of what is on disk), then the row's bytes
//! ```
//!
//! What is wanted of a segment that is mostly garbage is appended anew (Rosenblum and Ousterhout, "The design and
//! implementation of a log-structured file system", 1992), so garbage is at most as much as what is wanted, and some
//! [`SLACK_BYTES`]. On disk likewise, by file. The owner appends what it wants of a segment: see [`Log::to_compact`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod disk;
mod segment;

use std::io;

use sorted_runs::Scratch;

use self::disk::Disk;
pub use self::disk::FILE_BYTES;
use self::segment::{HEADER_BYTES, Segment, State, put_header};
pub use self::segment::{Record, records};

/// So much garbage is never cleared away.
const SLACK_BYTES: u64 = 1 << 20;

/// Where a row's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    segment: u32,
    offset: u32,
}

impl Place {
    /// That of a row without bytes.
    pub const NOWHERE: Place = Place { segment: u32::MAX, offset: 0 };
}

/// All segments.
#[derive(Debug)]
pub struct Log {
    segments: Vec<Segment>,
    free: Vec<u32>,
    /// The segment that is being filled.
    head: Option<u32>,
    /// How many there ever were, to tell which is older.
    serial: u64,
    memory_bytes: u64,
    memory_live: u64,
    disk: Disk,
}

impl Log {
    #[must_use]
    pub fn new(scratch: Box<dyn Scratch>) -> Log {
        Log {
            segments: Vec::new(),
            free: Vec::new(),
            head: None,
            serial: 0,
            memory_bytes: 0,
            memory_live: 0,
            disk: Disk::new(scratch),
        }
    }

    /// What is in memory.
    #[inline]
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes as usize + self.segments.len() * size_of::<Segment>()
    }

    /// How much was ever written to disk.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.disk.written_bytes
    }

    /// Checks that files can be made.
    ///
    /// # Errors
    /// When they cannot.
    pub fn try_disk(&self) -> io::Result<()> {
        self.disk.scratch.create().map(drop)
    }

    /// Where files are, for messages.
    #[must_use]
    pub fn disk_place(&self) -> String {
        self.disk.scratch.place()
    }

    /// Appends the bytes of a row, which come in two parts.
    #[inline]
    pub fn append(&mut self, row: u32, first: &[u8], second: &[u8]) -> Place {
        let bytes = first.len() + second.len();
        let number = match self.head {
            Some(head) if self.segments[head as usize].has_room(bytes) => head,
            _ => self.begin_segment(),
        };
        let segment = &mut self.segments[number as usize];
        let State::Memory(memory) = &mut segment.state else { unreachable!("the head is in memory") };
        put_header(memory, row, bytes);
        let offset = memory.len() as u32;
        memory.extend_from_slice(first);
        memory.extend_from_slice(second);
        let taken = (HEADER_BYTES + bytes) as u64;
        segment.live_bytes += taken;
        self.memory_bytes += taken;
        self.memory_live += taken;
        Place { segment: number, offset }
    }

    fn begin_segment(&mut self) -> u32 {
        self.serial += 1;
        let segment = Segment { state: State::Memory(Vec::new()), live_bytes: 0, serial: self.serial };
        let number = match self.free.pop() {
            Some(number) => {
                self.segments[number as usize] = segment;
                number
            }
            None => {
                self.segments.push(segment);
                self.segments.len() as u32 - 1
            }
        };
        if let Some(full) = self.head.replace(number) {
            self.release_if_empty(full);
        }
        number
    }

    /// The bytes of a row, in memory or read into `buffer`.
    ///
    /// # Errors
    /// The disk's; `InvalidData` when it gives back other bytes than were written.
    #[inline]
    pub fn read<'a>(&'a self, place: Place, len: usize, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        if place == Place::NOWHERE {
            return Ok(&[]);
        }
        let start = place.offset as usize;
        match &self.segments[place.segment as usize].state {
            State::Memory(memory) => Ok(&memory[start..start + len]),
            State::Disk { file, offset, .. } => {
                self.disk.read_record(*file, offset + u64::from(place.offset), len, buffer)?;
                Ok(buffer)
            }
            State::Free => Ok(&[]),
        }
    }

    /// A row is gone, or has moved.
    #[inline]
    pub fn forget(&mut self, place: Place, len: usize) {
        if place == Place::NOWHERE {
            return;
        }
        let taken = (HEADER_BYTES + len) as u64;
        let segment = &mut self.segments[place.segment as usize];
        segment.live_bytes -= taken;
        match segment.state {
            State::Disk { file, .. } => self.disk.forget(file, taken),
            _ => self.memory_live -= taken,
        }
        if segment.live_bytes == 0 {
            self.release_if_empty(place.segment);
        }
    }

    fn release_if_empty(&mut self, number: u32) {
        let segment = &mut self.segments[number as usize];
        if segment.live_bytes > 0 {
            return;
        }
        if self.head == Some(number) {
            if let State::Memory(memory) = &mut segment.state {
                self.memory_bytes -= memory.len() as u64;
                memory.clear();
            }
            return;
        }
        match std::mem::replace(&mut segment.state, State::Free) {
            State::Memory(memory) => self.memory_bytes -= memory.len() as u64,
            State::Disk { file, .. } => self.disk.release(file),
            State::Free => return,
        }
        self.free.push(number);
    }

    /// Writes the oldest segments to disk until no more than so many bytes are in memory, as far as that goes.
    ///
    /// # Errors
    /// The disk's.
    pub fn spill(&mut self, bytes_max: usize) -> io::Result<()> {
        while self.memory_bytes() > bytes_max
            && let Some(number) = self.oldest_in_memory()
        {
            let segment = &mut self.segments[number as usize];
            let State::Memory(memory) = &mut segment.state else { break };
            let len = memory.len() as u64;
            let (file, offset) = self.disk.append(memory, segment.live_bytes)?;
            segment.state = State::Disk { file, offset, len: len as u32 };
            self.memory_bytes -= len;
            self.memory_live -= segment.live_bytes;
            if self.head == Some(number) {
                self.head = None;
            }
        }
        Ok(())
    }

    /// The head is the youngest, and has nothing at times.
    fn oldest_in_memory(&self) -> Option<u32> {
        let has_rows = |segment: &Segment| matches!(segment.state, State::Memory(_)) && segment.live_bytes > 0;
        let segments = (0..).zip(&self.segments).filter(|(_, segment)| has_rows(segment));
        segments.min_by_key(|(_, segment)| segment.serial).map(|(number, _)| number)
    }

    /// A segment whose rows are to be appended anew, because there is more garbage than what is wanted: its number and
    /// a copy of its bytes. It is gone once all its rows are forgotten in their old places.
    ///
    /// # Errors
    /// The disk's.
    pub fn to_compact(&self) -> io::Result<Option<(u32, Vec<u8>)>> {
        let garbage = self.memory_bytes - self.memory_live;
        if garbage > self.memory_live + SLACK_BYTES
            && let Some(number) = self.emptiest_in_memory()
            && let State::Memory(memory) = &self.segments[number as usize].state
        {
            return Ok(Some((number, memory.clone())));
        }
        let Some(file) = self.disk.emptiest_file(FILE_BYTES) else { return Ok(None) };
        for (number, segment) in (0..).zip(&self.segments) {
            if let State::Disk { file: of, offset, len } = segment.state
                && of == file
            {
                return Ok(Some((number, self.disk.read(file, offset, len as usize)?)));
            }
        }
        Ok(None)
    }

    fn emptiest_in_memory(&self) -> Option<u32> {
        let share = |segment: &Segment| match &segment.state {
            State::Memory(memory) if !memory.is_empty() => Some(segment.live_bytes * 1000 / memory.len() as u64),
            _ => None,
        };
        let segments = (0..).zip(&self.segments).filter(|(number, _)| Some(*number) != self.head);
        let shares = segments.filter_map(|(number, segment)| Some((share(segment)?, number)));
        shares.min().filter(|(share, _)| *share < 900).map(|(_, number)| number)
    }

    /// A record's place in a segment that is compacted.
    #[must_use]
    pub fn place(segment: u32, record: &Record<'_>) -> Place {
        Place { segment, offset: record.offset }
    }

    #[cfg(test)]
    fn totals(&self) -> (u64, u64) {
        (self.memory_bytes, self.memory_live)
    }
}

#[cfg(test)]
mod tests;
