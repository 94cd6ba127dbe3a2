//! Errors of the run that come from a file.

use std::io;
use std::path::Path;

use millpipe::Error;

/// Bad content is an error in the data; for the rest the system's own kinds decide.
pub fn error(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => Error::data(format_args!("{}: {error}", path.display())),
        _ => Error::io(path.display(), error),
    }
}

/// A compressed file ends early.
pub fn not_whole(path: &Path) -> Error {
    Error::data(format_args!("{}: ends in the middle of its compressed data", path.display()))
        .hint("it is damaged, or still being written: --follow waits for the rest")
}
