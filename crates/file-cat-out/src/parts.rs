//! Many files: hidden ones that grow, and visible ones that never change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use checkpoint::Disk;
use millpipe::{Error, Fault};

use crate::folders::Folders;
use crate::manifest::{Manifest, Open, Shown};
use crate::names::visible_name;
use crate::output::{Epoch, Output};
use crate::pack::Packer;
use crate::part::Part;
use crate::storage::failed;

/// Where the hidden side of a folder is.
pub const HIDDEN: &str = ".millpipe";

/// How large all of it may become.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A part that is as large is shown.
    pub size: Option<u64>,
    /// A part that is as old is shown.
    pub age_ms: Option<i64>,
    pub parts: usize,
    /// Lines in memory.
    pub buffer_bytes: usize,
}

/// A folder of parts.
pub struct Parts {
    root: PathBuf,
    /// How the manifest calls it.
    key: PathBuf,
    /// Where hidden parts are, in the root.
    hidden: PathBuf,
    locked: Option<PathBuf>,
    folders: Option<Folders>,
    packer: Packer,
    limits: Limits,
    goes_on: bool,
    run: String,
    /// The number of the next hidden part.
    next: u64,
    growing: BTreeMap<String, Growing>,
    pending_bytes: usize,
    /// A hidden part was made since the names of hidden parts were made durable.
    has_new_names: bool,
    /// The folders whose parts the next manifest shows.
    shown: Vec<String>,
}

/// A hidden part.
struct Growing {
    part: Part,
    name: String,
    since_ms: i64,
}

impl Parts {
    /// The output itself. The manifest is in it.
    pub fn output(root: &Path, folders: Option<Folders>, packer: Packer, limits: Limits) -> Self {
        let hidden = Path::new(HIDDEN).join("parts");
        let locked = Some(root.join(HIDDEN));
        Self::new(root, PathBuf::new(), hidden, locked, folders, packer, limits)
    }

    /// A folder beside it for what is rejected, which other outputs may use too: each has its own place for what is
    /// hidden there, by its `owner`.
    pub fn beside(root: &Path, owner: u64, packer: Packer, limits: Limits) -> Self {
        let hidden = Path::new(HIDDEN).join(format!("parts-{owner:016x}"));
        Self::new(root, root.to_owned(), hidden, None, None, packer, limits)
    }

    fn new(
        root: &Path,
        key: PathBuf,
        hidden: PathBuf,
        locked: Option<PathBuf>,
        folders: Option<Folders>,
        packer: Packer,
        limits: Limits,
    ) -> Self {
        Self {
            root: root.to_owned(),
            key,
            hidden,
            locked,
            folders,
            packer,
            limits,
            goes_on: false,
            run: String::new(),
            next: 0,
            growing: BTreeMap::new(),
            pending_bytes: 0,
            has_new_names: false,
            shown: Vec::new(),
        }
    }

    fn hidden(&self) -> PathBuf {
        self.root.join(&self.hidden)
    }

    fn is_shown(&self, growing: &Growing, epoch: &Epoch) -> bool {
        let is_large = self.limits.size.is_some_and(|size| growing.part.bytes() >= size);
        let is_old = self.limits.age_ms.is_some_and(|age_ms| epoch.now_ms.saturating_sub(growing.since_ms) >= age_ms);
        epoch.is_last || !self.goes_on || is_large || is_old
    }

    fn write_all(&mut self, disk: &dyn Disk) -> Result<(), Error> {
        self.pending_bytes = 0;
        self.growing.values_mut().try_for_each(|growing| growing.part.write(disk, &mut self.packer))
    }

    /// Removes what a run that died has left and never committed.
    fn remove_unknown(&self, disk: &dyn Disk) -> Result<(), Error> {
        let hidden = self.hidden();
        let known: Vec<&str> = self.growing.values().map(|growing| growing.name.as_str()).collect();
        for name in disk.list(&hidden).map_err(|error| failed(&hidden, &error))? {
            if !known.contains(&name.as_str()) {
                let path = hidden.join(name);
                disk.remove(&path).map_err(|error| failed(&path, &error))?;
            }
        }
        Ok(())
    }
}

impl Output for Parts {
    fn remark(&self) -> Option<String> {
        self.folders.as_ref()?.remark()
    }

    fn lock_folder(&self) -> Option<&Path> {
        self.locked.as_deref()
    }

    fn folder_of_parts(&self) -> Option<&Path> {
        Some(&self.root)
    }

    fn recover(&mut self, disk: &dyn Disk, manifest: &Manifest, run: &str, goes_on: bool) -> Result<(), Error> {
        let hidden = self.hidden();
        disk.create_dir(&hidden).map_err(|error| failed(&hidden, &error))?;
        (self.run, self.goes_on) = (run.to_owned(), goes_on);
        // Open parts are always those of the output itself.
        let open: &[Open] = if self.key.as_os_str().is_empty() { &manifest.open } else { &[] };
        for open in open {
            let part = Part::new(hidden.join(&open.part), open.bytes);
            part.cut(disk)?;
            let growing = Growing { part, name: open.part.clone(), since_ms: open.since_ms };
            self.growing.insert(open.folder.clone(), growing);
        }
        self.remove_unknown(disk)
    }

    fn line(&mut self, disk: &dyn Disk, line: &[u8], now_ms: i64) -> Result<(), Fault> {
        let folder = match &mut self.folders {
            Some(folders) => folders.of(line).map_err(Fault::Bad)?,
            None => "",
        };
        let is_full = self.growing.len() >= self.limits.parts;
        let growing = match self.growing.get_mut(folder) {
            Some(growing) => growing,
            None if is_full => return Err(too_many(self.limits.parts).into()),
            None => {
                let name = format!("{}-{:08}{}", self.run, self.next, self.packer.ending());
                let part = Part::new(self.root.join(&self.hidden).join(&name), 0);
                self.next += 1;
                self.has_new_names = true;
                self.growing.entry(folder.to_owned()).or_insert(Growing { part, name, since_ms: now_ms })
            }
        };
        growing.part.line(line);
        self.pending_bytes += line.len() + 1;
        if growing.part.pending_bytes() >= self.packer.block_bytes() {
            self.pending_bytes -= growing.part.pending_bytes();
            growing.part.write(disk, &mut self.packer)?;
        }
        if self.pending_bytes > self.limits.buffer_bytes {
            self.write_all(disk)?;
        }
        Ok(())
    }

    fn seal(&mut self, disk: &dyn Disk, epoch: &Epoch, manifest: &mut Manifest) -> Result<(), Error> {
        // All is written before the first is synced: a file system can then make many files durable at once.
        self.write_all(disk)?;
        for growing in self.growing.values_mut() {
            growing.part.sync(disk, &mut self.packer)?;
        }
        if self.has_new_names {
            let hidden = self.hidden();
            disk.sync_dir(&hidden).map_err(|error| failed(&hidden, &error))?;
            self.has_new_names = false;
        }
        for (folder, growing) in &self.growing {
            if self.is_shown(growing, epoch) {
                let name = visible_name(folder, &epoch.id, &growing.name);
                manifest.shown.push(Shown { root: self.key.clone(), part: self.hidden.join(&growing.name), name });
                self.shown.push(folder.clone());
            } else {
                manifest.open.push(Open {
                    folder: folder.clone(),
                    part: growing.name.clone(),
                    bytes: growing.part.bytes(),
                    since_ms: growing.since_ms,
                });
            }
        }
        Ok(())
    }

    fn sealed(&mut self) {
        for folder in self.shown.drain(..) {
            self.growing.remove(&folder);
        }
    }
}

fn too_many(parts: usize) -> Error {
    Error::data(format_args!("more than {parts} parts are hidden (--max-parts)"))
        .hint("--partition-by of a field with fewer values, a smaller --part-age, or a larger --max-parts")
}
