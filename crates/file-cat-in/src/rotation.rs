//! The names under which rotation keeps old files, and what is found under them.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::bookmark::{Bookmark, Fit, Trace};
use crate::content::Content;
use crate::found::{FileId, Found};

const COMPRESSED: [&str; 2] = [".gz", ".zst"];

/// True for `app.log.1`, `app.log.2.gz`, `app.log-20260131`, `app.log.2026-01-31T12`, `app.log.gz`, if the path is of an
/// `app.log`.
fn is_rotated_name(path: &Path, name: &OsStr) -> bool {
    let rotated = || {
        let rest = name.to_str()?.strip_prefix(path.file_name()?.to_str()?)?;
        let counted = COMPRESSED.iter().find_map(|ending| rest.strip_suffix(ending)).unwrap_or(rest);
        let is_count = counted.strip_prefix(['.', '-', '_']).is_some_and(|count| {
            count.bytes().all(|byte| byte.is_ascii_digit() || b".-_:TZ".contains(&byte))
                && count.bytes().any(|byte| byte.is_ascii_digit())
        });
        Some(is_count || (counted.is_empty() && !rest.is_empty()))
    };
    rotated().unwrap_or(false)
}

/// A compressed copy of one file keeps its name but for the ending.
pub fn is_compressed_name(path: &Path, of: &Path) -> bool {
    let name = path.as_os_str().to_string_lossy();
    COMPRESSED.iter().any(|ending| name.strip_suffix(ending).is_some_and(|stem| of.as_os_str() == stem))
}

pub fn has_compressed_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz" || extension == "zst")
}

/// The file with this number, in the same folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn by_id(path: &Path, id: FileId) -> io::Result<Option<Found>> {
    Ok(Found::all_beside(path)?.into_iter().find(|found| found.id == id))
}

/// Old files of this path.
///
/// # Errors
/// When the folder cannot be read.
pub fn siblings(path: &Path) -> io::Result<Vec<Found>> {
    let mut files = Found::all_beside(path)?;
    files.retain(|found| found.path.file_name().is_some_and(|name| is_rotated_name(path, name)));
    Ok(files)
}

/// Old files of this path that were written after another one of it: it was rotated more than once while nobody
/// looked. The oldest first.
///
/// # Errors
/// When the folder cannot be read.
pub fn newer(path: &Path, changed_ns: i64, created: Option<SystemTime>) -> io::Result<Vec<Found>> {
    let is_newer = |found: &Found| {
        found.stamp.changed_ns >= changed_ns
            // One that is older may have been written to for longer.
            && found.created.zip(created).is_none_or(|(theirs, ours)| theirs >= ours)
    };
    let mut files = siblings(path)?;
    files.retain(is_newer);
    files.sort_by(|a, b| (a.stamp.changed_ns, &a.path).cmp(&(b.stamp.changed_ns, &b.path)));
    Ok(files)
}

/// The old file of this path that has what was read of another: a copy, perhaps compressed, that may go on behind it.
///
/// # Errors
/// When the folder cannot be read.
pub fn copy(path: &Path, bookmark: &Bookmark, except: FileId) -> io::Result<Option<(Found, Content, Trace)>> {
    if bookmark.offset == 0 {
        return Ok(None);
    }
    for found in siblings(path)? {
        if found.id != except
            && let Some((content, trace)) = fit(&found, bookmark)
        {
            return Ok(Some((found, content, trace)));
        }
    }
    Ok(None)
}

/// Opens a file at a bookmark, if it has it. One that cannot be read has it not.
pub fn fit(found: &Found, bookmark: &Bookmark) -> Option<(Content, Trace)> {
    let content = Content::open(&found.path, true).ok()?;
    match bookmark.find_in(content).ok()? {
        Fit::Here(content, trace) => Some((*content, trace)),
        Fit::Shorter(_) | Fit::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files_are_told_from_others() {
        let path = Path::new("logs/app.log");
        for name in
            ["app.log.1", "app.log.12.gz", "app.log-20260131", "app.log.2026-01-31T12.zst", "app.log.gz", "app.log_3"]
        {
            assert!(is_rotated_name(path, OsStr::new(name)), "{name}");
        }
        for name in
            ["app.log", "app.log.bak", "app.log1", "application.log.1", "app.log.", "app.log.tmp.gz", "app-2026.log"]
        {
            assert!(!is_rotated_name(path, OsStr::new(name)), "{name}");
        }
        assert!(is_compressed_name(Path::new("l/a.1.gz"), Path::new("l/a.1")));
        assert!(!is_compressed_name(Path::new("l/a.2.gz"), Path::new("l/a.1")));
    }
}
