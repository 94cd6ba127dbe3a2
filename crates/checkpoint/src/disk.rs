//! The few things that a state folder asks of a file system.

use std::io::{self, Read, Write};
use std::path::Path;

use crate::Error;

/// A file system, as far as it is used; real, or simulated with crashes that lose what was not synced.
pub trait Disk: Send + Sync {
    /// Makes a folder with its parents, private to the user (0700). Good if it is there.
    ///
    /// # Errors
    /// The system's, here and below.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Opens a file for writing behind its first `keep` bytes; the rest is cut off. Made when it is not there (0600).
    fn write(&self, path: &Path, keep: u64) -> io::Result<Box<dyn DiskFile>>;
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// The names in a folder, sorted; none when there is no folder.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes what was renamed, made and removed in a folder durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Lets others work for about a millisecond: for whoever waits for a file.
    fn pause(&self);
}

/// An open file.
pub trait DiskFile: Write + Send {
    /// Makes all that was written durable.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
}

/// The computer's own file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

/// Writes a whole file so that it is there entirely or not at all, and stays: a temporary name, sync, rename, sync
/// of the folder.
///
/// # Errors
/// The first that came; the temporary file is removed then.
pub fn publish(
    _disk: &dyn Disk,
    _path: &Path,
    _content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    unimplemented!()
}
