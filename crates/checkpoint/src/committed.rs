//! `DIR/committed`: a copy of what the sink says is committed.

use std::path::Path;

use crate::{CheckpointId, Disk, Error};

/// The last committed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub id: CheckpointId,
    /// Where the truth is: `kafka`, `files`, `command`.
    pub sink: String,
    /// The folders of the stages that have a snapshot in it.
    pub snapshots: Vec<String>,
    /// When, RFC 3339; for people.
    pub at: String,
}

/// # Errors
/// When it is there and cannot be read.
pub fn read_committed(_disk: &dyn Disk, _dir: &Path) -> Result<Option<Committed>, Error> {
    unimplemented!()
}

/// # Errors
/// When it cannot be written.
pub fn write_committed(_disk: &dyn Disk, _dir: &Path, _committed: &Committed) -> Result<(), Error> {
    unimplemented!()
}
