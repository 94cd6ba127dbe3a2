//! What a failed read of a file means for the run.

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
