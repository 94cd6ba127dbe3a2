//! The lines that are kept, within their limits, and what of them differs from the last checkpoint.

use keyed_state::Tracking;
use millpipe::{Changes, Error, Out};
use sorted_runs::Scratch;

use crate::entries::{self, EntryForm};
use crate::job::{Bound, Job};
use crate::kept_limits::KeptLimits;
use crate::rows::{NewRow, Rows, flag};

/// Rows that change here only, so that each change is in the next checkpoint and each line that goes is settled once.
pub struct KeptLines {
    rows: Rows,
    limits: KeptLimits,
    /// Lines that count as held: a line that is kept on both sides is one.
    held: u64,
    entry_form: EntryForm,
    tracking: Tracking,
    /// The names of entries that the last checkpoint has of rows that are gone.
    gone: Vec<String>,
}

impl KeptLines {
    /// # Errors
    /// What is wrong with the folder for lines beyond `--memory`.
    pub fn new(job: &Job, has_names: bool, scratch: Box<dyn Scratch>) -> Result<KeptLines, Error> {
        let rows = Rows::new(job.bound != Bound::Unbounded, has_names, scratch);
        if job.spills {
            rows.try_disk()?;
        }
        Ok(KeptLines {
            rows,
            limits: KeptLimits::new(job),
            held: 0,
            entry_form: EntryForm::new(job),
            tracking: Tracking::default(),
            gone: Vec::new(),
        })
    }

    #[inline]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    pub fn held(&self) -> u64 {
        self.held
    }

    /// Keeps a line. `key` is the number of its key, if that is there.
    ///
    /// # Errors
    /// At a limit, with a hint for a stream that lacks watermarks; the disk's.
    pub fn keep(&mut self, key: Option<u32>, row: &NewRow<'_>, lacks_watermarks: bool) -> Result<(), Error> {
        let number = self.rows.add(key, row);
        self.tracking.touch(number);
        self.hold(row, lacks_watermarks)
    }

    /// The line that is one too many is not held.
    fn hold(&mut self, row: &NewRow<'_>, lacks_watermarks: bool) -> Result<(), Error> {
        self.limits.apply(&mut self.rows, lacks_watermarks)?;
        self.held += u64::from(row.flags & flag::TWIN == 0);
        Ok(())
    }

    /// A result has something of the row.
    #[inline]
    pub fn set_used(&mut self, number: u32) {
        self.rows.row_mut(number).set(flag::USED);
    }

    /// The row has had a partner, which checkpoints keep.
    #[inline]
    pub fn set_matched(&mut self, number: u32) {
        let row = self.rows.row_mut(number);
        if !row.has(flag::MATCHED) {
            row.set(flag::MATCHED);
            self.tracking.touch(number);
        }
    }

    /// A row has had its whole effect. Its number may be another row's from now on.
    pub fn release(&mut self, number: u32, out: &mut Out) {
        self.forget(number, out);
        self.rows.remove(number);
    }

    fn forget(&mut self, number: u32, out: &mut Out) {
        let row = self.rows.row(number);
        if !row.has(flag::TWIN) {
            self.held -= 1;
            if row.has(flag::USED) { out.settle(1) } else { out.leave_out(1) }
        }
        if self.tracking.forget(number) {
            self.gone.push(entries::name(row, self.rows.key(number)));
        }
    }

    /// Gives the rows that the watermark has passed; each is to be removed by [`KeptLines::remove_due`].
    pub fn take_due(&mut self, watermark_ms: i64, due: &mut Vec<u32>) {
        self.rows.take_due(watermark_ms, due);
    }

    /// Gives all rows, likewise.
    pub fn take_all(&mut self, due: &mut Vec<u32>) {
        self.rows.take_all(due);
    }

    /// Takes out a row that is due, if it is not gone already.
    pub fn remove_due(&mut self, number: u32, out: &mut Out) {
        if !self.rows.row(number).has(flag::GONE) {
            self.forget(number, out);
        }
        self.rows.remove_due(number);
    }

    /// Clears away what rows that are gone have left behind.
    ///
    /// # Errors
    /// The disk's.
    pub fn tidy(&mut self) -> Result<(), Error> {
        self.rows.tidy()
    }

    /// Gives the entries that changed since the last checkpoint, in order of arrival.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.gone.drain(..).for_each(|name| to.remove(&name));
        let rows = &self.rows;
        let mut due = self.tracking.take(rows.numbers());
        due.sort_unstable_by_key(|number| (rows.row(*number).sequence(), rows.row(*number).side()));
        let mut buffer = Vec::new();
        for number in due {
            let row = rows.row(number);
            let (_, body) = rows.line(number, &mut buffer)?;
            let name = entries::name(row, rows.key(number));
            to.put(&name, |out| self.entry_form.write(row, rows.span(number), body, out));
        }
        Ok(())
    }

    /// Takes back a row of a checkpoint.
    ///
    /// # Errors
    /// As [`KeptLines::keep`].
    pub fn restore(&mut self, row: &NewRow<'_>, lacks_watermarks: bool) -> Result<(), Error> {
        let number = self.rows.add(self.rows.find(row.key), row);
        self.tracking.restored(number);
        self.hold(row, lacks_watermarks)
    }
}
