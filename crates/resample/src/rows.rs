//! The rows that are written.

use event_time::write_rfc3339;
use json_fields::write_string;
use millpipe::Out;
use values::{Number, key};

use crate::fill::{Filled, Row};

/// The member that says that a row, or which of its members, are not from lines of their step.
pub const FILLED: &str = "filled";

/// Writes rows: the key, the start of the step, the values, and what is filled.
pub struct Rows {
    /// Each as `"name":`.
    by: Vec<Vec<u8>>,
    time: Vec<u8>,
    values: Vec<Vec<u8>>,
}

impl Rows {
    /// Takes the names of members.
    pub fn new(by: &[String], time: &str, values: &[String]) -> Rows {
        let members = |names: &[String]| names.iter().map(|name| member(name)).collect();
        Rows { by: members(by), time: member(time), values: members(values) }
    }

    /// Writes a row.
    pub fn write(&mut self, key: &[u8], row: &Row<'_>, out: &mut Out) {
        let buffer = out.buffer();
        buffer.push(b'{');
        for (name, cell) in self.by.iter().zip(key::cells(key)) {
            buffer.extend_from_slice(name);
            buffer.extend_from_slice(cell);
            buffer.push(b',');
        }
        buffer.extend_from_slice(&self.time);
        buffer.push(b'"');
        write_rfc3339(row.start_ms, buffer);
        buffer.push(b'"');
        for (name, value) in self.values.iter().zip(row.values) {
            buffer.push(b',');
            buffer.extend_from_slice(name);
            write_value(value.as_ref(), buffer);
        }
        self.write_filled(&row.filled, buffer);
        buffer.push(b'}');
        out.end_result();
    }

    fn write_filled(&self, filled: &Filled<'_>, buffer: &mut Vec<u8>) {
        match filled {
            Filled::All => buffer.extend_from_slice(format!(",\"{FILLED}\":true").as_bytes()),
            Filled::Some(filled) => {
                let names = self.values.iter().zip(*filled).filter(|(_, filled)| **filled);
                let names: Vec<&[u8]> = names.filter_map(|(name, _)| name.strip_suffix(b":")).collect();
                if !names.is_empty() {
                    buffer.extend_from_slice(format!(",\"{FILLED}\":[").as_bytes());
                    buffer.extend_from_slice(&names.join(&b','));
                    buffer.push(b']');
                }
            }
        }
    }
}

fn member(name: &str) -> Vec<u8> {
    let mut text = Vec::new();
    write_string(name, &mut text);
    text.push(b':');
    text
}

fn write_value(value: Option<&Number>, buffer: &mut Vec<u8>) {
    match value {
        Some(number) => number.write(buffer),
        None => buffer.extend_from_slice(b"null"),
    }
}
