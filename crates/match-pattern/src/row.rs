//! Rows: a line with what conditions and measures want of it.

use std::collections::VecDeque;

use smallvec::SmallVec;

/// A line of a key, and what was worked out when it came.
#[derive(Debug)]
pub struct Row {
    /// The line, and behind it the texts of its cells.
    text: Box<[u8]>,
    line_len: u32,
    /// Where each cell ends.
    ends: SmallVec<[u32; 4]>,
    /// Of the conditions that look at this line alone, which hold: a bit for each.
    truths: u64,
    /// Of the conditions that look at lines nearby, which are known, and which hold.
    known: u64,
    holds: u64,
    pub time_ms: i64,
    /// The number of the line among all that came.
    pub sequence: u64,
    /// It is in some output.
    pub is_out: bool,
}

/// What a reader found in a line.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    text: Vec<u8>,
    ends: SmallVec<[u32; 4]>,
}

impl Cells {
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds the JSON text of a cell; an empty one where there is no value.
    pub fn push(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.ends.push(self.text.len() as u32);
    }
}

impl Row {
    #[must_use]
    pub fn new(line: &[u8], cells: &Cells, truths: u64, time_ms: i64, sequence: u64) -> Row {
        let mut text = Vec::with_capacity(line.len() + cells.text.len());
        text.extend_from_slice(line);
        text.extend_from_slice(&cells.text);
        Row {
            text: text.into_boxed_slice(),
            line_len: line.len() as u32,
            ends: cells.ends.clone(),
            truths,
            known: 0,
            holds: 0,
            time_ms,
            sequence,
            is_out: false,
        }
    }

    #[inline]
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.text[..self.line_len as usize]
    }

    /// Returns the JSON text of a cell; none if it is missing or null.
    #[inline]
    #[must_use]
    pub fn cell(&self, cell: usize) -> Option<&[u8]> {
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] };
        let cells = &self.text[self.line_len as usize..];
        let text = &cells[start as usize..self.ends[cell] as usize];
        (!text.is_empty() && text != b"null").then_some(text)
    }

    #[inline]
    #[must_use]
    pub fn truths(&self) -> u64 {
        self.truths
    }

    /// Returns what is known of a condition that looks at lines nearby.
    #[inline]
    #[must_use]
    pub fn known(&self, condition: u8) -> Option<bool> {
        (self.known >> condition & 1 == 1).then_some(self.holds >> condition & 1 == 1)
    }

    pub fn note(&mut self, condition: u8, holds: bool) {
        self.known |= 1 << condition;
        self.holds |= u64::from(holds) << condition;
    }

    /// Returns what it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Row>() + self.text.len() + if self.ends.spilled() { self.ends.len() * 4 } else { 0 }
    }
}

/// Room for so many rows stays when a key has fewer.
const ROOM_KEPT: usize = 16;

/// The rows of a key that are kept, by their numbers in the key.
#[derive(Debug, Default)]
pub struct Rows {
    list: VecDeque<Row>,
    first: u64,
}

impl Rows {
    /// No rows, of which the next has this number.
    #[must_use]
    pub fn from(first: u64) -> Rows {
        Rows { list: VecDeque::new(), first }
    }

    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Returns the number of the next row that comes.
    #[inline]
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.list.len() as u64
    }

    #[inline]
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Row> {
        self.list.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    #[inline]
    pub fn get_mut(&mut self, number: u64) -> Option<&mut Row> {
        self.list.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    pub fn push(&mut self, row: Row) {
        self.list.push_back(row);
    }

    pub fn pop(&mut self) -> Option<Row> {
        self.first += u64::from(!self.list.is_empty());
        self.list.pop_front()
    }

    /// Gives room back that is not needed any more.
    pub fn shrink(&mut self) {
        self.list.shrink_to(ROOM_KEPT);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_line_and_cells() {
        let mut cells = Cells::default();
        [&b"1"[..], b"", b"null", b"\"x\""].iter().for_each(|cell| cells.push(cell));
        let mut row = Row::new(b"{}", &cells, 0b10, 5, 7);
        assert_eq!(row.line(), b"{}");
        assert_eq!([0, 1, 2, 3].map(|cell| row.cell(cell)), [Some(&b"1"[..]), None, None, Some(b"\"x\"")]);
        assert_eq!((row.known(3), row.truths()), (None, 2));
        row.note(3, true);
        row.note(4, false);
        assert_eq!((row.known(3), row.known(4), row.known(5)), (Some(true), Some(false), None));
    }

    #[test]
    fn rows_keep_their_numbers() {
        let mut rows = Rows::from(5);
        for sequence in 0..3 {
            rows.push(Row::new(b"1", &Cells::default(), 0, 0, sequence));
        }
        rows.pop();
        assert_eq!((rows.first(), rows.end()), (6, 8));
        let sequence = |number| rows.get(number).map(|row| row.sequence);
        assert_eq!([5, 6, 7, 8].map(sequence), [None, Some(1), Some(2), None]);
    }
}
