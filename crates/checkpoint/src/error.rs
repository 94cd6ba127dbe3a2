//! What can be wrong with a state folder.

use std::io;
use std::path::{Path, PathBuf};

/// An error, told with the file it is about. Whoever shows it decides on the exit code.
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
