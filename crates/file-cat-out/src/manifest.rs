//! What is committed, in one small file that is replaced as a whole.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use checkpoint::{CheckpointId, Disk, publish};
use millpipe::Error;
use serde::{Deserialize, Serialize};

use crate::storage::{failed, parent};

/// Changes of this number are no longer understood by older tools.
const VERSION: u64 = 1;

/// The commit: the id of the checkpoint, and what of the files belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    v: u64,
    /// None where only plain streams came.
    id: Option<String>,
    /// The run that sorts last in the names of parts. Older releases do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_run: Option<String>,
    /// The flags that open parts were made with.
    pub flags: String,
    /// Parts that are visible from now on. Some may still have their hidden names.
    pub shown: Vec<Shown>,
    /// Hidden parts that go on.
    pub open: Vec<Open>,
    /// Files that lines are appended to.
    pub single: Vec<Single>,
}

/// A part and its visible name, in its output's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The output's folder; empty for the one that the manifest is in, so that it can be moved.
    pub root: PathBuf,
    pub part: PathBuf,
    pub name: PathBuf,
}

/// A hidden part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The folder that it will be visible in.
    pub folder: String,
    /// The name of the file among the hidden parts.
    pub part: String,
    pub bytes: u64,
    pub since_ms: i64,
}

/// A file that grows, and how much of it is committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Single {
    /// Empty for the one that the manifest is beside.
    pub path: PathBuf,
    pub bytes: u64,
}

impl Manifest {
    pub fn new(id: Option<&CheckpointId>, flags: &str) -> Self {
        Self { v: VERSION, id: id.map(ToString::to_string), flags: flags.to_owned(), ..Self::default() }
    }

    /// # Errors
    /// When it is there and no manifest of ours.
    pub fn load(disk: &dyn Disk, path: &Path) -> Result<Option<Self>, Error> {
        let mut from = match disk.read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            from => from.map_err(|error| failed(path, &error))?,
        };
        let mut text = Vec::new();
        from.read_to_end(&mut text).map_err(|error| failed(path, &error))?;
        let damaged = |why: &str| Error::data(format_args!("{}: {why}", path.display()));
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|_| damaged("damaged: it should be the line that was written"))?;
        if manifest.v != VERSION {
            return Err(damaged(&format!("a manifest of version {}, this tool speaks {VERSION}", manifest.v))
                .hint("go on with the release that has written it, or a later one"));
        }
        match &manifest.id {
            Some(id) if id.parse::<CheckpointId>().is_err() => Err(damaged(&format!("\"{id}\" is no checkpoint id"))),
            _ => Ok(Some(manifest)),
        }
    }

    /// Replaces what is there, durably: this is the commit.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn publish(&self, disk: &dyn Disk, path: &Path) -> Result<(), Error> {
        let line =
            serde_json::to_string(self).map_err(|error| Error::data(format_args!("{}: {error}", path.display())))?;
        Ok(publish(disk, path, &mut |to| writeln!(to, "{line}"))?)
    }

    pub fn id(&self) -> Option<CheckpointId> {
        self.id.as_ref()?.parse().ok()
    }

    /// Gives parts their visible names, durably, where that is not done yet.
    ///
    /// # Errors
    /// When a file cannot be renamed.
    pub fn show(&self, disk: &dyn Disk, dir: &Path) -> Result<(), Error> {
        let mut folders = BTreeSet::new();
        for shown in &self.shown {
            let root = if shown.root.as_os_str().is_empty() { dir } else { &shown.root };
            let (part, name) = (root.join(&shown.part), root.join(&shown.name));
            if rename(disk, &part, &name).map_err(|error| failed(&name, &error))? {
                folders.insert(parent(&name).to_owned());
            }
        }
        folders.iter().try_for_each(|folder| disk.sync_dir(folder).map_err(|error| failed(folder, &error)))
    }
}

/// Whether the part is visible now. If not, somebody has taken it away, as anybody may.
fn rename(disk: &dyn Disk, part: &Path, name: &Path) -> io::Result<bool> {
    if !disk.exists(part)? {
        return disk.exists(name);
    }
    disk.create_dir(parent(name))?;
    disk.rename(part, name)?;
    Ok(true)
}
