//! The series of all keys, and at which step something is to be done for which.

use std::collections::BTreeMap;

use event_time::Window;
use keyed_state::{BufferLimit, KeyLimit, Keyed, hash};
use millpipe::{Changes, Error, Out};
use series::Point;
use values::{Number, key};

use crate::cell::{Cell, Take};
use crate::fill::{self, Fill, Step};
use crate::grid::Grid;
use crate::rows::Rows;
use crate::series_state::{Open, SeriesState};

/// What is wanted of each step.
pub struct Wanted {
    pub grid: Grid,
    pub takes: Vec<Take>,
    /// How many values there are.
    pub values: usize,
    pub fill: Fill,
}

impl Wanted {
    fn cells(&self) -> usize {
        self.takes.len() * self.values
    }
}

/// The series of all keys.
pub struct Store {
    wanted: Wanted,
    series: Keyed<SeriesState>,
    /// Keys by the start of the step at which something is to be done for them. A place is out of date if its key is due at
    /// another step.
    due: BTreeMap<i64, Vec<u32>>,
    /// At which step each key is due.
    due_of: Vec<Option<i64>>,
    buffer: BufferLimit,
    open_steps: usize,
    lines: u64,
    /// Gaps of this run that a line was to fill, and that were too long.
    open_gaps: u64,
}

/// What happened to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Held,
    /// It has no number.
    Empty,
    /// Its step is closed.
    Late(Window),
}

impl Store {
    pub fn new(wanted: Wanted, keys: KeyLimit, buffer: BufferLimit) -> Store {
        let (series, due) = (Keyed::new(keys), BTreeMap::new());
        Store { wanted, series, due, due_of: Vec::new(), buffer, open_steps: 0, lines: 0, open_gaps: 0 }
    }

    /// Counts the keys.
    pub fn keys(&self) -> usize {
        self.series.len()
    }

    /// Returns how many lines are in open steps.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Says how many gaps were too long.
    pub fn remark(&self) -> Option<String> {
        let gaps = self.open_gaps;
        (gaps > 0).then(|| {
            format!("gaps that were too long to be filled, or whose key did not come again: {gaps}\nhint: --max-gap 1h fills longer ones")
        })
    }

    /// Takes the numbers of a line into its step.
    ///
    /// # Errors
    /// At a limit.
    pub fn take(&mut self, point: &Point<'_, Number>, watermark_ms: Option<i64>) -> Result<Taken, Error> {
        let step = self.wanted.grid.step(point.time_ms);
        if watermark_ms.is_some_and(|watermark_ms| step.is_closed_by(watermark_ms)) {
            return Ok(Taken::Late(step));
        }
        if point.numbers.iter().all(Option::is_none) {
            return Ok(Taken::Empty);
        }
        let hash = hash(point.key);
        let id = match self.series.find(point.key, hash) {
            Some(id) => id,
            None => self.series.insert(point.key, hash, SeriesState::default())?,
        };
        let Wanted { takes, .. } = &self.wanted;
        let (open, is_new) = self.series.change(id).open(step.start_ms, self.wanted.cells());
        open.lines += 1;
        for (cells, number) in open.cells.chunks_exact_mut(takes.len()).zip(point.numbers) {
            let Some(number) = number else { continue };
            cells.iter_mut().zip(takes).for_each(|(cell, take)| cell.add(*take, *number, point.time_ms));
        }
        self.lines += 1;
        if is_new {
            self.add_step(id)?;
        }
        Ok(Taken::Held)
    }

    fn add_step(&mut self, id: u32) -> Result<(), Error> {
        self.open_steps += 1;
        let step_bytes = size_of::<Open>() + self.wanted.cells() * size_of::<Cell>();
        self.buffer.check(self.open_steps * step_bytes)?;
        self.schedule(id);
        Ok(())
    }

    /// Notes at which step the key is due; forgets it if there is none.
    fn schedule(&mut self, id: u32) {
        let series = self.series.get(id);
        let of_line = series.open.front().map(|open| open.start_ms);
        let of_gap =
            series.written.as_ref().and_then(|written| fill::due(written, self.wanted.fill, &mut self.wanted.grid));
        let Some(due_ms) = [of_line, of_gap].into_iter().flatten().min() else {
            self.series.remove(id);
            return;
        };
        let due_of = self.due_of(id);
        if *due_of != Some(due_ms) {
            *due_of = Some(due_ms);
            self.due.entry(due_ms).or_default().push(id);
        }
    }

    fn due_of(&mut self, id: u32) -> &mut Option<i64> {
        let place = id as usize;
        if self.due_of.len() <= place {
            self.due_of.resize(place + 1, None);
        }
        &mut self.due_of[place]
    }

    /// Writes the rows of all steps that a watermark closes, by time and key.
    pub fn advance(&mut self, watermark_ms: i64, rows: &mut Rows, out: &mut Out) {
        while let Some((start_ms, _)) = self.due.first_key_value() {
            if !self.wanted.grid.step(*start_ms).is_closed_by(watermark_ms) {
                return;
            }
            for (id, start_ms) in self.pop_due() {
                self.close(id, start_ms, rows, out);
            }
        }
    }

    /// Writes the rows of all steps that lines came for, and forgets all keys.
    pub fn end(&mut self, rows: &mut Rows, out: &mut Out) {
        while !self.due.is_empty() {
            for (id, start_ms) in self.pop_due() {
                if self.series.get(id).open.is_empty() {
                    self.series.remove(id);
                } else {
                    self.close(id, start_ms, rows, out);
                }
            }
        }
    }

    /// Returns the keys that are due at the first step, in their order, with its start.
    fn pop_due(&mut self) -> Vec<(u32, i64)> {
        let Some((start_ms, mut ids)) = self.due.pop_first() else { return Vec::new() };
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| self.due_of(*id).take_if(|due_ms| *due_ms == start_ms).is_some());
        ids.sort_by(|a, b| key::compare(self.series.key(*a), self.series.key(*b)));
        ids.into_iter().map(|id| (id, start_ms)).collect()
    }

    fn close(&mut self, id: u32, start_ms: i64, rows: &mut Rows, out: &mut Out) {
        let series = self.series.change(id);
        let open = series.take_first(start_ms);
        let lines = open.as_ref().map_or(0, |open| open.lines);
        let mut written = series.written.take();
        let step = Step { start_ms, cells: open.as_ref().map(|open| &open.cells[..]), takes: &self.wanted.takes };
        let is_left_open = fill::close(&step, &mut written, self.wanted.fill, &mut self.wanted.grid, |row| {
            rows.write(self.series.key(id), row, out);
        });
        self.open_gaps += u64::from(is_left_open);
        self.series.change(id).written = written;
        self.open_steps -= usize::from(open.is_some());
        self.lines -= lines;
        out.settle(lines);
        self.schedule(id);
    }

    /// Returns the watermark of the rows: none that are still to come are of this time or an earlier one.
    pub fn watermark_of_rows(&mut self, watermark_ms: i64) -> i64 {
        let Wanted { grid, fill, .. } = &mut self.wanted;
        let first_ms = grid.step(watermark_ms.saturating_add(1)).start_ms;
        let gap_ms = if *fill == Fill::Linear { grid.gap_ms(first_ms) } else { 0 };
        first_ms.saturating_sub(1).saturating_sub(gap_ms)
    }

    /// Gives what changed since the last call.
    pub fn save(&mut self, to: &mut Changes) {
        self.series.save(to, SeriesState::save);
    }

    /// Takes an entry of a checkpoint.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let Wanted { takes, values, .. } = &self.wanted;
        let id = self.series.load(name, value, |from| SeriesState::load(from, takes, *values))?;
        let open = &self.series.get(id).open;
        self.open_steps += open.len();
        self.lines += open.iter().map(|open| open.lines).sum::<u64>();
        self.schedule(id);
        Ok(())
    }
}
