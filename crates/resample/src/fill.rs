//! What is written when a step closes: the row of its numbers, and rows that fill a gap.

use values::Number;

use crate::cell::{Cell, Take};
use crate::grid::Grid;
use crate::series_state::{Known, Written};

/// What stands in a step without a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Fill {
    /// No row
    None,
    /// Null
    Null,
    /// The last value
    Last,
    /// What lies on a line between the values before and after it
    Linear,
    /// Zero
    Zero,
}

/// A step that closes.
pub struct Step<'a> {
    pub start_ms: i64,
    /// None when no number came for it.
    pub cells: Option<&'a [Cell]>,
    pub takes: &'a [Take],
}

/// A row that is to be written.
pub struct Row<'a> {
    pub start_ms: i64,
    pub values: &'a [Option<Number>],
    pub filled: Filled<'a>,
}

/// Which values of a row are not from lines of its step.
pub enum Filled<'a> {
    All,
    /// For each value.
    Some(&'a [bool]),
}

/// Returns the start of the step at which a key is due though no line comes for it: the next one to be filled, or the one that
/// ends a gap.
pub fn due(written: &Written, fill: Fill, grid: &mut Grid) -> Option<i64> {
    let reach_ms = grid.reach(written.data_ms);
    match fill {
        Fill::None => None,
        Fill::Linear => grid.next(reach_ms),
        Fill::Null | Fill::Last | Fill::Zero => grid.next(written.row_ms).filter(|next_ms| *next_ms <= reach_ms),
    }
}

/// Writes the rows of a step that closes, and notes them for the steps to come. Returns true if a gap stays open that a line
/// was to fill.
pub fn close(
    step: &Step<'_>,
    written: &mut Option<Written>,
    fill: Fill,
    grid: &mut Grid,
    mut write: impl FnMut(&Row<'_>),
) -> bool {
    let Some(cells) = step.cells else { return close_gap(step.start_ms, written, fill, write) };
    let takes = step.takes.iter().cycle();
    let mut values: Vec<Option<Number>> = cells.iter().zip(takes).map(|(cell, take)| cell.result(*take)).collect();
    let before = written.as_ref().filter(|_| fill == Fill::Linear);
    let is_left_open = before.is_some_and(|before| !fill_on_a_line(before, step.start_ms, &values, grid, &mut write));
    let own: Vec<bool> = values.iter().map(Option::is_some).collect();
    let mut known = written.take().map_or_else(|| vec![None; values.len()], |written| written.known);
    for (value, known) in values.iter_mut().zip(&mut known) {
        match value {
            Some(number) => *known = Some(Known { step_ms: step.start_ms, number: *number }),
            None => *value = stand_in(*known, step.start_ms, fill, grid),
        }
    }
    let filled: Vec<bool> = own.iter().zip(&values).map(|(own, value)| !own && value.is_some()).collect();
    write(&Row { start_ms: step.start_ms, values: &values, filled: Filled::Some(&filled) });
    if fill != Fill::None {
        *written = Some(Written { data_ms: step.start_ms, row_ms: step.start_ms, known });
    }
    is_left_open
}

/// Returns what stands for a value that has no number, in a step where others have one.
fn stand_in(known: Option<Known>, start_ms: i64, fill: Fill, grid: &mut Grid) -> Option<Number> {
    match fill {
        Fill::Zero | Fill::Last => {
            let known = known.filter(|known| start_ms <= grid.reach(known.step_ms))?;
            Some(if fill == Fill::Last { known.number } else { Number::ZERO })
        }
        Fill::None | Fill::Null | Fill::Linear => None,
    }
}

/// No number came: writes a row that stands for the step, or forgets what is too long ago.
fn close_gap(start_ms: i64, written: &mut Option<Written>, fill: Fill, mut write: impl FnMut(&Row<'_>)) -> bool {
    let Some(before) = written else { return false };
    let values: Vec<Option<Number>> = match fill {
        Fill::None | Fill::Linear => {
            *written = None;
            return fill == Fill::Linear;
        }
        Fill::Null => vec![None; before.known.len()],
        Fill::Zero => vec![Some(Number::ZERO); before.known.len()],
        Fill::Last => before.known.iter().map(|known| known.map(|known| known.number)).collect(),
    };
    before.row_ms = start_ms;
    write(&Row { start_ms, values: &values, filled: Filled::All });
    false
}

/// Writes the rows between two steps with numbers. Returns false if the gap is too long.
fn fill_on_a_line(
    before: &Written,
    to_ms: i64,
    values: &[Option<Number>],
    grid: &mut Grid,
    mut write: impl FnMut(&Row<'_>),
) -> bool {
    let reach_ms = grid.reach(before.data_ms);
    if grid.next(reach_ms).is_some_and(|next_ms| next_ms < to_ms) {
        return false;
    }
    let mut next = grid.next(before.data_ms);
    while let Some(start_ms) = next.filter(|start_ms| *start_ms < to_ms) {
        let between: Vec<Option<Number>> = before
            .known
            .iter()
            .zip(values)
            .map(|(from, to)| on_a_line((*from)?, Known { step_ms: to_ms, number: (*to)? }, start_ms))
            .collect();
        write(&Row { start_ms, values: &between, filled: Filled::All });
        next = grid.next(start_ms);
    }
    true
}

/// Returns the value at a time between two others; none beyond the range of `f64`.
fn on_a_line(from: Known, to: Known, time_ms: i64) -> Option<Number> {
    let (a, b) = (from.number.to_f64(), to.number.to_f64());
    let part = (time_ms - from.step_ms) as f64 / (to.step_ms - from.step_ms) as f64;
    let rise = b - a;
    let value = if rise.is_finite() { a + rise * part } else { a * (1.0 - part) + b * part };
    value.is_finite().then_some(Number::float(value))
}
