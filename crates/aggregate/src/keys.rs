//! Keys of groups: see [`values::key`].

use json_fields::{Field, write_string};
use values::write_canonical;

pub use values::key::{cells, compare, part, text};

/// Puts the key of a line into `key`.
#[inline]
pub fn read(fields: &[Option<Field>], line: &[u8], key: &mut Vec<u8>) {
    key.clear();
    for (number, field) in fields.iter().enumerate() {
        if number > 0 {
            key.push(b'\n');
        }
        write_canonical(field.as_ref(), line, key);
    }
}

/// The names of the key's fields in a result.
#[derive(Clone, Debug, Default)]
pub struct KeyMembers {
    /// `"name":` of each.
    members: Vec<Vec<u8>>,
}

impl KeyMembers {
    pub fn new(names: impl Iterator<Item = String>) -> KeyMembers {
        let member = |name: String| {
            let mut text = Vec::new();
            write_string(&name, &mut text);
            text.push(b':');
            text
        };
        KeyMembers { members: names.map(member).collect() }
    }

    /// Appends `"name":value,` for each key field.
    pub fn write(&self, key: &[u8], out: &mut Vec<u8>) {
        for (member, cell) in self.members.iter().zip(cells(key)) {
            out.extend_from_slice(member);
            out.extend_from_slice(cell);
            out.push(b',');
        }
    }
}
