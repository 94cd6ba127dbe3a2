//! A table in memory: for each key the members that its rows put behind a line.

use std::fmt::Display;

use accumulators::Number;
use keyed_state::{Keyed, hash};
use line_values::key::cells;
use units::ByteSize;

/// What happens to two rows of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Duplicates {
    /// The table is not taken
    Error,
    /// The first one counts
    First,
    /// The last one counts
    Last,
    /// A line comes out once for each, in the order of the table
    All,
}

/// Rows by key.
#[derive(Debug, Default)]
pub struct Table {
    /// The first and the last row of each key.
    keys: Keyed<(u32, u32)>,
    rows: Vec<Row>,
    /// The members of all rows, one behind the other.
    text: Vec<u8>,
    /// The names of all members that rows have.
    pub names: Vec<String>,
    /// Keys know no types, as in a CSV.
    pub is_untyped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    start: usize,
    end: usize,
    /// The next row of its key.
    next: Option<u32>,
}

/// How much a table may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub keys_max: usize,
    pub buffer: ByteSize,
}

impl Table {
    /// A table whose rows have members of these names, and whose keys know no types.
    pub fn untyped(names: Vec<String>) -> Table {
        Table { names, is_untyped: true, ..Table::default() }
    }

    /// Adds a row. `place` says where it comes from.
    ///
    /// # Errors
    /// A key that is there already, or a limit.
    pub fn add(
        &mut self,
        key: &[u8],
        members: &[u8],
        duplicates: Duplicates,
        limits: Limits,
        place: &dyn Display,
    ) -> Result<(), String> {
        let hash = hash(key);
        let known = self.keys.find(key, hash);
        match (known, duplicates) {
            (Some(_), Duplicates::First) => return Ok(()),
            (Some(_), Duplicates::Error) => {
                let key = String::from_utf8_lossy(key).replace('\n', ", ");
                return Err(format!("{place}: the key {key} is in the table already"));
            }
            (None, _) if self.keys.len() >= limits.keys_max => {
                return Err(format!("{place}: more than {} keys (--max-keys)", limits.keys_max));
            }
            _ if self.text.len() + members.len() > limits.buffer.as_usize() => {
                return Err(format!("{place}: the table takes more than {} (--buffer)", limits.buffer));
            }
            _ => {}
        }
        let number = self.rows.len() as u32;
        let start = self.text.len();
        self.text.extend_from_slice(members);
        self.rows.push(Row { start, end: self.text.len(), next: None });
        match known {
            None => drop(self.keys.insert(key, hash, (number, number))),
            Some(id) if duplicates == Duplicates::Last => *self.keys.change(id) = (number, number),
            Some(id) => {
                let (_, last) = self.keys.change(id);
                self.rows[*last as usize].next = Some(number);
                *last = number;
            }
        }
        Ok(())
    }

    /// The members of a key's rows, in their order.
    #[inline]
    pub fn rows(&self, key: &[u8]) -> impl Iterator<Item = &[u8]> {
        let first = self.keys.find(key, hash(key)).map(|id| self.keys.get(id).0);
        let row = |number: u32| self.rows[number as usize];
        std::iter::successors(first, move |number| row(*number).next)
            .map(move |number| &self.text[row(number).start..row(number).end])
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Appends a key whose cells know no types: a string that is a JSON number is that number.
pub fn write_untyped(key: &[u8], out: &mut Vec<u8>) {
    for (number, cell) in cells(key).enumerate() {
        if number > 0 {
            out.push(b'\n');
        }
        match cell {
            [b'"', text @ .., b'"'] => match Number::parse(text) {
                Ok(number) => number.write(out),
                Err(_) => out.extend_from_slice(cell),
            },
            _ => out.extend_from_slice(cell),
        }
    }
}
