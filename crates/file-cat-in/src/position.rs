//! A position as text, for people too.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bookmark::Bookmark;
use crate::found::{FileId, Stamp};
use crate::piece::Piece;

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
    #[serde(flatten)]
    pub bookmark: Bookmark,
    /// Nothing was read, and then it was last changed (nanoseconds of the epoch): no content tells where it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_since: Option<i64>,
    /// In the middle of a line that is too long, and was told.
    #[serde(default, skip_serializing_if = "is_false")]
    pub skipping: bool,
    /// All that was there was read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub end: bool,
    /// What is left is an unfinished line.
    #[serde(default, skip_serializing_if = "is_false")]
    pub torn: bool,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Entry {
    pub fn of(part: &str, piece: &Piece) -> Self {
        Self {
            part: part.to_owned(),
            path: text(&piece.named),
            now: (piece.path != piece.named).then(|| text(&piece.path)),
            dev: piece.id.dev,
            ino: piece.id.ino,
            bookmark: piece.bookmark(),
            unread_since: (piece.offset() == 0).then_some(piece.found_changed_ns),
            skipping: piece.is_skipping,
            end: piece.at_end,
            torn: piece.is_torn,
            departed: piece.has_departed,
            remade: piece.created.is_none(),
            copy: piece.is_copy,
            finished: piece.closed_as,
        }
    }

    pub fn id(&self) -> FileId {
        FileId { dev: self.dev, ino: self.ino }
    }

    /// Where it was last seen.
    pub fn last_seen(&self) -> &str {
        self.now.as_ref().unwrap_or(&self.path)
    }
}

/// A name that is no UTF-8 is not found by it, but by its number.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
