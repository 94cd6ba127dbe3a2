//! One file that grows.

use std::borrow::Cow;
use std::io::Write;
use std::path::PathBuf;

use checkpoint::Disk;
use millpipe::Error;

use crate::pack::Packer;
use crate::storage::failed;

/// A file, and lines on their way into it. It is open only while a block is written: as many as there are need no
/// more than one descriptor.
pub struct Part {
    path: PathBuf,
    /// What we have in the file. Behind it there may be bytes of a run that died, before the first write.
    bytes: u64,
    pending: Vec<u8>,
    is_synced: bool,
}

impl Part {
    /// A file with so many committed bytes.
    pub fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes, pending: Vec::new(), is_synced: true }
    }

    /// How long the file is; more may be pending.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    pub fn line(&mut self, line: &[u8]) {
        self.pending.extend_from_slice(line);
        self.pending.push(b'\n');
    }

    /// Writes what is pending.
    ///
    /// # Errors
    /// When the disk does not take it. The file may have grown all the same, but not what `bytes` says.
    pub fn write(&mut self, disk: &dyn Disk, packer: &mut Packer) -> Result<(), Error> {
        if self.pending.is_empty() { Ok(()) } else { self.put(disk, packer, false) }
    }

    /// Writes what is pending, and makes all of the file durable. Its name is not: that is its folder's business.
    ///
    /// # Errors
    /// As `write`.
    pub fn sync(&mut self, disk: &dyn Disk, packer: &mut Packer) -> Result<(), Error> {
        if self.pending.is_empty() && self.is_synced { Ok(()) } else { self.put(disk, packer, true) }
    }

    /// Cuts off what is not committed.
    ///
    /// # Errors
    /// When there is less than what is committed.
    pub fn cut(&self, disk: &dyn Disk) -> Result<(), Error> {
        let lost = |why: &str| {
            Error::data(format_args!("{}: {why}, and {} bytes of it are committed", self.path.display(), self.bytes))
                .hint("somebody else has changed it; put it back, or begin anew with another output and state folder")
        };
        if self.bytes > 0 && !disk.exists(&self.path).map_err(|error| failed(&self.path, &error))? {
            return Err(lost("not there"));
        }
        let cut = disk.write(&self.path, self.bytes).and_then(|mut file| file.sync());
        cut.map_err(|error| match error.raw_os_error() {
            Some(_) => failed(&self.path, &error),
            None => lost(&error.to_string()),
        })
    }

    fn put(&mut self, disk: &dyn Disk, packer: &mut Packer, durably: bool) -> Result<(), Error> {
        let lines = std::mem::take(&mut self.pending);
        let mut put = || {
            let mut file = disk.write(&self.path, self.bytes)?;
            let block = if lines.is_empty() { Cow::default() } else { packer.pack(&lines)? };
            file.write_all(&block)?;
            if durably {
                file.sync()?;
            }
            Ok(block.len() as u64)
        };
        self.bytes += put().map_err(|error| failed(&self.path, &error))?;
        self.is_synced = durably;
        Ok(())
    }
}
