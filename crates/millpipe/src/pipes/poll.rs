//! What both ends of a pipe need.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, Timespec};
use rustix::io::Errno;
use stream::{Error, Fault};

use crate::pipes::sizes::FLOOD_PIPE_BYTES;

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

/// Gives a pipe room for several chunks. What is no pipe stays as it is, and so does a pipe where that is not allowed.
pub(crate) fn widen(fd: BorrowedFd<'_>) {
    if rustix::pipe::fcntl_getpipe_size(fd).is_ok_and(|bytes| bytes < FLOOD_PIPE_BYTES) {
        let _ = rustix::pipe::fcntl_setpipe_size(fd, FLOOD_PIPE_BYTES);
    }
}
