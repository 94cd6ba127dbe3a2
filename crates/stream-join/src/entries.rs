//! What a checkpoint has of a join: an entry for each row, called by the number of its line, its side and its key.

use std::io::Write;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bodies::{body, write_object};
use crate::job::{Bound, Job};
use crate::pairings::Names;
use crate::rows::{NewRow, Row, flag};
use crate::side::Side;
use crate::span::Span;

/// An entry's value.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    time_ms: i64,
    until_ms: Option<i64>,
    #[serde(default)]
    matched: bool,
    #[serde(default)]
    twin: bool,
    #[serde(borrow)]
    line: Option<&'a RawValue>,
}

/// Returns the name of a row's entry. Numbers sort as lines came. The key says where the row belongs, if the state is divided.
pub fn name(row: &Row, key: &[u8]) -> String {
    format!("{:016}-{}|{}", row.sequence(), row.side(), values::key::text(key))
}

/// Reads an entry; none if it is damaged. The names of its members are not known yet.
pub fn read<'a>(name: &'a str, value: &'a [u8]) -> Option<NewRow<'a>> {
    let (row, key) = name.split_once('|')?;
    let (sequence, side) = row.split_once('-')?;
    let side = match side {
        "left" => Side::Left,
        "right" => Side::Right,
        _ => return None,
    };
    let sequence = sequence.parse().ok()?;
    let entry: Entry<'_> = serde_json::from_slice(value).ok()?;
    let line = entry.line.map_or("", RawValue::get).as_bytes();
    let mut flags = if entry.matched { flag::MATCHED | flag::USED } else { 0 };
    flags |= if entry.twin { flag::TWIN } else { 0 };
    Some(NewRow {
        side,
        sequence,
        flags,
        key: key.as_bytes(),
        span: Span { time: entry.time_ms, until: entry.until_ms.unwrap_or(i64::MAX - 1) },
        names: Names::UNKNOWN,
        body: if line.is_empty() { line } else { body(line, 1) },
    })
}

/// Which parts of a row the values of a join's entries have.
#[derive(Clone, Copy, Debug)]
pub struct EntryForm {
    has_times: bool,
    has_right_lines: bool,
}

impl EntryForm {
    pub fn new(job: &Job) -> EntryForm {
        EntryForm { has_times: job.bound != Bound::Unbounded, has_right_lines: job.kind.pairs() }
    }

    /// Appends the value of a row's entry.
    pub fn write(self, row: &Row, span: Span, body: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        if self.has_times {
            // Writing to memory cannot fail.
            let _ = write!(out, ",\"time_ms\":{},\"until_ms\":{}", span.time, span.until);
        }
        for (has, member) in [(flag::MATCHED, "matched"), (flag::TWIN, "twin")] {
            if row.has(has) {
                let _ = write!(out, ",\"{member}\":true");
            }
        }
        if row.side() == Side::Left || self.has_right_lines {
            out.extend_from_slice(b",\"line\":");
            write_object(&[body], out);
        }
        // A brace in the place of the first comma.
        match out.get_mut(start) {
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }
}
