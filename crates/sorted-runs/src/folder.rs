//! Files in a folder of the computer's own file system.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::scratch::{Scratch, ScratchFile};

/// A folder for files without a name: where the file system can, they never have one (`O_TMPFILE`), else it is taken
/// from them at once.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    #[must_use]
    pub fn new(path: PathBuf) -> Folder {
        Folder { path }
    }

    /// The folder that a user says, else `$TMPDIR`, else /var/tmp, which is on disk also where /tmp is in memory.
    #[must_use]
    pub fn said_or_usual(said: Option<PathBuf>) -> Folder {
        let usual = || std::env::var_os("TMPDIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        Folder::new(said.or_else(usual).unwrap_or_else(|| PathBuf::from("/var/tmp")))
    }
}

/// The flag for where memory spills.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct SpillArgs {
    /// The folder on disk for what is beyond --memory, in files that are gone with the process [default: $TMPDIR, or /var/tmp]
    #[arg(long, value_name = "DIR", help_heading = "Limits")]
    pub spill_dir: Option<PathBuf>,
}

impl SpillArgs {
    #[must_use]
    pub fn folder(&self) -> Folder {
        Folder::said_or_usual(self.spill_dir.clone())
    }
}

impl Scratch for Folder {
    fn create(&self) -> io::Result<Box<dyn ScratchFile>> {
        Ok(Box::new(tempfile::tempfile_in(&self.path)?))
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

impl ScratchFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}
