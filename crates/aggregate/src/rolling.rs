//! Results of the last lines of a key, after each line: SQL's `OVER (PARTITION BY … ROWS 10 PRECEDING)`.
//!
//! What a line brought is taken back when it leaves; an extreme that leaves, and a sum that is not exact, are made anew
//! of the lines that stay.

use std::collections::VecDeque;
use std::sync::Arc;

use accumulators::{Plan, Row, Values};
use keyed_state::hash;
use millpipe::{Changes, Error, Fault, Out};
use units::DurationMs;
use values::state_text::{StateReader, write_signed};

use crate::groups::{Groups, Taken, stop};
use crate::job::Last;
use crate::keys;
use crate::work::Work;

/// The keys with their last lines.
#[derive(Debug)]
pub struct Rolling {
    pub groups: Groups,
    /// Of the line that comes.
    pub time_ms: i64,
    /// By group, in order of arrival; those of a time in the order of their times.
    rows: Vec<VecDeque<TimedRow>>,
    /// What all rows take in memory, about.
    bytes: usize,
    values: Values,
}

#[derive(Debug)]
struct TimedRow {
    /// The same for all where lines are counted.
    time_ms: i64,
    row: Row,
}

impl Rolling {
    pub fn new(plan: &Arc<Plan>) -> Rolling {
        Rolling { groups: Groups::new(plan), time_ms: 0, rows: Vec::new(), bytes: 0, values: Values::default() }
    }

    /// # Errors
    /// `Stop` at a limit.
    #[inline(never)]
    pub fn line(&mut self, taken: &Taken<'_>, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        let Some(last) = work.job.last else { return Ok(()) };
        let id = self.groups.find_or_insert(taken.key, hash(taken.key), &mut work.budget)?;
        let time_ms = self.time_ms;
        if let (Last::Time(range_ms), Some(newest)) = (last, self.rows_of(id).back())
            && time_ms < newest.time_ms.saturating_sub(range_ms)
        {
            late(range_ms, taken, out);
            return Ok(());
        }
        self.push(id, TimedRow { time_ms, row: Row::new(&work.job.plan, taken.values, taken.scanned, taken.sequence) });
        self.groups.store.update(id, taken)?;
        self.drop_old(id, last);
        if self.bytes > work.job.buffer_bytes {
            return Err(full(work.job.buffer_bytes).into());
        }
        if work.job.keeps_lines {
            out.line(taken.line);
        } else {
            out.settle(1);
        }
        self.write(id, work, out);
        Ok(())
    }

    fn rows_of(&mut self, id: u32) -> &mut VecDeque<TimedRow> {
        let at = id as usize;
        if at >= self.rows.len() {
            self.rows.resize_with(at + 1, VecDeque::new);
        }
        &mut self.rows[at]
    }

    fn push(&mut self, id: u32, row: TimedRow) {
        self.bytes += row.row.bytes();
        let rows = self.rows_of(id);
        let at = rows.partition_point(|known| known.time_ms <= row.time_ms);
        rows.insert(at, row);
    }

    fn drop_old(&mut self, id: u32, last: Last) {
        let Rolling { groups, rows, bytes, values, .. } = self;
        let rows = &mut rows[id as usize];
        while let (Some(oldest), Some(newest)) = (rows.front(), rows.back())
            && match last {
                Last::Lines(lines) => rows.len() > lines,
                Last::Time(range_ms) => oldest.time_ms < newest.time_ms.saturating_sub(range_ms),
            }
        {
            let Some(TimedRow { row, .. }) = rows.pop_front() else { return };
            *bytes -= row.bytes();
            let staying = rows.iter().map(|timed| &timed.row);
            groups.store.table.leave(id as usize, &row, staying, values);
        }
    }

    fn write(&self, id: u32, work: &mut Work, out: &mut Out) {
        let store = &self.groups.store;
        work.results.write(None, store.key(id), &store.table, id, out.buffer());
        out.end_result();
    }

    /// Gives the entries that changed: the rows of a key.
    pub fn save(&mut self, to: &mut Changes) {
        for id in self.groups.take_changed() {
            let rows = &self.rows[id as usize];
            to.put(&keys::text(self.groups.store.key(id)), |out| {
                out.push(b'[');
                for (number, TimedRow { time_ms, row }) in rows.iter().enumerate() {
                    out.extend_from_slice(if number > 0 { b",[" } else { b"[" });
                    write_signed(*time_ms, out);
                    out.push(b',');
                    row.save(out);
                    out.push(b']');
                }
                out.push(b']');
            });
        }
    }

    /// Takes one entry.
    ///
    /// # Errors
    /// `Stop` at the limit of groups, or when the entry is damaged.
    pub fn load(&mut self, key: &str, value: &[u8], work: &mut Work) -> Result<(), Fault> {
        let id = self.groups.add(key.as_bytes(), &mut work.budget)?.ok_or_else(|| Error::damaged_entry(key))?;
        let from = &mut StateReader::new(value);
        let rows =
            read_rows(from, &work.job.plan).filter(|rows| !rows.is_empty()).ok_or_else(|| Error::damaged_entry(key))?;
        for row in rows {
            let text = row.row.read(&work.job.plan, &mut self.values);
            let table = &mut self.groups.store.table;
            table.update(id as usize, &self.values, text, row.row.sequence).map_err(stop)?;
            self.push(id, row);
        }
        self.groups.store.tracking.restored(id);
        Ok(())
    }
}

fn read_rows(from: &mut StateReader<'_>, plan: &Plan) -> Option<Vec<TimedRow>> {
    let mut rows = Vec::new();
    from.items(|from| {
        from.literal(b"[")?;
        let time_ms = from.signed()?;
        from.literal(b",")?;
        rows.push(TimedRow { time_ms, row: Row::load(plan, from)? });
        from.literal(b"]")
    })?;
    from.end()?;
    Some(rows)
}

#[cold]
fn full(bytes: usize) -> Error {
    let error = Error::data(format_args!("the last lines of all keys take more than {bytes} bytes"));
    error.hint("--buffer SIZE allows more")
}

#[cold]
fn late(range_ms: i64, taken: &Taken<'_>, out: &mut Out) {
    let range = DurationMs(range_ms);
    crate::windows::take_out(
        taken,
        out,
        format_args!("late: more than {range} before the latest line of its key"),
        "a longer --last takes such lines in; --late reject keeps them",
    );
}
