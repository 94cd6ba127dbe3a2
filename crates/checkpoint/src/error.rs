//! What can be wrong with a state folder.

use std::io;
use std::path::{Path, PathBuf};

/// What to do about a snapshot that cannot be read.
pub const DAMAGED_HINT: &str = "state check DIR says what can still be used";

/// An error, told with the file it is about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// The snapshot is not there; `there` says what is.
    #[error("{}: there is no such snapshot, {there}", path.display())]
    Missing { path: PathBuf, there: String },
    /// What is there was torn, changed or is of another kind.
    #[error("{}: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
    /// Made by a stage with other flags.
    #[error("{}: made with other flags: {made}; now they are: {now}", path.display())]
    OtherFlags { path: PathBuf, made: String, now: String },
    /// Another process holds the lock.
    #[error("{}: in use by process {pid}", path.display())]
    InUse { path: PathBuf, pid: String },
}

impl Error {
    pub fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), why: why.into() }
    }

    /// An error met while reading a file: the system's own, or one that says that the content is not what was written.
    pub(crate) fn reading(path: &Path, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(_) => Self::io(path, error),
            None => Self::damaged(path, format!("damaged: {error}")),
        }
    }
}

impl From<Error> for stream::Error {
    fn from(error: Error) -> Self {
        match &error {
            Error::Io { path, source } => Self::io(path.display(), source),
            Error::Missing { .. } | Error::Damaged { .. } => Self::data(error).hint(DAMAGED_HINT),
            Error::OtherFlags { .. } => Self::data(error),
            Error::InUse { .. } => {
                Self::temporary(error).hint("one pipeline at a time can use a state folder or an output")
            }
        }
    }
}
