//! The rows of a table: the last line of each key, or without keys the last lines.

use std::collections::HashMap;

use crate::picture::Table;
use crate::record::{Number, Op, Record};
use crate::scale::x_text;
use crate::spec::{PanelSpec, Settings};

/// Rows without keys beyond those that are shown, so that there are some left when rows are taken away.
const SPARE: usize = 16;

/// Rows by key; at most `max`. Without keys there is a row for each x, and the oldest goes when there is one too many.
#[derive(Clone, Debug)]
pub struct Rows {
    spec: PanelSpec,
    /// The columns, by number among the values, the first number of which ranks a row: those that are no part of the key.
    rank_by: Vec<usize>,
    has_keys: bool,
    max: usize,
    places: HashMap<Vec<u8>, usize>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    key: Vec<u8>,
    x: f64,
    cells: Vec<String>,
    /// By which rows are sorted: the first number.
    rank: f64,
}

impl Rows {
    /// Keeps the rows of a table.
    #[must_use]
    pub fn new(spec: &PanelSpec, settings: &Settings) -> Self {
        let has_keys = !settings.by.is_empty();
        let is_key = |value: &usize| settings.values.get(*value).is_some_and(|value| settings.by.contains(value));
        Self {
            spec: spec.clone(),
            rank_by: spec.values.iter().copied().filter(|value| !is_key(value)).collect(),
            has_keys,
            max: if has_keys { settings.keys_max } else { settings.top.saturating_add(SPARE) },
            places: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Takes a line.
    pub fn take(&mut self, record: &Record) {
        let Some((axis, x)) = record.x else { return };
        let x_cell = x_text(axis, x);
        let key = if self.has_keys { &record.key[..] } else { x_cell.as_bytes() };
        let place = self.places.get(key).copied();
        match (place, record.op) {
            (Some(place), Op::Remove) => self.remove(place, x),
            (None, Op::Remove) => {}
            (Some(place), _) => self.rows[place].fill(self.spec.values.iter(), &self.rank_by, record, x, x_cell),
            (None, _) => self.add(key.to_vec(), record, x, x_cell),
        }
    }

    fn add(&mut self, key: Vec<u8>, record: &Record, x: f64, x_cell: String) {
        if self.rows.len() >= self.max {
            if self.has_keys {
                return;
            }
            self.remove_oldest();
        }
        let mut row = Row { key: key.clone(), x, cells: Vec::new(), rank: f64::NEG_INFINITY };
        row.fill(self.spec.values.iter(), &self.rank_by, record, x, x_cell);
        self.places.insert(key, self.rows.len());
        self.rows.push(row);
    }

    /// A row that is taken away is the one that is there, not one of an earlier window.
    fn remove(&mut self, place: usize, x: f64) {
        if self.rows[place].x != x {
            return;
        }
        self.remove_row(place);
    }

    fn remove_oldest(&mut self) {
        let oldest = self.rows.iter().enumerate().min_by(|a, b| a.1.x.total_cmp(&b.1.x)).map(|(place, _)| place);
        if let Some(oldest) = oldest {
            self.remove_row(oldest);
        }
    }

    fn remove_row(&mut self, place: usize) {
        let row = self.rows.swap_remove(place);
        self.places.remove(&row.key);
        if let Some(moved) = self.rows.get(place) {
            self.places.insert(moved.key.clone(), place);
        }
    }

    /// Returns the first rows: those with the greatest numbers, or without keys the newest.
    #[must_use]
    pub fn table(&self, top: usize, x_name: &str) -> (Table, usize) {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        match self.has_keys {
            true => rows.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.cells.cmp(&b.cells))),
            false => rows.sort_by(|a, b| b.x.total_cmp(&a.x)),
        }
        let columns = std::iter::once(x_name.to_owned()).chain(self.spec.names.iter().cloned()).collect();
        let shown = rows.iter().take(top).map(|row| row.cells.clone()).collect();
        (Table { columns, rows: shown }, rows.len().saturating_sub(top))
    }
}

impl Row {
    fn fill<'a>(
        &mut self,
        columns: impl Iterator<Item = &'a usize>,
        rank_by: &[usize],
        record: &Record,
        x: f64,
        x_cell: String,
    ) {
        self.x = x;
        self.cells.clear();
        self.cells.push(x_cell);
        self.cells.extend(columns.map(|value| record.texts[*value].clone()));
        let first = rank_by.iter().find_map(|value| match record.numbers[*value] {
            Number::Is(number) => Some(number),
            _ => None,
        });
        self.rank = first.unwrap_or(f64::NEG_INFINITY);
    }
}
