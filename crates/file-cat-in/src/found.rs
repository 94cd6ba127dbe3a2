//! A file as a folder shows it.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// A file's number on its device: it stays through renames, and is used again once the file is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    pub dev: u64,
    pub ino: u64,
}

/// What changes when a file is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub size: u64,
    /// Nanoseconds of the epoch.
    pub changed_ns: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub id: FileId,
    pub stamp: Stamp,
    /// Where the file system says it.
    pub created: Option<SystemTime>,
    /// False for pipes, terminals and the like, which cannot be read twice.
    pub is_regular: bool,
}

impl FileId {
    pub fn of(metadata: &Metadata) -> Self {
        Self { dev: metadata.dev(), ino: metadata.ino() }
    }
}

impl Stamp {
    pub fn of(metadata: &Metadata) -> Self {
        let changed_ns = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        Self { size: metadata.size(), changed_ns }
    }
}

impl Found {
    /// None for a folder, and where there is nothing.
    ///
    /// # Errors
    /// Those of the system but `NotFound`.
    pub fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(None),
            Ok(metadata) => Ok(Some(Self {
                path: path.to_owned(),
                id: FileId::of(&metadata),
                stamp: Stamp::of(&metadata),
                created: metadata.created().ok(),
                is_regular: metadata.is_file(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// When it was made, in nanoseconds of the epoch.
    pub fn born_ns(&self) -> Option<i64> {
        let since = self.created?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_nanos()).ok()
    }

    /// All regular files in the folder of this path, by name; none when there is no folder.
    ///
    /// # Errors
    /// Those of the system but `NotFound`.
    pub fn all_beside(path: &Path) -> io::Result<Vec<Self>> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let opened = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = match fs::read_dir(opened) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files = Vec::new();
        for entry in entries {
            // A file that cannot be looked at is none that was read before.
            if let Ok(Some(found)) = Self::at(&folder.join(entry?.file_name()))
                && found.is_regular
            {
                files.push(found);
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}
