//! Results that say what becomes of earlier ones, and lines that say so.
//!
//! A result that was not there before is an `insert`; one that replaces another comes as a pair, the old one as
//! `update_before` and the new one as `update_after`; a `delete` is the last one of a key that has no lines any more. Each
//! is a whole row: whatever selects or maps lines one by one may stand between two aggregations.

use json_fields::Field;
use millpipe::{Fault, Out};

use crate::keys::KeyMembers;

/// The member that says what a row is.
pub const OP: &str = "op";

/// Whether a line with this change takes back an earlier one.
///
/// # Errors
/// `Bad` when it is no change.
#[inline(never)]
pub fn takes_back(op: Option<Field>, line: &[u8]) -> Result<bool, Fault> {
    match op.map(|field| field.text(line)) {
        Some(b"\"insert\"" | b"\"update_after\"") => Ok(false),
        Some(b"\"delete\"" | b"\"update_before\"") => Ok(true),
        other => Err(no_change(other)),
    }
}

#[cold]
fn no_change(op: Option<&[u8]>) -> Fault {
    match op {
        None => Fault::bad(format_args!("no field {OP:?}, which says what the line changes")),
        Some(text) => {
            let shown = String::from_utf8_lossy(&text[..text.len().min(60)]);
            Fault::bad(format_args!("field {OP:?} is not insert, update_before, update_after or delete: {shown}"))
        }
    }
}

/// What was written last of each group: the results' members.
#[derive(Debug)]
pub struct Written {
    members: KeyMembers,
    texts: Vec<Option<Box<[u8]>>>,
    /// The results now.
    new: Vec<u8>,
}

impl Written {
    pub fn new(members: KeyMembers) -> Written {
        Written { members, texts: Vec::new(), new: Vec::new() }
    }

    pub fn get(&self, id: u32) -> Option<&[u8]> {
        self.texts.get(id as usize)?.as_deref()
    }

    pub fn set(&mut self, id: u32, text: Option<Box<[u8]>>) {
        let at = id as usize;
        if at >= self.texts.len() {
            self.texts.resize_with(at + 1, || None);
        }
        self.texts[at] = text;
    }

    /// Writes what has changed of a group, whose results `write` appends. True if something has.
    pub fn write(&mut self, (id, key): (u32, &[u8]), write: impl FnOnce(&mut Vec<u8>), out: &mut Out) -> bool {
        let mut new = std::mem::take(&mut self.new);
        new.clear();
        write(&mut new);
        let is_changed = match self.get(id) {
            Some(old) if old == new => false,
            Some(old) => {
                self.write_row("update_before", key, old, out);
                self.write_row("update_after", key, &new, out);
                true
            }
            None => {
                self.write_row("insert", key, &new, out);
                true
            }
        };
        if is_changed {
            self.set(id, Some(new.as_slice().into()));
        }
        self.new = new;
        is_changed
    }

    /// The group is gone.
    pub fn delete(&mut self, (id, key): (u32, &[u8]), out: &mut Out) {
        if let Some(old) = self.get(id) {
            self.write_row("delete", key, old, out);
        }
        self.set(id, None);
    }

    fn write_row(&self, op: &str, key: &[u8], results: &[u8], out: &mut Out) {
        let line = out.buffer();
        line.extend_from_slice(b"{\"op\":\"");
        line.extend_from_slice(op.as_bytes());
        line.extend_from_slice(b"\",");
        self.members.write(key, line);
        line.extend_from_slice(results);
        line.push(b'}');
        out.end_result();
    }
}
