//! Standard input: waits, notices that the reader of our output has gone, reads what there is.

use std::time::{Duration, Instant};

use protocol::{Doing, Waits};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use stream::{Error, Fault};

use crate::pipes::flood::Flood;
use crate::pipes::output::room;
use crate::pipes::poll::{poll, widen};
use crate::pipes::sizes::{CHUNK_BYTES, CHUNK_BYTES_MAX, FLOOD_CHUNK_BYTES};

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Bytes(usize),
    End,
    TimedOut,
}

/// Reads standard input in chunks.
pub struct Input {
    /// Output is watched too, so that an idle stage ends when its reader does.
    watches_output: bool,
    waits: Waits,
    chunk_bytes: usize,
    flood: Flood,
}

impl Input {
    /// Notes in `waits` when there is nothing to read.
    pub fn new(watches_output: bool, chunk_bytes: usize, waits: Waits) -> Self {
        let chunk_bytes = chunk_bytes.clamp(1, CHUNK_BYTES_MAX);
        Self { watches_output, waits, chunk_bytes, flood: Flood::default() }
    }

    /// How much the next read may take. It grows when a pipe floods it.
    pub fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    /// Whether a read would wait.
    ///
    /// # Errors
    /// A failed poll.
    pub fn is_dry(&self) -> Result<bool, Fault> {
        Ok(!wait(false, false, Some(Duration::ZERO))?)
    }

    /// Waits for input, at most `timeout`, and reads what one read gives.
    ///
    /// # Errors
    /// `ReaderGone`, or a failed read.
    pub fn read(&mut self, into: &mut [u8], timeout: Option<Duration>) -> Result<Read, Fault> {
        self.read_while(Doing::WaitForInput, into, timeout)
    }

    /// As `read` of somebody who waits for something else too: a wait for the output ends when that has room.
    ///
    /// # Errors
    /// As for `read`.
    pub fn read_while(&mut self, what: Doing, into: &mut [u8], timeout: Option<Duration>) -> Result<Read, Fault> {
        let wants_room = what == Doing::WaitForOutput;
        loop {
            let ready = self.waits.count(what, || wait(self.watches_output, wants_room, timeout))?;
            if !ready {
                return Ok(Read::TimedOut);
            }
            match rustix::io::read(rustix::stdio::stdin(), &mut *into) {
                Ok(0) => return Ok(Read::End),
                Ok(n) => {
                    if self.flood.begins_with(n, Instant::now()) {
                        widen(rustix::stdio::stdin());
                        if self.chunk_bytes == CHUNK_BYTES {
                            self.chunk_bytes = FLOOD_CHUNK_BYTES;
                        }
                    }
                    return Ok(Read::Bytes(n));
                }
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(Error::io("standard input", &error.into()).into()),
            }
        }
    }
}

/// True when standard input can be read (or has ended), false after the timeout or when the output has the wanted room.
fn wait(watches_output: bool, wants_room: bool, timeout: Option<Duration>) -> Result<bool, Fault> {
    let stdin = rustix::stdio::stdin();
    let stdout = rustix::stdio::stdout();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&stdout, room(wants_room))];
    let fds = if watches_output { &mut fds[..] } else { &mut fds[..1] };
    match poll(fds, timeout)? {
        false => Ok(false),
        true if watches_output && fds[1].revents().contains(PollFlags::ERR) => Err(Fault::ReaderGone),
        // Without POLLIN the end of the input is told by a hang-up, an error or an invalid descriptor.
        true => Ok(!fds[0].revents().is_empty()),
    }
}

/// True when nothing can come any more from the program that writes our input; what it wrote may still be unread.
pub fn upstream_has_gone() -> bool {
    let stdin = rustix::stdio::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
    poll(&mut fds, Some(Duration::ZERO)).is_ok_and(|any| any && fds[0].revents().contains(PollFlags::HUP))
}
