//! Lines that were read in another thread, before they come to the operator.
//!
//! A line that cannot be read, and one that was cut by the end of a chunk, the operator reads itself: so errors are told
//! as if there were no other threads.

use std::any::Any;
use std::sync::Arc;

use accumulators::ValueList;

use crate::job::Job;
use crate::line_reader::{LineReader, Read};

/// What was read of the lines of a chunk.
#[derive(Debug, Default)]
pub struct ReadLines {
    lines: Vec<ReadLine>,
    keys: Vec<u8>,
    values: ValueList,
    next: usize,
}

#[derive(Debug)]
struct ReadLine {
    /// Where it stands in memory: so it is known again.
    address: usize,
    read: Read,
    key_end: usize,
}

impl ReadLines {
    /// If this line is the next that was read: what was read, with key and values in `reader`.
    #[inline]
    pub fn next(&mut self, line: &[u8], reader: &mut LineReader) -> Option<Read> {
        let known = self.lines.get(self.next).filter(|known| known.address == line.as_ptr().addr())?;
        let key_start = self.next.checked_sub(1).map_or(0, |last| self.lines[last].key_end);
        reader.key.clear();
        reader.key.extend_from_slice(&self.keys[key_start..known.key_end]);
        self.values.get(self.next, &mut reader.values);
        self.next += 1;
        Some(known.read)
    }

    fn room_for_as_many(&self) -> ReadLines {
        ReadLines {
            lines: Vec::with_capacity(self.lines.len()),
            keys: Vec::with_capacity(self.keys.len()),
            values: self.values.room_for_as_many(),
            next: 0,
        }
    }

    fn push(&mut self, line: &[u8], read: Read, reader: &LineReader) {
        self.keys.extend_from_slice(&reader.key);
        self.values.push(&reader.values);
        self.lines.push(ReadLine { address: line.as_ptr().addr(), read, key_end: self.keys.len() });
    }
}

/// Reads ahead, for plain jobs.
#[derive(Debug)]
pub struct Reader {
    reader: LineReader,
    lines: ReadLines,
}

impl Reader {
    pub fn new(job: &Arc<Job>) -> Reader {
        Reader { reader: LineReader::new(job), lines: ReadLines::default() }
    }
}

impl millpipe::Reader for Reader {
    fn line(&mut self, line: &[u8]) {
        if let Ok(read) = self.reader.read(line) {
            self.lines.push(line, read, &self.reader);
        }
    }

    fn take(&mut self) -> Box<dyn Any + Send> {
        let room = self.lines.room_for_as_many();
        Box::new(std::mem::replace(&mut self.lines, room))
    }
}
