//! The state of a key: steps that are open, and what fills those that come without a number.

use std::collections::VecDeque;

use values::Number;
use values::state_text::{StateReader, write_exact, write_items, write_number, write_signed};

use crate::cell::{Cell, Take};

/// A step that lines have come for.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    pub start_ms: i64,
    /// How many lines it has.
    pub lines: u64,
    /// For each value, for each way to take it, a cell.
    pub cells: Vec<Cell>,
}

/// A value that may fill a later step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// The start of the step that it is of.
    pub step_ms: i64,
    pub number: Number,
}

/// The rows that were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The start of the last step with numbers.
    pub data_ms: i64,
    /// The start of the last step with a row, also a filled one.
    pub row_ms: i64,
    /// The latest of each value.
    pub known: Vec<Option<Known>>,
}

/// The state of one key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesState {
    /// By time.
    pub open: VecDeque<Open>,
    /// Not with `--fill none`.
    pub written: Option<Written>,
}

impl SeriesState {
    /// Returns the step that starts at `start_ms`, a new one if need be, and whether it is new.
    pub fn open(&mut self, start_ms: i64, cells: usize) -> (&mut Open, bool) {
        let place = match self.open.back() {
            Some(last) if last.start_ms == start_ms => self.open.len() - 1,
            Some(last) if last.start_ms > start_ms => self.open.partition_point(|open| open.start_ms < start_ms),
            _ => self.open.len(),
        };
        let is_new = self.open.get(place).is_none_or(|open| open.start_ms != start_ms);
        if is_new {
            self.open.insert(place, Open { start_ms, lines: 0, cells: vec![Cell::Empty; cells] });
        }
        (&mut self.open[place], is_new)
    }

    /// Takes out the first step, if it starts at `start_ms`.
    pub fn take_first(&mut self, start_ms: i64) -> Option<Open> {
        self.open.pop_front_if(|open| open.start_ms == start_ms)
    }

    /// Appends `[[[start,lines,cells],…],written]`.
    pub fn save(&self, out: &mut Vec<u8>) {
        let open: Vec<&Open> = self.open.iter().collect();
        out.push(b'[');
        write_items(&open, out, |open, out| {
            out.push(b'[');
            write_signed(open.start_ms, out);
            out.push(b',');
            write_number(open.lines, out);
            out.push(b',');
            write_items(&open.cells, out, Cell::save);
            out.push(b']');
        });
        out.push(b',');
        match &self.written {
            Some(written) => written.save(out),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b']');
    }

    /// Reads what `save` wrote; `takes` says how each cell is made.
    pub fn load(from: &mut StateReader<'_>, takes: &[Take], values: usize) -> Option<SeriesState> {
        from.literal(b"[")?;
        let mut open = VecDeque::new();
        from.items(|from| {
            open.push_back(load_open(from, takes, values)?);
            Some(())
        })?;
        from.literal(b",")?;
        let written = match from.literal(b"null") {
            Some(()) => None,
            None => Some(Written::load(from).filter(|written| written.known.len() == takes.len() * values)?),
        };
        from.literal(b"]")?;
        Some(SeriesState { open, written })
    }
}

fn load_open(from: &mut StateReader<'_>, takes: &[Take], values: usize) -> Option<Open> {
    from.literal(b"[")?;
    let start_ms = from.signed()?;
    from.literal(b",")?;
    let lines = from.count()?;
    from.literal(b",")?;
    let mut cells = Vec::new();
    from.items(|from| {
        cells.push(Cell::load(from, takes[cells.len() % takes.len()])?);
        Some(())
    })?;
    from.literal(b"]")?;
    (cells.len() == takes.len() * values).then_some(Open { start_ms, lines, cells })
}

impl Written {
    /// Appends `[data,row,[[step,number],null,…]]`.
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_signed(self.data_ms, out);
        out.push(b',');
        write_signed(self.row_ms, out);
        out.push(b',');
        write_items(&self.known, out, |known, out| match known {
            None => out.extend_from_slice(b"null"),
            Some(known) => {
                out.push(b'[');
                write_signed(known.step_ms, out);
                out.push(b',');
                write_exact(&known.number, out);
                out.push(b']');
            }
        });
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>) -> Option<Written> {
        from.literal(b"[")?;
        let data_ms = from.signed()?;
        from.literal(b",")?;
        let row_ms = from.signed()?;
        from.literal(b",")?;
        let mut known = Vec::new();
        from.items(|from| {
            known.push(load_known(from)?);
            Some(())
        })?;
        from.literal(b"]")?;
        Some(Written { data_ms, row_ms, known })
    }
}

fn load_known(from: &mut StateReader<'_>) -> Option<Option<Known>> {
    if from.literal(b"null").is_some() {
        return Some(None);
    }
    from.literal(b"[")?;
    let step_ms = from.signed()?;
    from.literal(b",")?;
    let number = from.exact()?;
    from.literal(b"]")?;
    Some(Some(Known { step_ms, number }))
}
