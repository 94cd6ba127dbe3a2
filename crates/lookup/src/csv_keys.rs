//! Keys of a CSV: texts, without types.
//!
//! A string of a line is equal to a cell with the same text: `"1.10"` to 1.10, and not to 1.1. A number is equal to every
//! cell that is a number of this value. So rows are kept by text; a number is looked for in its canonical text, as nearly
//! all are written, and then among the keys that are written another way.

use keyed_state::{Keyed, hash};
use values::key::cells;
use values::write_canonical_number;

/// The keys of a table with numbers that are not in their canonical text, like 1.10, by their value.
#[derive(Debug, Default)]
pub struct OtherSpellings {
    /// Numbers of keys, in the order of the table.
    keys: Keyed<Vec<u32>>,
    value: Vec<u8>,
    text: Vec<u8>,
}

impl OtherSpellings {
    /// Takes a new key of the table, if it is one of them.
    pub fn add(&mut self, key: &[u8], id: u32) {
        self.value.clear();
        write_value(key, &mut self.value);
        self.text.clear();
        write_text(&self.value, &mut self.text);
        if self.text == key {
            return;
        }
        let hash = hash(&self.value);
        match self.keys.find(&self.value, hash) {
            Some(value) => self.keys.change(value).push(id),
            None => drop(self.keys.insert(&self.value, hash, vec![id])),
        }
    }

    /// The keys that may be equal to that of a line: their numbers are, their strings are to be compared.
    pub fn like(&self, key: &[u8]) -> &[u32] {
        if self.keys.is_empty() {
            return &[];
        }
        let mut value = Vec::new();
        write_value(key, &mut value);
        self.keys.find(&value, hash(&value)).map_or(&[], |id| self.keys.get(id))
    }
}

/// All values of a line's key are strings.
pub fn is_text(key: &[u8]) -> bool {
    cells(key).all(|cell| cell.first() == Some(&b'"'))
}

/// The strings of a line's key are cells of this key of a table.
pub fn has_strings(key: &[u8], of: &[u8]) -> bool {
    cells(of).zip(cells(key)).all(|(wanted, cell)| wanted.first() != Some(&b'"') || wanted == cell)
}

/// Appends a key with its numbers as texts.
pub fn write_text(key: &[u8], out: &mut Vec<u8>) {
    write_cells(key, out, |cell, out| match cell {
        [b'-' | b'0'..=b'9', ..] => {
            out.push(b'"');
            out.extend_from_slice(cell);
            out.push(b'"');
        }
        _ => out.extend_from_slice(cell),
    });
}

/// Appends a key with numbers for its texts that are JSON numbers.
fn write_value(key: &[u8], out: &mut Vec<u8>) {
    write_cells(key, out, |cell, out| match cell {
        [b'"', text @ .., b'"'] => {
            if !write_canonical_number(text, out) {
                out.extend_from_slice(cell);
            }
        }
        _ => out.extend_from_slice(cell),
    });
}

fn write_cells(key: &[u8], out: &mut Vec<u8>, write: impl Fn(&[u8], &mut Vec<u8>)) {
    for (number, cell) in cells(key).enumerate() {
        if number > 0 {
            out.push(b'\n');
        }
        write(cell, out);
    }
}
