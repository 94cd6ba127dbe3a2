//! Which of the three standard files were closed when the process began.
//!
//! Rust opens `/dev/null` in the place of a closed one before `main`, so that no other file gets its number. From then on
//! it looks like one that the user has chosen: so this looks earlier.
#![allow(unsafe_code)] // For a function that runs before Rust's own start.

use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::{Errno, fcntl_getfd};
use stream::Error;

/// A bit for each closed file: stdin, stdout, stderr.
static CLOSED: AtomicU8 = AtomicU8::new(0);

const STDIN: u8 = 1;
const STDOUT: u8 = 2;
const STDERR: u8 = 4;

// SAFETY: the loader calls what stands in this section once, before `main`, while there is one thread. The function makes three
// system calls and stores a byte: it needs nothing of Rust's runtime, and cannot panic.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_BEFORE_MAIN: extern "C" fn() = look;

extern "C" fn look() {
    let files = [(STDIN, rustix::stdio::stdin()), (STDOUT, rustix::stdio::stdout()), (STDERR, rustix::stdio::stderr())];
    let closed = files.into_iter().filter(|(_, file)| fcntl_getfd(file) == Err(Errno::BADF));
    CLOSED.store(closed.fold(0, |all, (bit, _)| all | bit), Ordering::Relaxed);
}

fn is_closed(file: u8) -> bool {
    CLOSED.load(Ordering::Relaxed) & file != 0
}

/// Says that there is nothing to read.
///
/// # Errors
/// When whoever started this tool has closed its standard input.
pub fn must_have_input() -> Result<(), Error> {
    if is_closed(STDIN) {
        return Err(Error::data("standard input is closed: there is nothing to read")
            .hint("< FILE reads a file, < /dev/null no line at all"));
    }
    Ok(())
}

/// # Errors
/// When whoever started this tool has closed its standard output.
pub(crate) fn must_have_output() -> Result<(), Error> {
    if is_closed(STDOUT) {
        return Err(Error::data("standard output is closed: all that is written would be lost")
            .hint("> FILE keeps it, > /dev/null throws it away"));
    }
    Ok(())
}

/// # Errors
/// When whoever started this tool has closed its standard error, and lines that are kept aside go there.
pub(crate) fn must_have_stderr() -> Result<(), Error> {
    if is_closed(STDERR) {
        return Err(Error::data("standard error is closed: a line that is kept aside would be lost")
            .hint("--rejects FILE keeps such lines in a file"));
    }
    Ok(())
}
