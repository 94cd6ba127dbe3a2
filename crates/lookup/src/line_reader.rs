//! Reads the key of a line, and puts a row's members behind its own.

use json_fields::FieldPath;
use line_values::{Expression, LineValues};
use millpipe::Fault;

/// What was read of a line.
#[derive(Clone, Copy)]
pub struct Read<'a> {
    /// None when a value of it is null or missing: no row is equal to that.
    pub key: Option<&'a [u8]>,
    /// The text of the field of time.
    pub time: Option<&'a [u8]>,
}

/// Reads lines.
pub struct LineReader {
    values: LineValues,
    left: usize,
    /// Members that rows put there.
    names: Vec<String>,
    key: Vec<u8>,
}

impl LineReader {
    /// For lines that are to get members of these names.
    pub fn new(left: &[Expression], time: Option<&Expression>, names: Vec<String>) -> LineReader {
        let time: Vec<Expression> = time.into_iter().cloned().collect();
        let members: Vec<Expression> = names.iter().map(|name| FieldPath::key(name).into()).collect();
        // Where there is no time, its place is taken by a value that is there anyway.
        let time = if time.is_empty() { &left[..1] } else { &time[..] };
        LineReader {
            values: LineValues::new(left.iter().chain(time).chain(&members)).watching(left.len()),
            left: left.len(),
            names,
            key: Vec::new(),
        }
    }

    /// Which fields of the key no line had, if so.
    pub fn remark(&self) -> Option<String> {
        self.values.remark("lines")
    }

    /// # Errors
    /// `Bad` when the line is not JSON, not an object, or has a member that a row would put there.
    #[inline(always)]
    pub fn read<'a>(&'a mut self, line: &'a [u8]) -> Result<Read<'a>, Fault> {
        let found = self.values.read(line).map_err(Fault::bad)?;
        if found.object().is_none() {
            return Err(Fault::bad("not an object"));
        }
        let first = self.left + 1;
        if let Some(taken) = (0..self.names.len()).find(|number| found.get(first + number).is_some()) {
            return Err(already_there(&self.names[taken]));
        }
        let key = found.key(0..self.left, &mut self.key);
        let has_key = (0..self.left).all(|number| found.get(number).is_some_and(|value| !value.is_null()));
        Ok(Read { key: has_key.then_some(key), time: found.get(self.left).map(|value| value.text()) })
    }
}

#[cold]
fn already_there(name: &str) -> Fault {
    Fault::bad(format_args!(
        "the line has a member {name:?} already: --prefix, or --fields NAME=COLUMN, gives the table's another name"
    ))
}

/// Appends a line that was read, with these members behind its own.
pub fn write_joined(line: &[u8], members: &[u8], out: &mut Vec<u8>) {
    // The line is an object: the last brace is its own, and one right before that would open it.
    let end = line.iter().rposition(|byte| *byte == b'}').unwrap_or(line.len());
    let (own, close) = line.split_at(end);
    out.extend_from_slice(own);
    if !members.is_empty() && !own.trim_ascii_end().ends_with(b"{") {
        out.push(b',');
    } else if own == b"{" && members.starts_with(b"\"$\":") {
        // Else it would be a mark.
        out.push(b' ');
    }
    out.extend_from_slice(members);
    out.extend_from_slice(close);
}
