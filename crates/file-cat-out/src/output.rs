//! What parts and a single file have in common.

use std::path::Path;

use checkpoint::{CheckpointId, Disk};
use millpipe::{Error, Fault};

use crate::manifest::Manifest;

/// A place for lines. Several of them can have one manifest, and so one commit.
pub trait Output: Send {
    /// The folder for the lock on this output, if it needs one of its own.
    fn lock_folder(&self) -> Option<&Path>;

    /// The folder that parts become visible in; none where there are no parts.
    fn folder_of_parts(&self) -> Option<&Path>;

    /// Goes back to what the manifest says; what it does not know was never committed. `run` makes names unique.
    /// `goes_on`: a part outlives commits.
    ///
    /// # Errors
    /// When what is committed is not there.
    fn recover(&mut self, disk: &dyn Disk, manifest: &Manifest, run: &str, goes_on: bool) -> Result<(), Error>;

    /// Takes a line, without its newline.
    ///
    /// # Errors
    /// `Bad` when it cannot be taken.
    fn line(&mut self, disk: &dyn Disk, line: &[u8], now_ms: i64) -> Result<(), Fault>;

    /// Makes all lines durable, and says in the manifest what is to be known of them: it is about to be published.
    ///
    /// # Errors
    /// When the disk does not take it.
    fn seal(&mut self, disk: &dyn Disk, epoch: &Epoch, manifest: &mut Manifest) -> Result<(), Error>;

    /// The manifest is published.
    fn sealed(&mut self);

    /// As [`millpipe::Sink::remark`].
    fn remark(&self) -> Option<String> {
        None
    }
}

/// A commit that is about to be.
pub struct Epoch {
    /// It gives names to parts.
    pub id: CheckpointId,
    pub now_ms: i64,
    /// Every part becomes visible.
    pub is_last: bool,
}
