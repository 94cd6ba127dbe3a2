//! The few things that a state folder asks of a file system.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use crate::Error;
use crate::names::TEMPORARY;

/// A file system, as far as it is used; real, or simulated with crashes that lose what was not synced.
pub trait Disk: Send + Sync {
    /// Makes a folder with its parents, private to the user (0700), durably. Good if it is there.
    ///
    /// # Errors
    /// The system's, here and below.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Opens a file for writing behind its first `keep` bytes; the rest is cut off. Made when it is not there (0600).
    /// A file that is shorter is an error, and stays as it is.
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

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let parent = parent(path);
        self.create_dir(parent)?;
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.sync_dir(parent),
        }
    }

    fn write(&self, path: &Path, keep: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        if length < keep {
            return Err(io::Error::other(format!("{length} bytes where at least {keep} should be")));
        }
        file.set_len(keep)?;
        file.seek(SeekFrom::Start(keep))?;
        Ok(Box::new(file))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            // A name that is not text is not ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    #[allow(clippy::disallowed_methods)] // The one place that waits; a simulation has its own.
    fn pause(&self) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Bytes that go to the disk at once.
const BLOCK: usize = 128 * 1024;

/// Writes a whole file so that it is there entirely or not at all, and stays: a temporary name, sync, rename, sync
/// of the folder. The temporary name has the process in it: a stale process cannot write into the file of a live one.
///
/// # Errors
/// The first that came; the temporary file is removed then.
pub fn publish(
    disk: &dyn Disk,
    path: &Path,
    content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    publish_if(disk, path, "", content, &mut || Ok(()))
}

/// The same, if `is_still_right` finds nothing against it when all but the rename is done. `owner` makes the temporary
/// name differ from that of others, where processes on several machines may have the same number.
///
/// # Errors
/// As `publish`.
pub(crate) fn publish_if(
    disk: &dyn Disk,
    path: &Path,
    owner: &str,
    content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    is_still_right: &mut dyn FnMut() -> io::Result<()>,
) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!("{TEMPORARY}{}-{owner}{name}", std::process::id()));
    let result = write_synced(disk, &temporary, content)
        .and_then(|()| is_still_right())
        .and_then(|()| disk.rename(&temporary, path).map_err(not_tidied_away))
        .and_then(|()| disk.sync_dir(parent(path)));
    result.map_err(|source| {
        // The error that counts is the first; after it the temporary file is of no use to anybody.
        let _ = disk.remove(&temporary);
        Error::io(path, source)
    })
}

/// A file that we have just written is gone because a younger run has removed what stale ones left, or somebody the folder.
fn not_tidied_away(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::NotFound => {
            io::Error::other("removed while it was being written, by another run that has begun since or by somebody")
        }
        _ => error,
    }
}

fn write_synced(
    disk: &dyn Disk,
    path: &Path,
    content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(BLOCK, disk.write(path, 0)?);
    content(&mut file)?;
    file.flush()?;
    file.get_mut().sync()
}

/// The folder that a path is in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
