//! The snapshots of one stage.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::committed::remove_if_there;
use crate::file_writer::{Stored, write_file};
use crate::header::Header;
use crate::merge::{Merge, Merged, due};
use crate::names::{self, TEMPORARY, is_folder_name};
use crate::snapshot_reader::{Part, SnapshotReader};
use crate::{Changes, CheckpointId, Disk, Error};

/// One stage's state at a barrier, on its way to the disk.
#[derive(Debug)]
pub struct Snapshot {
    pub id: CheckpointId,
    /// The tool.
    pub stage: String,
    /// The flags that matter, as text: a snapshot is of use for the same only.
    pub flags: String,
    /// What is written whole each time: lines of JSON.
    pub head: Vec<u8>,
    /// What changed since the snapshot before it.
    pub changes: Changes,
}

/// The folder of one stage, in one run.
pub struct StageFolder {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    name: String,
    run: String,
    /// Files of older runs and of our own: only these are ever removed.
    known: BTreeSet<String>,
    /// What the next snapshot builds on, oldest first.
    files: Vec<Stored>,
    /// What the restored snapshot needs.
    restored: Vec<String>,
    /// Our own snapshots that may still be asked for, oldest first.
    own: Vec<Own>,
    /// The last one known to be committed.
    committed: Option<u64>,
    /// The stage and its flags, for merged files.
    made_by: (String, String),
    merges: u64,
    is_merging: bool,
    /// A snapshot failed, and its changes are lost: later ones would be wrong.
    is_broken: bool,
    /// The folder was there. Made anew it would lack what later snapshots build on.
    has_folder: bool,
}

struct Own {
    seq: u64,
    needs: Vec<String>,
}

impl StageFolder {
    /// Opens `DIR/NAME` (made at the first save). Notes which files are there: these are of older runs, and may be
    /// pruned one day; what comes there later and is not ours belongs to a younger run, and is never touched.
    ///
    /// # Errors
    /// When the folder cannot be read, or the name is none for a folder.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, name: &str, run: &str) -> Result<Self, Error> {
        let folder = dir.join(name);
        if !is_folder_name(name) {
            return Err(Error::damaged(&folder, format!("\"{name}\" is no name for a folder of state")));
        }
        let files = disk.list(&folder).map_err(|error| Error::io(&folder, error))?;
        let is_ours = |file: &String| names::stem(file).is_some() || file.starts_with(TEMPORARY);
        Ok(Self {
            disk,
            folder,
            name: name.to_owned(),
            run: run.to_owned(),
            known: files.into_iter().filter(is_ours).collect(),
            files: Vec::new(),
            restored: Vec::new(),
            own: Vec::new(),
            committed: None,
            made_by: Default::default(),
            merges: 0,
            is_merging: false,
            is_broken: false,
            has_folder: false,
        })
    }

    /// Loads a snapshot of any run, before the first save; `save` goes on from it.
    ///
    /// # Errors
    /// `Missing`, `Damaged`, `OtherFlags`, or what `take` says. The bytes are checked while parts are given: after an
    /// error what was taken is worth nothing.
    pub fn load<E: From<Error>>(
        &mut self,
        id: &CheckpointId,
        flags: &str,
        take: &mut dyn FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut snapshot = SnapshotReader::open(&*self.disk, &self.folder, id)?;
        snapshot.check_flags(flags)?;
        let made_by = (snapshot.header().stage.clone(), flags.to_owned());
        let mut files = snapshot.read(take)?;
        self.has_folder = true;
        self.restored = files.iter().map(|stored| stored.file.clone()).collect();
        self.known.extend(self.restored.iter().cloned());
        files.retain(|stored| stored.entries > 0);
        (self.files, self.made_by) = (files, made_by);
        Ok(())
    }

    /// Writes a snapshot, durably.
    ///
    /// # Errors
    /// When it cannot be written; no damage is done, but its changes are lost, so that all later saves fail too.
    pub fn save(&mut self, snapshot: Snapshot) -> Result<(), Error> {
        self.check_order(&snapshot.id)?;
        self.is_broken = true;
        if !self.has_folder {
            self.disk.create_dir(&self.folder).map_err(|error| Error::io(&self.folder, error))?;
            self.has_folder = true;
        }
        let stored = self.write(&snapshot)?;
        self.is_broken = false;

        let needs = self.files.iter().map(|stored| &stored.file).chain([&stored.file]).cloned().collect();
        self.own.push(Own { seq: snapshot.id.seq, needs });
        self.known.insert(stored.file.clone());
        if stored.entries > 0 {
            self.files.push(stored);
        }
        self.made_by = (snapshot.stage, snapshot.flags);
        Ok(())
    }

    /// Files that should become one: done by anybody, at any time, beside further saves. One merge at a time: none is
    /// due until [`StageFolder::merged`] has taken the last one.
    pub fn merge_due(&mut self) -> Option<Merge> {
        let entries: Vec<u64> = self.files.iter().map(|stored| stored.entries).collect();
        let count = due(&entries).filter(|_| !self.is_merging)?;
        let id = self.name_for_merge();
        let files = &self.files[self.files.len() - count..];
        let bytes = files.iter().map(|stored| stored.bytes).sum();
        let header = Header {
            stage: self.made_by.0.clone(),
            name: self.name.clone(),
            id,
            flags: self.made_by.1.clone(),
            head_lines: 0,
            after: Vec::new(),
            merged: files.iter().map(|stored| stored.file.clone()).collect(),
        };
        self.merges += 1;
        self.is_merging = true;
        let from_the_oldest = count == self.files.len();
        Some(Merge { disk: Arc::clone(&self.disk), folder: self.folder.clone(), header, from_the_oldest, bytes })
    }

    /// The merge is done: later snapshots build on it.
    pub fn merged(&mut self, merged: Merged) {
        self.is_merging = false;
        self.known.insert(merged.into.file.clone());
        let count = merged.files.len();
        let is_it = |files: &[Stored]| files.iter().map(|stored| &stored.file).eq(&merged.files);
        if let Some(at) = self.files.windows(count).position(is_it) {
            let into = Some(merged.into).filter(|into| into.entries > 0);
            self.files.splice(at..at + count, into);
        }
    }

    /// A checkpoint of this run is committed: removes what neither it nor the committed one before it nor any later
    /// one of ours needs. Before our second commit, the one before it is the one that was loaded.
    ///
    /// Nothing happens for a checkpoint that is not ours: until this run has committed, a stale one may commit what
    /// it left here.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn prune(&mut self, committed: &CheckpointId) -> Result<(), Error> {
        let is_ours = committed.run == self.run && self.own.iter().any(|own| own.seq == committed.seq);
        if !is_ours || self.committed.is_some_and(|last| last >= committed.seq) {
            return Ok(());
        }
        let before = self.committed.replace(committed.seq);
        if before.is_some() {
            self.restored.clear();
        }
        self.own.retain(|own| own.seq >= committed.seq || Some(own.seq) == before);
        let needed = self.needed();
        let unneeded: Vec<String> = self.known.iter().filter(|file| !needed.contains(file)).cloned().collect();
        for file in unneeded {
            remove_if_there(&*self.disk, &self.folder.join(&file))?;
            self.known.remove(&file);
        }
        Ok(())
    }

    /// Files that must stay: of snapshots that may be asked for, and of the next one.
    fn needed(&self) -> BTreeSet<&String> {
        let own = self.own.iter().flat_map(|own| &own.needs);
        let next = self.files.iter().map(|stored| &stored.file);
        own.chain(&self.restored).chain(next).collect()
    }

    fn write(&self, snapshot: &Snapshot) -> Result<Stored, Error> {
        let changes = snapshot.changes.sorted();
        let unfinished = snapshot.head.last().is_some_and(|&byte| byte != b'\n');
        let header = Header {
            stage: snapshot.stage.clone(),
            name: self.name.clone(),
            id: snapshot.id.to_string(),
            flags: snapshot.flags.clone(),
            head_lines: memchr::memchr_iter(b'\n', &snapshot.head).count() + usize::from(unfinished),
            after: self.files.iter().map(|stored| stored.file.clone()).collect(),
            merged: Vec::new(),
        };
        let bytes = (snapshot.head.len() + snapshot.changes.bytes()) as u64;
        write_file(&*self.disk, &self.folder, &header, bytes, &mut |to| {
            to.bytes(&snapshot.head)?;
            to.bytes(if unfinished { b"\n" } else { b"" })?;
            // Where there is nothing older, nothing can be gone from it.
            let written = changes.iter().filter(|change| !self.files.is_empty() || !change.is_removal());
            written.map(|change| change.line).try_for_each(|line| to.entry(line))
        })
    }

    /// A snapshot must be new, of this run, and come after all others of it.
    fn check_order(&self, id: &CheckpointId) -> Result<(), Error> {
        let path = self.folder.join(id.to_string());
        if self.is_broken {
            return Err(Error::damaged(&path, "not written, because the snapshot before it could not be written"));
        }
        let is_next = id.run == self.run && self.own.last().is_none_or(|own| own.seq < id.seq);
        if !is_next || names::ENDINGS.iter().any(|ending| self.known.contains(&format!("{id}{ending}"))) {
            return Err(Error::damaged(
                &path,
                format!("not written, because it is no new snapshot of run {}", self.run),
            ));
        }
        Ok(())
    }

    /// A name that no file has: this run's, and a number.
    fn name_for_merge(&mut self) -> String {
        let seq = self.own.last().map_or(0, |own| own.seq);
        loop {
            let name = format!("{}.{seq}.merged-{}", self.run, self.merges);
            if !self.known.iter().any(|file| names::stem(file) == Some(&name)) {
                return name;
            }
            self.merges += 1;
        }
    }
}
