//! One pipe at a time.

use std::fs::File;
use std::path::Path;

use crate::Error;

/// An exclusive lock on a file that holds the owner's pid. Gone with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// # Errors
    /// `InUse` with the holder's pid.
    pub fn take(_path: &Path) -> Result<Self, Error> {
        unimplemented!()
    }
}
