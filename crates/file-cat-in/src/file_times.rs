//! The times of a file, and those of its content: a copy is younger than what is in it.

use std::time::SystemTime;

use crate::found::Found;
use crate::position::Entry;

#[derive(Clone, Copy, Debug)]
pub struct FileTimes {
    /// Time of its last change when it was found.
    pub found_changed_ns: i64,
    /// Its content was changed then (nanoseconds of the epoch), or later: of a copy, that of which it is one.
    pub written_ns: Option<i64>,
    /// Time when its content was begun, as far as that is known.
    pub begun: Option<SystemTime>,
    /// Time when the file was made (nanoseconds of the epoch).
    pub born_ns: Option<i64>,
    /// The same; none for a copy of what was read before.
    pub created: Option<SystemTime>,
}

impl FileTimes {
    /// Times of a file that is no copy.
    pub fn of(found: &Found) -> Self {
        Self {
            found_changed_ns: found.stamp.changed_ns,
            written_ns: Some(found.stamp.changed_ns),
            begun: found.created,
            born_ns: found.born_ns(),
            created: found.created,
        }
    }

    /// Times of a file that may be a copy: nothing is known of its content.
    pub fn of_copy(found: &Found) -> Self {
        Self { created: None, begun: None, written_ns: None, ..Self::of(found) }
    }

    /// Times of a file of a position, found again by its number.
    pub fn restored(found: &Found, entry: &Entry) -> Self {
        let created = found.created.filter(|_| !entry.remade);
        Self { created, begun: created, written_ns: entry.written_ns(), ..Self::of(found) }
    }

    /// Returns it with the times of its content from a position.
    pub fn with_content_of(self, entry: &Entry) -> Self {
        Self { written_ns: entry.written_ns(), begun: entry.begun(), ..self }
    }
}
