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

/// Sorted files, read as one.
pub(crate) struct NewestWins {
    cursors: BinaryHeap<Box<Cursor>>,
    /// The key of the current entry, as JSON text.
    current_key: Vec<u8>,
    /// What was in the files that are read, in their order.
    read: Vec<Option<Stored>>,
}

impl NewestWins {
    /// Takes the files oldest first.
    pub fn new(files: Vec<FileReader>) -> Result<Self, Error> {
        let cursors = BinaryHeap::with_capacity(files.len());
        let mut this = Self { cursors, current_key: Vec::new(), read: vec![None; files.len()] };
        for (age, mut reader) in files.into_iter().enumerate() {
            if reader.advance()? {
                this.cursors.push(Box::new(Cursor { reader, age }));
            } else {
                this.read[age] = Some(reader.stored());
            }
        }
        Ok(this)
    }

    /// Each key's newest entry, in the order of keys, also when that says that the key is gone.
    pub fn next(&mut self) -> Result<Option<&FileReader>, Error> {
        while let Some(mut cursor) = self.cursors.peek_mut() {
            if cursor.reader.key_text() != self.current_key {
                break;
            }
            if !cursor.reader.advance()? {
                let cursor = PeekMut::pop(cursor);
                self.read[cursor.age] = Some(cursor.reader.stored());
            }
        }
        let Some(cursor) = self.cursors.peek() else { return Ok(None) };
        self.current_key.clear();
        self.current_key.extend_from_slice(cursor.reader.key_text());
        Ok(Some(&cursor.reader))
    }

    /// What the last [`NewestWins::next`] gave.
    pub fn current(&self) -> Option<&FileReader> {
        self.cursors.peek().map(|cursor| &cursor.reader)
    }

    /// What was in the files that were read to their end, oldest first.
    pub fn into_read(self) -> Vec<Stored> {
        self.read.into_iter().flatten().collect()
    }
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
