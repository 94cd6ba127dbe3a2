//! Standard input: waits, notices that the reader of our output has gone, reads what there is.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use stream::{Error, Fault};

use crate::flood::{FLOOD_CHUNK_BYTES, FLOOD_PIPE_BYTES, Flood};
use crate::out::ROOM_BYTES;
use crate::waits::Waits;

/// One read of the input: small enough for the cache, as large as a pipe gives at once.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// The most that --chunk is good for.
pub(crate) const CHUNK_BYTES_MAX: usize = 16 * CHUNK_BYTES;

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
        self.read_unless_room(into, timeout, false)
    }

    /// As `read`, but waits no longer when `wants_room` and the output has room.
    ///
    /// # Errors
    /// As for `read`.
    pub fn read_unless_room(
        &mut self,
        into: &mut [u8],
        timeout: Option<Duration>,
        wants_room: bool,
    ) -> Result<Read, Fault> {
        loop {
            let ready = self.waits.for_input(|| wait(self.watches_output, wants_room, timeout))?;
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

/// Gives a pipe room for several chunks. What is no pipe stays as it is, and so does a pipe where that is not allowed.
pub(crate) fn widen(fd: BorrowedFd<'_>) {
    if rustix::pipe::fcntl_getpipe_size(fd).is_ok_and(|bytes| bytes < FLOOD_PIPE_BYTES) {
        let _ = rustix::pipe::fcntl_setpipe_size(fd, FLOOD_PIPE_BYTES);
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

/// True when the program that reads our output has gone.
pub fn reader_has_gone() -> Result<bool, Fault> {
    let stdout = rustix::stdio::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    Ok(poll(&mut fds, Some(Duration::ZERO))? && fds[0].revents().contains(PollFlags::ERR))
}

fn room(wanted: bool) -> PollFlags {
    if wanted { PollFlags::OUT } else { PollFlags::empty() }
}

/// Sleeps until the time is over or the reader has gone.
///
/// # Errors
/// `ReaderGone`.
pub fn sleep(duration: Duration) -> Result<(), Fault> {
    wait_for_room(false, Some(duration)).map(drop)
}

/// Sleeps until the time is over, the reader has gone, or the output has the wanted room: then it is true.
///
/// # Errors
/// `ReaderGone`.
pub fn wait_for_room(wanted: bool, timeout: Option<Duration>) -> Result<bool, Fault> {
    let stdout = rustix::stdio::stdout();
    let mut fds = [PollFd::new(&stdout, room(wanted))];
    let any = poll(&mut fds, timeout)?;
    if any && fds[0].revents().contains(PollFlags::ERR) { Err(Fault::ReaderGone) } else { Ok(any) }
}

/// Writes what a pipe takes without blocking, and takes it out of the buffer. What is no pipe takes all.
pub(crate) fn write_some(bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let mut written = 0;
    let mut result = Ok(());
    while result.is_ok() && written < bytes.len() {
        // A pipe that can be written at all has a page of room (pipe(7): POSIX has PIPE_BUF bytes written at once).
        match wait_for_room(true, Some(Duration::ZERO)) {
            Ok(false) => break,
            Ok(true) => {
                let end = written + whole_lines(&bytes[written..]);
                result = write_all(&bytes[written..end]);
                written = end;
            }
            Err(fault) => result = Err(fault),
        }
    }
    bytes.drain(..written);
    result
}

/// False on a timeout or a signal.
pub(crate) fn poll(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<bool, Fault> {
    let timeout = timeout.map(|t| Timespec {
        tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(t.subsec_nanos()),
    });
    match rustix::event::poll(fds, timeout.as_ref()) {
        Ok(n) => Ok(n > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(Error::io("poll", &error.into()).into()),
    }
}

/// Writes everything, blocking: this is the backpressure.
pub(crate) fn write_all(mut bytes: &[u8]) -> Result<(), Fault> {
    let stdout = rustix::stdio::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(stdout, bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait_writable(stdout.as_fd())?,
            Err(Errno::PIPE) => return Err(Fault::ReaderGone),
            Err(error) => return Err(Error::io("standard output", &error.into()).into()),
        }
    }
    Ok(())
}

/// The same for two pieces, one behind the other.
pub(crate) fn write_both(first: &[u8], second: &[u8]) -> Result<(), Fault> {
    let both = [IoSlice::new(first), IoSlice::new(second)];
    // What an error is, the next write tells.
    let written = rustix::io::writev(rustix::stdio::stdout(), &both).unwrap_or_default();
    write_all(&first[written.min(first.len())..])?;
    write_all(&second[written.saturating_sub(first.len())..])
}

/// How much of this goes at once: whole lines, so that a run that ends here leaves no torn one, but for longer lines.
fn whole_lines(bytes: &[u8]) -> usize {
    let most = bytes.len().min(ROOM_BYTES);
    memchr::memrchr(b'\n', &bytes[..most]).map_or(most, |end| end + 1)
}

fn wait_writable(fd: BorrowedFd<'_>) -> Result<(), Fault> {
    poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None).map(|_| ())
}
