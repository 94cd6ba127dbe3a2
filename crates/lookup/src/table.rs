//! A table in memory: for each key the members that its rows put behind a line.

use std::fmt::Display;

use keyed_state::{Keyed, hash};
use units::ByteSize;

use crate::csv_keys::{OtherSpellings, has_strings, is_text, write_text};

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
    /// Where keys are texts, as in a CSV, those with numbers that are written in an unusual way.
    other_spellings: Option<OtherSpellings>,
    takes_all: bool,
}

/// What a search has found, and what it needs.
#[derive(Debug, Default)]
pub struct Search {
    rows: Vec<u32>,
    text: Vec<u8>,
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
    /// A table whose rows have members of these names, and whose keys are texts.
    /// A number then gets all rows of its value, or those of one key.
    pub fn of_texts(names: Vec<String>, takes_all: bool) -> Table {
        Table { names, other_spellings: Some(OtherSpellings::default()), takes_all, ..Table::default() }
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
            None => {
                let id = self.keys.insert(key, hash, (number, number)).map_err(|error| error.message)?;
                if let Some(others) = &mut self.other_spellings {
                    others.add(key, id);
                }
            }
            Some(id) if duplicates == Duplicates::Last => *self.keys.change(id) = (number, number),
            Some(id) => {
                let (_, last) = self.keys.change(id);
                self.rows[*last as usize].next = Some(number);
                *last = number;
            }
        }
        Ok(())
    }

    /// The rows for the key of a line, in their order.
    #[inline]
    pub fn find<'s>(&self, key: &[u8], search: &'s mut Search) -> &'s [u32] {
        search.rows.clear();
        match &self.other_spellings {
            Some(others) if !is_text(key) => self.find_numbers(others, key, search),
            _ => search.rows.extend(self.rows(self.keys.find(key, hash(key)))),
        }
        &search.rows
    }

    /// Numbers are equal to texts: to the canonical one above all, or to all with this value.
    fn find_numbers(&self, others: &OtherSpellings, key: &[u8], search: &mut Search) {
        search.text.clear();
        write_text(key, &mut search.text);
        let usual = self.keys.find(&search.text, hash(&search.text));
        search.rows.extend(self.rows(usual));
        if usual.is_some() && !self.takes_all {
            return;
        }
        let is_equal = |id: &u32| Some(*id) != usual && has_strings(self.keys.key(*id), key);
        let wanted = if self.takes_all { usize::MAX } else { 1 };
        for id in others.like(key).iter().copied().filter(is_equal).take(wanted) {
            search.rows.extend(self.rows(Some(id)));
        }
        search.rows.sort_unstable();
    }

    /// The rows of a key, in their order.
    #[inline]
    fn rows(&self, id: Option<u32>) -> impl Iterator<Item = u32> {
        std::iter::successors(id.map(|id| self.keys.get(id).0), |row| self.rows[*row as usize].next)
    }

    /// The members that a row puts behind a line.
    #[inline]
    #[must_use]
    pub fn members(&self, row: u32) -> &[u8] {
        let row = self.rows[row as usize];
        &self.text[row.start..row.end]
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
