//! `--single`: one file, appended to.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use checkpoint::Disk;
use millpipe::{Error, Fault};

use crate::manifest::{self, Manifest};
use crate::output::{Epoch, Output};
use crate::pack::Packer;
use crate::part::Part;
use crate::storage::{failed, parent};

/// A file that lines are appended to.
pub struct Single {
    path: PathBuf,
    /// How the manifest calls it.
    key: PathBuf,
    folder: PathBuf,
    part: Part,
    packer: Packer,
}

impl Single {
    /// # Errors
    /// Usage, where a pipe or a device is: it keeps nothing that could be cut off behind the last commit.
    pub fn new(path: &Path, key: PathBuf, packer: Packer) -> Result<Self, Error> {
        if std::fs::metadata(path).is_ok_and(|known| !known.is_file()) {
            return Err(Error::usage(format_args!("\"{}\" is no regular file", path.display()))
                .hint("where nothing can be cut off behind a commit, a shell can write: … > PATH"));
        }
        let part = Part::new(path.to_owned(), 0);
        Ok(Self { path: path.to_owned(), key, folder: folder(path), part, packer })
    }
}

/// Where the manifest and the lock of a single file are.
pub fn folder(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".millpipe");
    name.into()
}

impl Output for Single {
    fn lock_folder(&self) -> Option<&Path> {
        Some(&self.folder)
    }

    fn folder_of_parts(&self) -> Option<&Path> {
        None
    }

    /// A file that no manifest knows keeps what it has.
    fn recover(&mut self, disk: &dyn Disk, manifest: &Manifest, _run: &str, _goes_on: bool) -> Result<(), Error> {
        let known = manifest.single.iter().find(|file| file.path == self.key).map(|file| file.bytes);
        let length = length(disk, &self.path).map_err(|error| failed(&self.path, &error))?;
        let bytes = known.unwrap_or_else(|| length.unwrap_or(0));
        self.part = Part::new(self.path.clone(), bytes);
        self.part.cut(disk)?;
        // Also when the file was there: a run that died may have made it just now.
        let folder = parent(&self.path);
        disk.sync_dir(folder).map_err(|error| failed(folder, &error))
    }

    fn line(&mut self, disk: &dyn Disk, line: &[u8], _now_ms: i64) -> Result<(), Fault> {
        self.part.line(line);
        if self.part.pending_bytes() >= self.packer.block_bytes() {
            self.part.write(disk, &mut self.packer)?;
        }
        Ok(())
    }

    fn seal(&mut self, disk: &dyn Disk, _epoch: &Epoch, manifest: &mut Manifest) -> Result<(), Error> {
        self.part.sync(disk, &mut self.packer)?;
        manifest.single.push(manifest::Single { path: self.key.clone(), bytes: self.part.bytes() });
        Ok(())
    }

    fn sealed(&mut self) {}
}

/// How long a file is, if it is there.
fn length(disk: &dyn Disk, path: &Path) -> io::Result<Option<u64>> {
    match disk.read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        from => io::copy(&mut from?, &mut io::sink()).map(Some),
    }
}
