//! Writes files so that a reader sees the old one or the new one, never a part.

use std::fs;
use std::path::{Path, PathBuf};

use millpipe::Error;

/// Writes a file: into a temporary one beside it, which then takes its name. What is no regular file (`/dev/stderr`, a pipe) is written to
/// as it is.
///
/// # Errors
/// Those of the disk, with the file's name.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |e: std::io::Error| Error::io(path.display(), &e);
    if path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return fs::write(path, bytes).map_err(failed);
    }
    let temporary = temporary(path);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    written.inspect_err(|_| drop(fs::remove_file(&temporary))).map_err(failed)
}

/// Checks before the first line that the file can be written.
///
/// # Errors
/// When its folder does not exist or cannot be written to, or the name is that of a folder.
pub fn check(path: &Path) -> Result<(), Error> {
    let failed = |e: std::io::Error| Error::io(path.display(), &e);
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(failed(std::io::ErrorKind::IsADirectory.into())),
        Ok(metadata) if !metadata.is_file() => Ok(()),
        _ => {
            let temporary = temporary(path);
            fs::write(&temporary, b"").and_then(|()| fs::remove_file(&temporary)).map_err(failed)
        }
    }
}

fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
