//! The file of `--overflow spill:FILE`: lines and marks, as they are in the stream, read from the front while it grows.

use millpipe::{Error, lines_of};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// One read.
const READ_BYTES: usize = 64 * 1024;
/// What was read is given back to the file system in pieces of this size.
const HOLE_BYTES: u64 = 1024 * 1024;

/// A file that nobody else writes, at most as large as what is in it and [`HOLE_BYTES`], where the file system can do that.
#[derive(Debug)]
pub(crate) struct SpillFile {
    file: File,
    path: PathBuf,
    read: u64,
    written: u64,
    /// Up to here the room was given back.
    hole: u64,
    buffer: Vec<u8>,
}

impl SpillFile {
    /// # Errors
    /// When the file cannot be opened, or another process has it.
    pub fn open(path: &Path) -> Result<SpillFile, Error> {
        let broken = |error: io::Error| cannot(path, &error);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(broken)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                Error::temporary(format_args!("{}: another process spills into it", path.display()))
                    .hint("two pipelines need two files; a run that has not ended yet can be waited for")
            }
            TryLockError::Error(error) => broken(error),
        })?;
        let written = file.metadata().map_err(broken)?.len();
        Ok(SpillFile { file, path: path.to_owned(), read: 0, written, hole: 0, buffer: Vec::new() })
    }

    pub fn is_empty(&self) -> bool {
        self.read == self.written
    }

    /// It must be new: a run that died leaves what it had not taken back.
    ///
    /// # Errors
    /// When there is something in it.
    pub fn must_be_empty(&self) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let what = format!("{}: {} bytes of a run that did not come to its end", self.path.display(), self.written);
        Err(Error::data(what)
            .hint("they are lines, in order, of which the first may have been written: use them or remove the file"))
    }

    /// Forgets what is in it.
    ///
    /// # Errors
    /// The system's.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.file.set_len(0).map_err(|error| cannot(&self.path, &error))?;
        (self.read, self.written, self.hole) = (0, 0, 0);
        Ok(())
    }

    /// Appends whole lines.
    ///
    /// # Errors
    /// A full disk, and its like.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        self.file.write_all_at(lines, self.written).map_err(|error| cannot(&self.path, &error))?;
        self.written += lines.len() as u64;
        Ok(())
    }

    /// Gives the next lines to `each`, without their newlines: about [`READ_BYTES`] of them.
    ///
    /// # Errors
    /// When it cannot be read, or somebody has changed it.
    pub fn take(&mut self, each: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut wanted = READ_BYTES;
        let end = loop {
            let left = usize::try_from(self.written - self.read).unwrap_or(usize::MAX);
            self.buffer.resize(wanted.min(left), 0);
            self.file.read_exact_at(&mut self.buffer, self.read).map_err(|error| cannot(&self.path, &error))?;
            match self.buffer.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => break end + 1,
                None if self.buffer.len() == left => return Err(cannot(&self.path, &ErrorKind::InvalidData.into())),
                None => wanted *= 2,
            }
        };
        lines_of(&self.buffer[..end]).for_each(each);
        self.buffer.clear();
        self.buffer.shrink_to(READ_BYTES);
        self.read += end as u64;
        if self.is_empty() { self.clear() } else { self.give_back() }
    }

    fn give_back(&mut self) -> Result<(), Error> {
        let end = self.read / HOLE_BYTES * HOLE_BYTES;
        if end > self.hole {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Where that is not possible, the room is given back when the file is empty.
            let _ = fallocate(&self.file, flags, self.hole, end - self.hole);
            self.hole = end;
        }
        Ok(())
    }

    /// An empty file goes.
    pub fn remove(&self) {
        if self.is_empty() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn cannot(path: &Path, error: &io::Error) -> Error {
    Error::io(path.display(), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn take(file: &mut SpillFile) -> Vec<String> {
        let mut lines = Vec::new();
        file.take(|line| lines.push(String::from_utf8(line.to_vec()).unwrap())).unwrap();
        lines
    }

    #[test]
    fn lines_come_back_in_order_and_the_file_is_empty_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        let mut file = SpillFile::open(&path).unwrap();
        file.append(b"1\n\n3\n").unwrap();
        assert!(!file.is_empty());
        assert_eq!(std::fs::read(&path).unwrap(), b"1\n\n3\n");
        assert_eq!(take(&mut file), ["1", "", "3"]);
        assert!(file.is_empty() && std::fs::metadata(&path).unwrap().len() == 0);
        let long = "x".repeat(3 * READ_BYTES);
        file.append(format!("{long}\n4\n").as_bytes()).unwrap();
        let mut lines = Vec::new();
        while !file.is_empty() {
            lines.extend(take(&mut file));
        }
        assert_eq!(lines, [long, "4".to_owned()]);
        file.remove();
        assert!(!path.exists());
    }

    #[test]
    fn room_that_was_read_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        let mut file = SpillFile::open(&path).unwrap();
        let block = format!("{}\n", "x".repeat(1023)).repeat(64);
        for _ in 0..160 {
            file.append(block.as_bytes()).unwrap();
        }
        while file.read < 8 << 20 {
            file.take(|line| assert_eq!(line.len(), 1023)).unwrap();
        }
        let allocated = std::fs::metadata(&path).unwrap().blocks() * 512;
        assert!(allocated <= 3 << 20, "{allocated} bytes for the 2 MiB that are left");
    }

    #[test]
    fn a_file_of_another_process_or_with_something_in_it_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        std::fs::write(&path, "left\n").unwrap();
        let mut file = SpillFile::open(&path).unwrap();
        assert!(SpillFile::open(&path).unwrap_err().message.ends_with("spill: another process spills into it"));
        let error = file.must_be_empty().unwrap_err();
        assert!(error.message.ends_with("5 bytes of a run that did not come to its end"), "{error}");
        file.remove();
        assert!(path.exists());
        file.clear().unwrap();
        assert!(file.must_be_empty().is_ok());
    }
}
