//! What can go wrong with a run.

use std::io;

/// An error, with the place of the files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{place}: {source}")]
    Io { place: String, source: io::Error },
    /// A block is not what was written.
    #[error("{place}: a run is damaged at byte {offset}")]
    Damaged { place: String, offset: u64 },
}
