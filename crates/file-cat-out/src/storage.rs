//! The computer's own file system, as an output uses it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use checkpoint::{Disk, DiskFile, RealDisk};
use millpipe::Error;

/// What is wrong with a file.
pub fn failed(path: &Path, error: &io::Error) -> Error {
    Error::io(path.display(), error)
}

/// The folder that a path is in.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A real disk on which others may read what is written, as far as the umask lets them: an output is no secret,
/// unlike a state folder.
#[derive(Clone, Copy, Debug)]
pub struct OutputDisk;

impl Disk for OutputDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let parent = parent(path);
        self.create_dir(parent)?;
        match fs::create_dir(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.sync_dir(parent),
        }
    }

    fn write(&self, path: &Path, keep: u64) -> io::Result<Box<dyn DiskFile>> {
        if !path.try_exists()? {
            File::options().append(true).create(true).open(path)?;
        }
        RealDisk.write(path, keep)
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        RealDisk.read(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }

    fn pause(&self) {
        RealDisk.pause();
    }
}
