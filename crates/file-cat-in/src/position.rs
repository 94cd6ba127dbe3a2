//! A position as text, for people too.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::bookmark::Bookmark;
use crate::found::{FileId, Stamp};
use crate::unfinished_line::LineState;

/// `{"turn":"a.log","files":[…]}`
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The part whose turn it is.
    pub turn: String,
    /// By part, in the order in which they are read.
    pub files: Vec<Entry>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub part: String,
    /// Under which name it was found first.
    pub path: String,
    /// Where it was last seen, if that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    pub dev: u64,
    pub ino: u64,
    /// When the file was made (nanoseconds of the epoch), where the file system says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<i64>,
    #[serde(flatten)]
    pub bookmark: Bookmark,
    /// Nothing was read, and then it was last changed (nanoseconds of the epoch): no content tells where it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_since: Option<i64>,
    /// What was read was last changed then (nanoseconds of the epoch), or later, where no other time says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<i64>,
    /// In the middle of a line that is too long, and was told.
    #[serde(default, skip_serializing_if = "is_false")]
    pub skipping: bool,
    /// All that was there was read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub end: bool,
    /// What is left is an unfinished line.
    #[serde(default, skip_serializing_if = "is_false")]
    pub torn: bool,
    /// That line: it is not lost with its file.
    #[serde(flatten)]
    pub left: Left,
    /// The last line was taken without its newline.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unended: bool,
    /// It was renamed or deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub departed: bool,
    /// The file is younger than what is in it: copied or compressed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub remade: bool,
    /// It is a copy of another one, and never read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub copy: bool,
    /// Read to the end when it was so: nothing is to be read unless this has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Stamp>,
}

/// Bytes as text, if they are UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_base64: Option<String>,
}

impl Left {
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok("") => Self::default(),
            Ok(text) => Self { left: Some(text.to_owned()), left_base64: None },
            Err(_) => Self { left: None, left_base64: Some(STANDARD.encode(bytes)) },
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Nothing where nothing was left, or more than is kept.
    pub fn bytes(&self) -> Vec<u8> {
        match (&self.left, &self.left_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(encoded)) => STANDARD.decode(encoded).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Entry {
    /// State of the line at the place.
    pub fn line_state(&self) -> LineState {
        LineState { is_skipping: self.skipping, took_unfinished: self.unended }
    }

    /// What was read was last changed then (nanoseconds of the epoch), or later.
    pub fn written_ns(&self) -> Option<i64> {
        // The time of a copy is its own.
        let is_copy = self.remade || self.copy;
        let seen = self.finished.map(|stamp| stamp.changed_ns).or(self.unread_since);
        self.written.or(seen.filter(|_| !is_copy))
    }

    /// When the file was made, if it is no copy.
    pub fn begun(&self) -> Option<SystemTime> {
        let born_ns = self.born.filter(|_| !self.remade && !self.copy)?;
        Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(born_ns).ok()?))
    }

    pub fn id(&self) -> FileId {
        FileId { dev: self.dev, ino: self.ino }
    }

    /// Path by which it was found first.
    pub fn path(&self) -> PathBuf {
        path(&self.path)
    }

    /// Path by which it was last seen.
    pub fn last_seen(&self) -> PathBuf {
        path(self.now.as_ref().unwrap_or(&self.path))
    }
}

/// A path that is not UTF-8 begins so, and then has its bytes in base64.
const IN_BASE64: &str = "base64:";

/// Returns a path as a position has it.
pub fn path_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.starts_with(IN_BASE64) => text.to_owned(),
        _ => format!("{IN_BASE64}{}", STANDARD.encode(path.as_os_str().as_bytes())),
    }
}

fn path(text: &str) -> PathBuf {
    let bytes = text.strip_prefix(IN_BASE64).and_then(|encoded| STANDARD.decode(encoded).ok());
    bytes.map_or_else(|| PathBuf::from(text), |bytes| PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_bytes_comes_through_its_text() {
        for bytes in [&b"a/b.log"[..], b"caf\xe9.log", "caf\u{e9}".as_bytes(), b"base64:YQ=="] {
            let given = PathBuf::from(OsString::from_vec(bytes.to_vec()));
            assert_eq!(path(&path_text(&given)), given);
        }
        assert_eq!(path_text(Path::new("a/b.log")), "a/b.log");
    }
}
