//! Standard output: writes, waits for room, and notices that its reader has gone.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use protocol::ROOM_BYTES;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use stream::{Error, Fault};

use crate::pipes::poll::poll;

/// True when the program that reads our output has gone.
pub fn reader_has_gone() -> Result<bool, Fault> {
    let stdout = rustix::stdio::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    Ok(poll(&mut fds, Some(Duration::ZERO))? && fds[0].revents().contains(PollFlags::ERR))
}

pub(crate) fn room(wanted: bool) -> PollFlags {
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

/// How much of this goes at once: whole lines, so that a run that ends here leaves no torn one, but for longer lines.
fn whole_lines(bytes: &[u8]) -> usize {
    let most = bytes.len().min(ROOM_BYTES);
    memchr::memrchr(b'\n', &bytes[..most]).map_or(most, |end| end + 1)
}

fn wait_writable(fd: BorrowedFd<'_>) -> Result<(), Fault> {
    poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None).map(|_| ())
}
