//! Keys of groups: see [`values::key`].

use json_fields::Field;
use values::write_canonical;

pub use values::key::{cells, compare, part, text};

use crate::job::Job;

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

/// Appends `"name":value` for each key field, with commas between them.
pub fn write_members(job: &Job, key: &[u8], out: &mut Vec<u8>) {
    for (number, (member, cell)) in job.members.iter().zip(cells(key)).enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(member);
        out.extend_from_slice(cell);
    }
}
