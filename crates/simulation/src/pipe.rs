//! A bounded pipe whose bytes move in pieces of any size.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use protocol::Drain;
use stream::Fault;

use crate::coroutine::Wait;
use crate::process::{Process, locked};

/// What is no longer than this is written whole or not at all (PIPE_BUF); a piece of what is longer has at least
/// `PIECE_BYTES_MIN`, if there is room.
const ATOMIC_BYTES_MAX: usize = 64;
const PIECE_BYTES_MIN: usize = 16;

/// Bytes on their way from one process to the next.
pub struct Pipe {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    bytes: VecDeque<u8>,
    writer_has_gone: bool,
    reader_has_gone: bool,
}

/// What a read came to.
pub enum Read {
    Bytes(Vec<u8>),
    End,
    TimedOut,
}

impl Pipe {
    pub fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { capacity, inner: Mutex::default() })
    }

    pub fn close_for_writing(&self) {
        locked(&self.inner).writer_has_gone = true;
    }

    pub fn close_for_reading(&self) {
        locked(&self.inner).reader_has_gone = true;
    }

    /// Nothing more is written; what was may still be unread.
    pub fn writer_has_gone(&self) -> bool {
        locked(&self.inner).writer_has_gone
    }

    pub fn reader_has_gone(&self) -> bool {
        locked(&self.inner).reader_has_gone
    }

    fn has_something(&self) -> bool {
        let inner = locked(&self.inner);
        !inner.bytes.is_empty() || inner.writer_has_gone
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        let inner = locked(&self.inner);
        inner.bytes.len() + bytes <= self.capacity || inner.reader_has_gone
    }

    /// Waits for bytes, and notices that the reader of `output` has gone.
    ///
    /// # Errors
    /// `ReaderGone`.
    pub fn read(
        self: &Arc<Self>,
        process: &Process,
        output: Option<&Arc<Self>>,
        until_ms: Option<i64>,
    ) -> Result<Read, Fault> {
        let (input, watched) = (Arc::clone(self), output.cloned());
        let ready = move || input.has_something() || watched.as_ref().is_some_and(|output| output.reader_has_gone());
        if !process.wait(Wait::for_that(ready).at_most_until(until_ms)) {
            return Ok(Read::End);
        }
        if output.is_some_and(|output| output.reader_has_gone()) {
            return Err(Fault::ReaderGone);
        }
        if !self.has_something() {
            return Ok(Read::TimedOut);
        }
        Ok(self.take(process))
    }

    fn take(&self, process: &Process) -> Read {
        let mut inner = locked(&self.inner);
        let there = inner.bytes.len();
        if there == 0 {
            return Read::End;
        }
        let mut dice = process.world.dice();
        let most = if dice.one_in(4) { there.min(20) } else { there };
        let count = if dice.one_in(2) { most } else { dice.between(1, most) };
        Read::Bytes(inner.bytes.drain(..count).collect())
    }

    /// Writes all, as room permits.
    ///
    /// # Errors
    /// `ReaderGone`.
    pub fn write(self: &Arc<Self>, process: &Process, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let output = Arc::clone(self);
            let at_once = if bytes.len() <= ATOMIC_BYTES_MAX { bytes.len() } else { 1 };
            if !process.wait(Wait::for_that(move || output.has_room_for(at_once))) {
                return Err(Fault::ReaderGone);
            }
            let mut inner = locked(&self.inner);
            if inner.reader_has_gone {
                return Err(Fault::ReaderGone);
            }
            let room = bytes.len().min(self.capacity - inner.bytes.len());
            let is_split = bytes.len() > ATOMIC_BYTES_MAX && process.world.dice().one_in(8);
            let count = if is_split { room.min(PIECE_BYTES_MIN) } else { room };
            inner.bytes.extend(&bytes[..count]);
            bytes = &bytes[count..];
        }
        Ok(())
    }
}

/// The output of a process, as the runtime writes to it.
pub struct Writer {
    pub process: Arc<Process>,
    pub pipe: Arc<Pipe>,
}

impl Drain for Writer {
    fn drain(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let result = self.pipe.write(&self.process, bytes);
        bytes.clear();
        result
    }
}
