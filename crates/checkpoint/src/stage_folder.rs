//! The snapshots of one stage.

use std::path::Path;
use std::sync::Arc;

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

/// A piece of a snapshot that is loaded.
pub enum Part<'a> {
    /// First, once.
    Head(&'a [u8]),
    /// Each key that is there, once, in the order of keys.
    Entry { key: &'a str, value: &'a [u8] },
}

/// The folder of one stage, in one run.
pub struct StageFolder {}

impl StageFolder {
    /// Opens `DIR/NAME` (made at the first save). Notes which files are there: these are of older runs, and may be
    /// pruned one day; what comes there later and is not ours belongs to a younger run, and is never touched.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn open(_disk: Arc<dyn Disk>, _dir: &Path, _name: &str, _run: &str) -> Result<Self, Error> {
        unimplemented!()
    }

    /// Loads a snapshot of any run; `save` goes on from it.
    ///
    /// # Errors
    /// `Missing`, `Damaged`, `OtherFlags`, or what `take` says. Every byte is checked before the first part is given? No:
    /// while parts are given; after an error what was taken is worth nothing.
    pub fn load<E: From<Error>>(
        &mut self,
        _id: &CheckpointId,
        _flags: &str,
        _take: &mut dyn FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        unimplemented!()
    }

    /// Writes a snapshot, durably.
    ///
    /// # Errors
    /// When it cannot be written; no damage is done.
    pub fn save(&mut self, _snapshot: Snapshot) -> Result<(), Error> {
        unimplemented!()
    }

    /// Files that should become one: done by anybody, at any time, beside further saves.
    pub fn merge_due(&mut self) -> Option<Merge> {
        unimplemented!()
    }

    /// The merge is done: later snapshots build on it.
    pub fn merged(&mut self, _merged: Merged) {
        unimplemented!()
    }

    /// A checkpoint of this run is committed: removes what neither it nor the committed one before it nor any later
    /// one of ours needs.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn prune(&mut self, _committed: &CheckpointId) -> Result<(), Error> {
        unimplemented!()
    }
}

/// Files to merge.
pub struct Merge {}

/// What a [`Merge`] gave.
pub struct Merged {}

impl Merge {
    /// # Errors
    /// When a file cannot be read or written.
    pub fn run(self) -> Result<Merged, Error> {
        unimplemented!()
    }
}
