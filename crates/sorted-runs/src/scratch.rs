//! What runs ask of a file system.

use std::fmt::Debug;
use std::io;

/// Makes files for runs.
pub trait Scratch: Debug + Send {
    /// An empty file that nobody else finds, and that is gone when it is dropped or the process ends, however it ends.
    ///
    /// # Errors
    /// The system's, here and below.
    fn create(&self) -> io::Result<Box<dyn ScratchFile>>;

    /// Where the files are, for messages.
    fn place(&self) -> String;
}

/// A file that is written from the front, and then read anywhere.
pub trait ScratchFile: Debug + Send + Sync {
    /// Writes all bytes at the end.
    ///
    /// # Errors
    /// The system's.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Fills the buffer from a place.
    ///
    /// # Errors
    /// The system's; `UnexpectedEof` when the file is shorter.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}
