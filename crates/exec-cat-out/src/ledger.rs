//! What is committed, and whether the command has had it.

use std::io::{ErrorKind, Read};
use std::path::Path;

use checkpoint::{CheckpointId, Disk, publish};
use millpipe::Error;
use serde::{Deserialize, Serialize};

/// The last commit, as one line of JSON that is replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    id: String,
    pub bytes: u64,
    /// The command has ended well with it.
    pub given: bool,
}

impl Ledger {
    pub fn new(id: &CheckpointId, bytes: u64, given: bool) -> Self {
        Self { id: id.to_string(), bytes, given }
    }

    /// # Errors
    /// When it is there and no ledger of ours.
    pub fn load(disk: &dyn Disk, path: &Path) -> Result<Option<Self>, Error> {
        let mut from = match disk.read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            from => from.map_err(|error| Error::io(path.display(), &error))?,
        };
        let mut text = Vec::new();
        from.read_to_end(&mut text).map_err(|error| Error::io(path.display(), &error))?;
        let ledger: Option<Self> = serde_json::from_slice(&text).ok();
        match ledger.filter(|ledger| ledger.id().is_some()) {
            None => {
                Err(Error::data(format_args!("{}: damaged: it should be the line that was written", path.display())))
            }
            ledger => Ok(ledger),
        }
    }

    /// Replaces what is there, durably.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn publish(&self, disk: &dyn Disk, path: &Path) -> Result<(), Error> {
        let line =
            serde_json::to_string(self).map_err(|error| Error::data(format_args!("{}: {error}", path.display())))?;
        Ok(publish(disk, path, &mut |to| writeln!(to, "{line}"))?)
    }

    pub fn id(&self) -> Option<CheckpointId> {
        self.id.parse().ok()
    }
}
