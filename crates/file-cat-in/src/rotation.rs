//! The names under which rotation keeps old files, and what is found under them.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::bookmark::{Bookmark, Fit, Trace};
use crate::content::{Content, Limits};
use crate::found::{FileId, Found};

/// By so many bytes two files are told from each other.
const START_BYTES: usize = 256;

const COMPRESSED: [&str; 2] = [".gz", ".zst"];

/// True for `app.log.1`, `app.log.2.gz`, `app.log-20260131`, `app.log.2026-01-31T12`, `app.log.gz`, and with the ending
/// last for `app.1.log`, `app-2026-01-31.log`, `app-20260131.log.gz`, if the path is of an `app.log`.
fn is_rotated_name(path: &Path, name: &OsStr) -> bool {
    count_of(path, name).is_some()
}

/// The number or time in a rotated name of this path, behind what divides it from the name; empty for `app.log.gz`.
pub fn count_of(path: &Path, name: &OsStr) -> Option<String> {
    let (of, name) = (path.file_name()?.to_string_lossy(), name.to_string_lossy());
    let plain = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    if let Some(count) = plain.strip_prefix(&*of) {
        return ((count.is_empty() && plain != name) || is_count(count)).then(|| count.to_owned());
    }
    let (stem, ending) = of.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?;
    let count = plain.strip_suffix(ending)?.strip_suffix('.')?.strip_prefix(stem)?;
    // app-1.log may be the log of a first app.
    let is_rotated = is_count(count) && (count.starts_with('.') || is_date(&count[1..]));
    is_rotated.then(|| count.to_owned())
}

/// A number or a time, and what divides it from the name.
fn is_count(text: &str) -> bool {
    text.strip_prefix(['.', '-', '_']).is_some_and(|count| {
        count.bytes().all(|byte| byte.is_ascii_digit() || b".-_:TZ".contains(&byte))
            && count.bytes().any(|byte| byte.is_ascii_digit())
    })
}

/// Begins with the year and the month of a date.
pub fn is_date(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    digits.len() >= 6 && [&b"19"[..], b"20"].iter().any(|century| text.as_bytes().starts_with(century))
}

/// A compressed copy of one file keeps its name but for the ending.
pub fn is_compressed_name(path: &Path, of: &Path) -> bool {
    let name = path.as_os_str().to_string_lossy();
    COMPRESSED.iter().any(|ending| name.strip_suffix(ending).is_some_and(|stem| of.as_os_str() == stem))
}

pub fn has_compressed_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz" || extension == "zst")
}

/// The name of what a compressed file was made of; none for another one.
pub fn uncompressed(path: &Path) -> Option<PathBuf> {
    has_compressed_name(path).then(|| path.with_extension(""))
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

/// Opens a file at a bookmark, if it has it. Of a bookmark at the start of a file, what came after it tells.
pub fn fit_with(found: &Found, bookmark: &Bookmark, next: &[u8], limits: Limits) -> Option<(Content, Trace)> {
    let (mut content, trace) = fit(found, bookmark, limits)?;
    if !goes_on_with(&mut content, bookmark, next) {
        return None;
    }
    if bookmark.offset == 0 {
        content.restart();
    }
    Some((content, trace))
}

/// Whether a content that stands at a bookmark goes on so. It is asked at its start only.
pub fn goes_on_with(content: &mut Content, bookmark: &Bookmark, next: &[u8]) -> bool {
    let mut start = vec![0; next.len()];
    bookmark.offset > 0 || content.read_full(&mut start).is_ok_and(|length| start[..length] == *next)
}

/// Opens a file at a bookmark, if it has it. One that cannot be read has it not.
pub fn fit(found: &Found, bookmark: &Bookmark, limits: Limits) -> Option<(Content, Trace)> {
    let content = Content::open(&found.path, true, limits).ok()?;
    match bookmark.find_in(content).ok()? {
        Fit::Here(content, trace) => Some((*content, trace)),
        Fit::Shorter(_) | Fit::Short(_) | Fit::Other => None,
    }
}

/// The first bytes of a file.
///
/// # Errors
/// When it cannot be read.
pub fn start_of(path: &Path, limits: Limits) -> io::Result<Vec<u8>> {
    let mut start = vec![0; START_BYTES];
    let length = Content::open(path, true, limits)?.read_full(&mut start)?;
    start.truncate(length);
    Ok(start)
}

/// Whether a file begins as another one, of which this is the start, as far as both go: a copy may still be written. A
/// compressed one is no such copy, so it ends with a line if it is only shorter.
pub fn shares_start(path: &Path, start: &[u8], limits: Limits) -> bool {
    let theirs = start_of(path, limits).unwrap_or_default();
    let length = theirs.len().min(start.len());
    let is_cut = !has_compressed_name(path) || theirs.len() >= start.len() || theirs.ends_with(b"\n");
    length > 0 && theirs[..length] == start[..length] && is_cut
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
    }

    #[test]
    fn the_number_or_date_of_a_rotated_file_may_stand_before_its_ending() {
        let path = Path::new("logs/app.log");
        for name in [
            "app.1.log",
            "app.12.log.gz",
            "app-2026-06-10.log",
            "app-20260610.log.zst",
            "app_2026-06.log",
            "app.2026-06-10.0.log",
            "app-2026-06-10T12:00.log",
        ] {
            assert!(is_rotated_name(path, OsStr::new(name)), "{name}");
        }
        for name in ["app-1.log", "app-2.log.gz", "app.old.log", "app1.log", "app..log", "app-99.log", "app-20.log"] {
            assert!(!is_rotated_name(path, OsStr::new(name)), "{name}: the log of another one");
        }
        assert!(!is_rotated_name(Path::new("app"), OsStr::new("app.log")));
        assert!(is_rotated_name(Path::new("app"), OsStr::new("app-20260610")));

        assert!(is_compressed_name(Path::new("l/a.1.gz"), Path::new("l/a.1")));
        assert!(!is_compressed_name(Path::new("l/a.2.gz"), Path::new("l/a.1")));
    }
}
