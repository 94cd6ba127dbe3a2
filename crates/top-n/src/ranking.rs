//! The best lines of one key.

use std::cmp::Ordering;

use crate::Job;

/// A line that is kept, with what it is ordered by.
#[derive(Debug)]
pub struct Row {
    /// How many lines arrived before it.
    pub sequence: u64,
    cells_len: u32,
    /// The canonical texts of the order's values, and behind them the line.
    text: Box<[u8]>,
}

impl Row {
    pub fn new(cells: &[u8], line: &[u8], sequence: u64) -> Row {
        let mut text = Vec::with_capacity(cells.len() + line.len());
        text.extend_from_slice(cells);
        text.extend_from_slice(line);
        Row { sequence, cells_len: cells.len() as u32, text: text.into() }
    }

    pub fn cells(&self) -> &[u8] {
        &self.text[..self.cells_len as usize]
    }

    pub fn line(&self) -> &[u8] {
        &self.text[self.cells_len as usize..]
    }

    pub fn bytes(&self) -> usize {
        self.text.len()
    }
}

/// Rows, the best first; of equal ones the first that arrived.
#[derive(Debug, Default)]
pub struct Ranking {
    pub rows: Vec<Row>,
}

impl Ranking {
    /// Where a line would stand; none if it is not among the best.
    #[inline]
    pub fn place(&self, job: &Job, cells: &[u8]) -> Option<usize> {
        if let Some(last) = self.rows.last().filter(|_| self.rows.len() >= job.n) {
            match job.order.compare(last.cells(), cells) {
                Ordering::Less => return None,
                Ordering::Equal if !job.ties => return None,
                _ => {}
            }
        }
        Some(self.rows.partition_point(|row| job.order.compare(row.cells(), cells).is_le()))
    }

    /// Puts a row in its place; gives those that are not among the best any more, in their order.
    pub fn insert(&mut self, job: &Job, place: usize, row: Row) -> Vec<Row> {
        self.rows.insert(place, row);
        if self.rows.len() <= job.n {
            return Vec::new();
        }
        let (kept, others) = self.rows.split_at(job.n);
        let ties = match kept.last() {
            Some(last) if job.ties => {
                others.iter().take_while(|row| job.order.compare(last.cells(), row.cells()).is_eq()).count()
            }
            _ => 0,
        };
        self.rows.split_off(job.n + ties)
    }

    /// The rank of each row: its place, from 1; with ties equal rows have that of the first of them.
    pub fn ranks(&self, job: &Job) -> Vec<usize> {
        let mut ranks: Vec<usize> = (1..=self.rows.len()).collect();
        for at in (1..self.rows.len()).filter(|_| job.ties) {
            if job.order.compare(self.rows[at - 1].cells(), self.rows[at].cells()).is_eq() {
                ranks[at] = ranks[at - 1];
            }
        }
        ranks
    }
}
