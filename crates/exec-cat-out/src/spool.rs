//! The lines of an epoch, on their way to a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use checkpoint::{Disk, DiskFile};
use millpipe::Error;

/// Lines that are written at once.
const BLOCK_BYTES: usize = 128 << 10;

/// A file that begins anew with each epoch.
#[derive(Default)]
pub struct Spool {
    path: PathBuf,
    file: Option<Box<dyn DiskFile>>,
    pending: Vec<u8>,
    bytes: u64,
}

impl Spool {
    pub fn new(path: PathBuf) -> Self {
        Self { path, ..Self::default() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much there is, written or not.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// # Errors
    /// When the disk does not take it.
    pub fn line(&mut self, disk: &dyn Disk, line: &[u8]) -> Result<(), Error> {
        self.pending.extend_from_slice(line);
        self.pending.push(b'\n');
        self.bytes += line.len() as u64 + 1;
        if self.pending.len() >= BLOCK_BYTES { self.write(disk) } else { Ok(()) }
    }

    /// The epoch is complete: all of it is in the file, durably. The next line begins another one.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn end(&mut self, disk: &dyn Disk) -> Result<(), Error> {
        self.write(disk)?;
        self.bytes = 0;
        let synced = self.file.take().map_or(Ok(()), |mut file| file.sync());
        synced.map_err(|error| self.failed(&error))
    }

    /// Also makes the file, if there is none.
    fn write(&mut self, disk: &dyn Disk) -> Result<(), Error> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => disk.write(&self.path, 0).map_err(|error| self.failed(&error))?,
        };
        file.write_all(&self.pending).map_err(|error| self.failed(&error))?;
        self.pending.clear();
        self.file = Some(file);
        Ok(())
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::io(self.path.display(), error)
    }
}
