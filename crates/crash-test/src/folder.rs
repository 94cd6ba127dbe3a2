//! Where the two runs keep what they write.

use std::fs;
use std::path::{Path, PathBuf};

use millpipe::Error;
use tempfile::TempDir;

/// The folder of `--dir`, which stays, or a temporary one, which goes unless it is kept.
pub struct Folder {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Folder {
    /// # Errors
    /// When it cannot be made, or is not empty.
    pub fn new(given: Option<&Path>) -> Result<Self, Error> {
        let Some(given) = given else {
            let made = tempfile::Builder::new().prefix("crash-test-").tempdir();
            let made = made.map_err(|e| Error::io(std::env::temp_dir().display(), &e))?;
            return Ok(Self { path: made.path().to_owned(), temporary: Some(made) });
        };
        let failed = |e| Error::io(given.display(), &e);
        fs::create_dir_all(given).map_err(failed)?;
        if fs::read_dir(given).map_err(failed)?.next().is_some() {
            let message = format!("--dir \"{}\" is not empty", given.display());
            return Err(Error::usage(message).hint("what an earlier test left there would be found by this one"));
        }
        // The script may go to another folder.
        Ok(Self { path: fs::canonicalize(given).map_err(failed)?, temporary: None })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it there.
    pub fn keep(self) -> PathBuf {
        if let Some(temporary) = self.temporary {
            return temporary.keep();
        }
        self.path
    }
}
