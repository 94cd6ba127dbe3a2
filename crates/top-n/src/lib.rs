//! Keeps the N best lines of each key.
//!
//! **A line** is a JSON value, an object where members are put in front of it. Its key is made of `--by`, with
//! `--window` also of `window_start` and `window_end`.
//!
//! **What comes out when.** The best lines of each key at the end of the input, or with `--window` as soon as the
//! watermark reaches the window's last millisecond, before the mark: windows by (end, start), keys in the order of
//! [`values::key::compare`], the best line first. With `--emit update` each change as it comes, and nothing later.
//!
//! **What is kept**: N lines of each key, with `--ties` also those equal to the last of them; at most `--max-keys` keys,
//! and `--buffer` of lines. At a limit the tool stops.
//!
//! **Late** is a line whose window is closed. **Bad** is a line that is not JSON, is no object where it must be, or has no
//! window of time with `--window`.
//!
//! **Marks** pass, but for those about time and partitions, which end here: results come later than lines, and are of no
//! partition. With `--keep-marks` watermarks go on, and with `--where` all marks, for the stages that take other lines.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod order;
mod ranking;
mod snapshot;
mod windows;
mod writer;

use std::io::{self, BufRead, Write};

use event_time::{Window, format_rfc3339};
use json_fields::FieldPath;
use keyed_state::{BufferLimit, KeyLimit, Keyed, hash};
use line_values::{Expression, LineValues};
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};

pub use crate::order::Order;

use crate::cli::Emit;
use crate::ranking::{Ranking, Row};
use crate::windows::{WindowReader, Windows};
use crate::writer::Writer;

/// What to do, as the flags say.
pub struct Job {
    pub n: usize,
    pub by: Vec<Expression>,
    pub order: Order,
    pub rank: Option<String>,
    pub ties: bool,
    pub window: bool,
    pub emit: Emit,
    pub keys: KeyLimit,
    pub buffer: BufferLimit,
    pub keep_marks: bool,
    pub has_other_lines: bool,
    pub flags: String,
}

impl Job {
    fn writes_changes(&self) -> bool {
        self.emit == Emit::Update
    }

    /// The expressions that are read of a line, apart from the members that [`Writer`] replaces.
    fn expressions(&self) -> Vec<Expression> {
        let windows = windows::NAMES.iter().filter(|_| self.window).map(|name| FieldPath::key(name).into());
        self.by.iter().chain(&self.order.expressions).cloned().chain(windows).collect()
    }
}

/// The operator.
pub struct TopN {
    job: Job,
    values: LineValues,
    key: Vec<u8>,
    cells: Vec<u8>,
    window_reader: WindowReader,
    writer: Writer,
    rankings: Keyed<Ranking>,
    windows: Windows,
    sequence: u64,
    rows: u64,
    bytes: usize,
    /// The stream has watermarks.
    has_watermarks: bool,
    watermark_ms: Option<i64>,
    warned: bool,
}

impl TopN {
    #[must_use]
    pub fn new(job: Job) -> TopN {
        let writer = Writer::new(&job);
        let replaced = writer.names().iter().map(|name| FieldPath::key(name).into());
        let expressions: Vec<Expression> = job.expressions().into_iter().chain(replaced).collect();
        TopN {
            values: LineValues::new(&expressions).watching(job.by.len() + job.order.expressions.len()),
            key: Vec::new(),
            cells: Vec::new(),
            window_reader: WindowReader::default(),
            writer,
            rankings: Keyed::new(job.keys),
            windows: Windows::default(),
            sequence: 0,
            rows: 0,
            bytes: 0,
            has_watermarks: false,
            watermark_ms: None,
            warned: false,
            job,
        }
    }

    /// Reads key, order and window of a line, and whether it has members that are to be replaced.
    fn read(&mut self, line: &[u8]) -> Result<(Option<Window>, bool), Fault> {
        let found = self.values.read(line).map_err(Fault::bad)?;
        let replaced = self.writer.names().len();
        if replaced > 0 && found.object().is_none() {
            return Err(Fault::bad("not an object"));
        }
        self.key.clear();
        let (by, order) = (self.job.by.len(), self.job.order.expressions.len());
        let mut first = by + order;
        let mut window = None;
        if self.job.window {
            let (read, prefix) = self.window_reader.read(&found, first)?;
            window = Some(read);
            self.key.extend_from_slice(prefix);
            first += windows::NAMES.len();
        }
        found.write_key(0..by, &mut self.key);
        self.cells.clear();
        found.write_key(by..by + order, &mut self.cells);
        let has_replaced = (first..first + replaced).any(|member| found.get(member).is_some());
        Ok((window, has_replaced))
    }

    /// The number of the line's key, a new one if there is none.
    fn find_or_insert(&mut self, window: Option<Window>) -> Result<u32, Fault> {
        let hash = hash(&self.key);
        if let Some(id) = self.rankings.find(&self.key, hash) {
            return Ok(id);
        }
        let id = self.rankings.insert(&self.key, hash, Ranking::default())?;
        if let Some(window) = window {
            self.windows.add(window, id);
        }
        Ok(id)
    }

    /// Puts the line that was read among the best of its key.
    fn take(&mut self, id: u32, place: usize, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let row = Row::new(&self.cells, line, self.sequence);
        self.job.buffer.check(self.bytes + row.bytes())?;
        self.bytes += row.bytes();
        let job = &self.job;
        let ranking = self.rankings.change(id);
        let before = if job.writes_changes() && job.rank.is_some() { ranking.ranks(job) } else { Vec::new() };
        let gone = ranking.insert(job, place, row);
        self.bytes -= gone.iter().map(Row::bytes).sum::<usize>();
        self.rows = self.rows + 1 - gone.len() as u64;
        if job.writes_changes() {
            self.writer.write_changes(job, ranking, place, &gone, &before, out);
            out.settle(1);
        } else {
            out.leave_out(gone.len() as u64);
        }
        Ok(())
    }

    /// Writes and forgets the best of these keys.
    fn close(&mut self, ids: Vec<u32>, out: &mut Out) {
        for id in ids {
            let ranking = self.rankings.remove(id);
            self.rows -= ranking.rows.len() as u64;
            self.bytes -= ranking.rows.iter().map(Row::bytes).sum::<usize>();
            if !self.job.writes_changes() {
                self.writer.write_all(&self.job, &ranking, out);
            }
        }
    }

    fn close_until(&mut self, watermark_ms: i64, out: &mut Out) {
        while let Some(mut ids) = self.windows.pop(watermark_ms) {
            let rankings = &self.rankings;
            ids.sort_unstable_by(|a, b| values::key::compare(rankings.key(*a), rankings.key(*b)));
            self.close(ids, out);
        }
    }

    fn watermark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.has_watermarks = true;
        if let Some(time_ms) = mark.watermark_ms()?
            && self.watermark_ms.is_none_or(|known_ms| known_ms < time_ms)
        {
            self.watermark_ms = Some(time_ms);
            self.close_until(time_ms, out);
        }
        self.pass_watermark(mark, out);
        Ok(())
    }

    fn pass_watermark(&self, mark: &Mark, out: &mut Out) {
        if self.job.keep_marks || self.job.has_other_lines {
            out.mark(mark);
        }
    }

    /// A second window is open: from now on it can be told.
    fn warn_without_watermarks(&mut self, out: &mut Out) {
        if self.windows.len() > 1 && !self.has_watermarks && !self.warned {
            self.warned = true;
            out.warn("no watermarks come: all windows are written at the end of the input\nhint: aggregate --keep-marks passes them on");
        }
    }
}

impl Stage for TopN {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let (window, has_replaced) = self.read(line)?;
        if let (Some(window), Some(watermark_ms)) = (window, self.watermark_ms)
            && window.is_closed_by(watermark_ms)
        {
            let (end, watermark) = (format_rfc3339(window.end_ms), format_rfc3339(watermark_ms));
            let why = format_args!("its window up to {end} closed at watermark {watermark}");
            out.late(line, why, "a longer --lateness at window waits for such lines, --late reject keeps them aside");
            return Ok(());
        }
        let id = self.find_or_insert(window)?;
        self.warn_without_watermarks(out);
        match self.rankings.get(id).place(&self.job, &self.cells) {
            None => out.leave_out(1),
            Some(place) if has_replaced => {
                let line = self.writer.cleaned(line).to_vec();
                self.take(id, place, &line, out)?;
            }
            Some(place) => self.take(id, place, line, out)?,
        }
        self.sequence += 1;
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match mark.kind() {
            MarkKind::Watermark => return self.watermark(mark, out),
            MarkKind::From | MarkKind::Idle if !self.job.has_other_lines => {}
            _ => out.mark(mark),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.job.window {
            self.close_until(i64::MAX, out);
        } else if !self.job.writes_changes() {
            self.close(self.rankings.ids_by_key(), out);
        }
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.values.remark("lines")
    }

    fn held(&self) -> u64 {
        if self.job.writes_changes() { 0 } else { self.rows }
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for TopN {
    fn flags(&self) -> String {
        self.job.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        // What a key begins with is of no field: shard cannot divide by it.
        let window = ["the window's start", "the window's end"].into_iter().filter(|_| self.job.window);
        let by = window.map(str::to_owned).chain(self.job.by.iter().map(ToString::to_string));
        Head::new()
            .divided(Divides::by(by).max("/lines"))
            .with("lines", self.sequence)
            .with("has_watermarks", self.has_watermarks)
            .with("watermark_ms", self.watermark_ms)
            .write(to)
    }

    fn facts(&self, to: &mut Facts) {
        to.insert("keys".to_owned(), self.rankings.len().into());
        to.insert("state_bytes".to_owned(), self.bytes.into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "top-n")?;
        self.sequence = head.count("lines")?;
        self.has_watermarks = head.flag("has_watermarks")?;
        self.watermark_ms = head.maybe("watermark_ms")?;
        Ok(())
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.rankings.save(to, snapshot::write_ranking);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.load_ranking(key, value)
    }
}

#[cfg(test)]
mod tests;
