//! Texts of values on disk, and which value is to go there next.

use std::collections::VecDeque;
use std::io;

use scratch_log::{Log, Place};
use sorted_runs::Scratch;
use stream::Error;
use units::ByteSize;

/// Of the memory, the part that texts on their way to disk may take.
const LOG_PART: usize = 8;

/// Bits of a note beside the bytes that a value in memory takes.
const USED: u32 = 1 << 31;
const WAITS: u32 = 1 << 30;
const BYTES: u32 = WAITS - 1;

/// Where the text of a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    pub place: Place,
    pub len: u32,
}

/// The values in memory in the order in which they leave it, and those on disk.
///
/// A value that was used since it was looked at last has a second chance (the clock of Corbató, "A paging experiment with the
/// Multics system", 1968): about the least recently used goes first.
#[derive(Debug)]
pub struct Spill {
    pub log: Log,
    bytes_max: usize,
    /// What values in memory take.
    bytes: usize,
    waiting: VecDeque<u32>,
    /// For each number what its value takes in memory, 0 where it is not there, and [`USED`] and [`WAITS`].
    notes: Vec<u32>,
    buffer: Vec<u8>,
}

impl Spill {
    /// Keeps about so many bytes in memory.
    ///
    /// # Errors
    /// When the scratch does not work: better now than in an hour.
    pub fn new(bytes_max: usize, scratch: Box<dyn Scratch>) -> Result<Self, Error> {
        let spill = Self {
            log: Log::new(scratch),
            bytes_max,
            bytes: 0,
            waiting: VecDeque::new(),
            notes: Vec::new(),
            buffer: Vec::new(),
        };
        spill.log.try_disk().map_err(|error| spill.cannot_write(&error))?;
        Ok(spill)
    }

    #[must_use]
    pub fn memory(&self) -> ByteSize {
        ByteSize(self.bytes_max as u64)
    }

    /// Notes that a value was used, and takes so many bytes in memory.
    pub fn used(&mut self, id: u32, bytes: usize) {
        let at = id as usize;
        if at >= self.notes.len() {
            self.notes.resize(at + 1, 0);
        }
        let note = &mut self.notes[at];
        let taken = (bytes as u64).clamp(1, BYTES.into()) as u32;
        self.bytes = self.bytes - (*note & BYTES) as usize + taken as usize;
        if *note & WAITS == 0 {
            self.waiting.push_back(id);
        }
        *note = taken | USED | WAITS;
    }

    /// A value is not in memory any more. Its number keeps its place among those that wait.
    pub fn left(&mut self, id: u32) {
        if let Some(note) = self.notes.get_mut(id as usize) {
            self.bytes -= (*note & BYTES) as usize;
            *note &= WAITS;
        }
    }

    /// Returns what finds values takes, beside `table_bytes`.
    #[must_use]
    pub fn index_bytes(&self, table_bytes: usize) -> usize {
        table_bytes + (self.notes.capacity() + self.waiting.capacity()) * size_of::<u32>()
    }

    #[must_use]
    pub fn is_short(&self, table_bytes: usize) -> bool {
        self.index_bytes(table_bytes) + self.bytes + self.log.memory_bytes() > self.bytes_max
    }

    #[must_use]
    pub fn is_exceeded(&self, table_bytes: usize) -> bool {
        self.index_bytes(table_bytes) > self.bytes_max
    }

    /// Returns the value that is to leave memory next; none if none is there.
    pub fn next(&mut self) -> Option<u32> {
        loop {
            let id = self.waiting.pop_front()?;
            let note = &mut self.notes[id as usize];
            match *note & BYTES {
                0 => *note = 0,
                _ if *note & USED != 0 => {
                    *note &= !USED;
                    self.waiting.push_back(id);
                }
                _ => {
                    *note &= !WAITS;
                    return Some(id);
                }
            }
        }
    }

    /// Writes the text of a value that leaves memory.
    ///
    /// # Errors
    /// When the disk is full, and its like.
    pub fn write(&mut self, id: u32, text: impl FnOnce(&mut Vec<u8>)) -> Result<Away, Error> {
        self.left(id);
        self.buffer.clear();
        text(&mut self.buffer);
        let away = Away { place: self.log.append(id, &self.buffer, b""), len: self.buffer.len() as u32 };
        self.flush()?;
        Ok(away)
    }

    /// Writes to disk what is beyond the part of the log.
    ///
    /// # Errors
    /// As [`Spill::write`].
    pub fn flush(&mut self) -> Result<(), Error> {
        let flushed = self.log.spill(self.bytes_max / LOG_PART);
        flushed.map_err(|error| self.cannot_write(&error))
    }

    /// Reads the text of a value.
    ///
    /// # Errors
    /// When the disk does not give it back.
    pub fn read(&mut self, away: Away) -> Result<&[u8], Error> {
        let Self { log, buffer, .. } = self;
        log.read(away.place, away.len as usize, buffer).map_err(|error| cannot_read(&log.disk_place(), &error))
    }

    /// The text of a value is not wanted any more.
    pub fn forget(&mut self, away: Away) {
        self.log.forget(away.place, away.len as usize);
    }

    /// Returns a segment of the log of which little is wanted, if garbage is too much: see [`Log::to_compact`].
    ///
    /// # Errors
    /// As [`Spill::read`].
    pub fn to_compact(&self) -> Result<Option<(u32, Vec<u8>)>, Error> {
        self.log.to_compact().map_err(|error| cannot_read(&self.log.disk_place(), &error))
    }

    fn cannot_write(&self, error: &io::Error) -> Error {
        Error::io(format_args!("keys beyond --memory cannot go to {}", self.log.disk_place()), error)
            .hint("--spill-dir DIR takes another folder, a larger --memory needs less of it")
    }
}

#[cold]
fn cannot_read(place: &str, error: &io::Error) -> Error {
    Error::io(format_args!("keys beyond --memory cannot be read from {place}"), error)
}

/// What was written by us is not what it should be.
#[cold]
pub fn unreadable() -> Error {
    Error::temporary("spilled keys: a state that cannot be read")
}
