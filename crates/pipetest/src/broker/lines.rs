//! Files of lines that somebody else appends to, and may be killed at it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Holds the lock of a file as long as it lives; so does a process that is killed.
pub struct Held(#[allow(dead_code, reason = "the lock goes with the open file")] File);

/// Waits for the lock of a file.
///
/// # Errors
/// The disk's.
pub fn lock(path: &Path) -> io::Result<Held> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(Held(file))
}

/// Takes the lock of a file, if nobody has it.
///
/// # Errors
/// The disk's.
pub fn try_lock(path: &Path) -> io::Result<Option<Held>> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Held(file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Appends whole lines, after what of an earlier write is whole. Whoever calls it holds the folder's lock.
///
/// # Errors
/// The disk's.
pub fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path)?;
    let end = file.seek(SeekFrom::End(0))?;
    let whole = whole_end(&mut file, end)?;
    if whole < end {
        file.set_len(whole)?;
    }
    file.seek(SeekFrom::Start(whole))?;
    file.write_all(lines)
}

/// Where the last whole line ends.
fn whole_end(file: &mut File, end: u64) -> io::Result<u64> {
    const STEP: u64 = 4096;
    let mut upper = end;
    while upper > 0 {
        let lower = upper.saturating_sub(STEP);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(lower))?;
        Read::by_ref(file).take(upper - lower).read_to_end(&mut bytes)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(lower + at as u64 + 1);
        }
        upper = lower;
    }
    Ok(0)
}

/// Reads a file that grows: each look gives the whole lines that are new.
#[derive(Debug)]
pub struct Growing {
    path: PathBuf,
    at: u64,
}

impl Growing {
    pub fn new(path: PathBuf) -> Self {
        Self { path, at: 0 }
    }

    /// Returns the new lines, each with its end. A file that is not there has none.
    ///
    /// # Errors
    /// The disk's.
    pub fn look(&mut self) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        if file.metadata()?.len() <= self.at {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.at))?;
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(whole);
        self.at += whole as u64;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_end_is_cut_off_by_the_next_writer_and_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mut growing = Growing::new(path.clone());
        assert_eq!(growing.look().unwrap(), b"");
        append(&path, b"one\n").unwrap();
        std::fs::write(&path, [&b"one\n"[..], &[b'x'; 9000]].concat()).unwrap();
        assert_eq!(growing.look().unwrap(), b"one\n");
        assert_eq!(growing.look().unwrap(), b"");
        append(&path, b"two\nthree\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\nthree\n");
        assert_eq!(growing.look().unwrap(), b"two\nthree\n");
        std::fs::write(&path, b"torn").unwrap();
        append(&path, b"new\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new\n");
    }

    #[test]
    fn a_lock_has_one_holder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = lock(&path).unwrap();
        assert!(try_lock(&path).unwrap().is_none());
        drop(held);
        assert!(try_lock(&path).unwrap().is_some());
    }
}
