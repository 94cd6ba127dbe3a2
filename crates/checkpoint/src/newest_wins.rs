//! Several sorted files as one: of each key the newest file's entry.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::Error;
use crate::file_reader::FileReader;
use crate::file_writer::Stored;

/// A file at its current entry; the greatest in a heap is the one to take next.
struct Cursor {
    reader: FileReader,
    /// Its place among the files; a greater one is newer.
    age: usize,
}

/// Gives each key's newest entry, in the order of keys, also when that says that the key is gone. Takes the files
/// oldest first, and says what was in them.
pub(crate) fn newest_wins<E: From<Error>>(
    readers: Vec<FileReader>,
    take: &mut dyn FnMut(&FileReader) -> Result<(), E>,
) -> Result<Vec<Stored>, E> {
    let mut read = vec![None; readers.len()];
    let mut cursors = BinaryHeap::with_capacity(readers.len());
    for (age, mut reader) in readers.into_iter().enumerate() {
        if reader.advance()? {
            cursors.push(Box::new(Cursor { reader, age }));
        } else {
            read[age] = Some(reader.stored());
        }
    }
    let mut taken = Vec::new();
    while let Some(mut cursor) = cursors.peek_mut() {
        if cursor.reader.key_text() != taken.as_slice() {
            taken.clear();
            taken.extend_from_slice(cursor.reader.key_text());
            take(&cursor.reader)?;
        }
        if !cursor.reader.advance()? {
            let cursor = PeekMut::pop(cursor);
            read[cursor.age] = Some(cursor.reader.stored());
        }
    }
    Ok(read.into_iter().flatten().collect())
}

impl Ord for Cursor {
    fn cmp(&self, other: &Self) -> Ordering {
        other.reader.key_text().cmp(self.reader.key_text()).then(self.age.cmp(&other.age))
    }
}

impl PartialOrd for Cursor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Cursor {}
