//! Where a sink keeps files: a disk, and the locks on it.

use std::path::Path;
use std::sync::Arc;

use crate::{Disk, Error, Lock};

/// Takes the lock that is a file; it is held as long as the answer lives.
pub type TakeLock = Box<dyn Fn(&Path) -> Result<Box<dyn Send>, Error> + Send>;

/// A disk and its locks: the computer's own, or those of a simulation.
pub struct Storage {
    pub disk: Arc<dyn Disk>,
    pub lock: TakeLock,
}

impl Storage {
    /// A disk of this computer, with the system's locks.
    pub fn on(disk: impl Disk + 'static) -> Self {
        Self { disk: Arc::new(disk), lock: Box::new(|path| Ok(Box::new(Lock::take(path)?))) }
    }
}
