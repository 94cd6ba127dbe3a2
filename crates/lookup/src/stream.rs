//! A table that comes in the stream: rows among the lines.
//!
//! A table in a Kafka topic needs no client of its own here: `kafka-cat-in` reads that topic beside the others. So its
//! place in the topic is in the same checkpoint as all else, and its time is that of the pipe.
//!
//! **Rows** are lines that `--table-where` selects; they end here, and the last one of a key counts. One that
//! `--table-delete` selects takes its key out.
//!
//! **What comes out when.** Without `--time` a line gets the row that is there when it comes, at once and in place. With
//! `--time` it gets the last row of a time not above its own: it waits until the watermark is above its time, so that
//! no such row is still to come, and comes out by time, of equal times as it arrived, before the mark that moved time. Of
//! rows of one time the last to arrive counts. The time of all lines counts: of rows, and of those that `--where` leaves.
//!
//! **What is kept**: the rows, with `--time` also earlier ones that a line which is not late may need; lines that wait.
//! At most `--max-keys` keys, and `--buffer` for all of it.
//!
//! **Late** is a line below the watermark that wants a row that is forgotten.

use std::io::{self, BufRead, Write};

use event_time::{EventTime, format_rfc3339};
use keyed_state::{BufferLimit, KeyLimit, Keyed, hash};
use line_values::{Expression, LineValues};
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, Out, Stage, Stateful};
use selection::Selector;
use values::KeyText;

use crate::history::{AsOf, History};
use crate::line_reader::{LineReader, write_joined};
use crate::on::On;
use crate::read_table::write_name;
use crate::waiting::{self, Waiter, Waiting};
use crate::{Kind, report, without_row};

/// What to do, as the flags say.
pub struct StreamJob {
    pub on: On,
    /// What lines get of a row, and how it is called there.
    pub fields: Vec<Expression>,
    pub names: Vec<String>,
    pub kind: Kind,
    pub rows: Selector,
    pub deletes: Option<Selector>,
    pub time: EventTime,
    /// Where the time of a row is.
    pub table_time: Option<Expression>,
    pub keys: KeyLimit,
    pub buffer: BufferLimit,
    /// Say at the end how many lines had no row.
    pub reports: bool,
    pub flags: String,
}

/// The operator.
pub struct LookupStream {
    job: StreamJob,
    reader: LineReader,
    /// Reads rows: key, fields, time.
    row_values: LineValues,
    histories: Keyed<History>,
    history_bytes: usize,
    waiting: Waiting,
    sequence: u64,
    lines: u64,
    lines_without: u64,
    key: Vec<u8>,
    members: Vec<u8>,
}

impl LookupStream {
    #[must_use]
    pub fn new(job: StreamJob) -> LookupStream {
        let row_time = job.table_time.clone();
        LookupStream {
            reader: LineReader::new(&job.on.left, job.time.field(), job.names.clone()),
            row_values: LineValues::new(job.on.right.iter().chain(&job.fields).chain(&row_time)),
            histories: Keyed::new(job.keys),
            history_bytes: 0,
            waiting: Waiting::default(),
            sequence: 0,
            lines: 0,
            lines_without: 0,
            key: Vec::new(),
            members: Vec::new(),
            job,
        }
    }

    /// Takes in a row of the table.
    fn row(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let is_gone = match &mut self.job.deletes {
            Some(deletes) => deletes.takes(line)?,
            None => false,
        };
        let found = self.row_values.read(line).map_err(Fault::bad)?;
        let (keys, fields) = (self.job.on.right.len(), self.job.fields.len());
        if let Some(missing) = (0..keys).find(|at| found.get(*at).is_none_or(|value| value.is_null())) {
            return Err(Fault::bad(format_args!("a row without {}, which is of its key", self.job.on.right[missing])));
        }
        let time = found.get(keys + fields).map(|value| value.text());
        let time_ms = match &self.job.table_time {
            Some(field) => self.job.time.read_of(field, time, line, out.now_ms())?,
            None => 0,
        };
        self.key.clear();
        found.write_key(0..keys, &mut self.key);
        self.members.clear();
        for (at, name) in self.job.names.iter().enumerate() {
            write_name(name, &mut self.members);
            self.members.extend_from_slice(found.get(keys + at).map_or(b"null", |value| value.text()));
        }
        self.put(time_ms, is_gone)?;
        self.sequence += 1;
        out.settle(1);
        self.observe(time_ms, out);
        Ok(())
    }

    /// Puts the row that was read into the history of its key.
    fn put(&mut self, time_ms: i64, is_gone: bool) -> Result<(), Fault> {
        let watermark_ms = self.job.time.watermark_ms();
        let hash = hash(&self.key);
        let known = self.histories.find(&self.key, hash);
        if is_gone && !self.job.time.is_some() {
            if let Some(id) = known {
                self.history_bytes -= self.histories.remove(id).bytes();
            }
            return Ok(());
        }
        self.check_room(self.members.len() + History::VERSION_BYTES)?;
        let id = match known {
            Some(id) => id,
            None => self.histories.insert(&self.key, hash, History::default())?,
        };
        let history = self.histories.change(id);
        let before = history.bytes();
        history.put(time_ms, (!is_gone).then_some(&self.members), watermark_ms);
        self.history_bytes = self.history_bytes - before + history.bytes();
        Ok(())
    }

    fn check_room(&self, more: usize) -> Result<(), Fault> {
        Ok(self.job.buffer.check(self.history_bytes + self.waiting.bytes() + more)?)
    }

    /// Takes a line that wants a row: it waits, or is answered at once.
    fn wants_row(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let watermark_ms = self.job.time.watermark_ms();
        let read = self.reader.read(line)?;
        let time_ms = self.job.time.read(read.time, line, out.now_ms())?;
        let is_due = watermark_ms.is_some_and(|watermark_ms| time_ms < watermark_ms);
        if !self.job.time.is_some() || is_due {
            let found = as_of(&self.histories, read.key, time_ms);
            self.lines_without += u64::from(found == AsOf::NoRow);
            answer(self.job.kind, line, time_ms, found, out);
        } else {
            let waiter = Waiter::new(read.key, line);
            self.check_room(line.len())?;
            self.waiting.push(time_ms, self.sequence, waiter);
        }
        self.lines += 1;
        self.sequence += 1;
        self.observe(time_ms, out);
        Ok(())
    }

    fn observe(&mut self, time_ms: i64, out: &mut Out) {
        let moved_ms = self.job.time.observe(time_ms);
        self.advance(moved_ms, out);
    }

    /// Answers the lines whose time the watermark has passed.
    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(text) = self.job.time.take_warning() {
            out.warn(text);
        }
        let Some(watermark_ms) = moved_ms else { return };
        while let Some((time_ms, Waiter { key, line })) = self.waiting.pop(watermark_ms) {
            let found = as_of(&self.histories, key.as_ref().map(KeyText::as_bytes), time_ms);
            self.lines_without += u64::from(found == AsOf::NoRow);
            answer(self.job.kind, &line, time_ms, found, out);
        }
    }

    fn load_waiter(&mut self, sequence: u64, value: &[u8]) -> Option<()> {
        let (time_ms, line) = Waiting::read(value)?;
        let read = self.reader.read(&line).ok()?;
        let waiter = Waiter::new(read.key, &line);
        self.waiting.load(time_ms, sequence, waiter);
        Some(())
    }
}

/// The row of a key as of a time.
fn as_of<'h>(histories: &'h Keyed<History>, key: Option<&[u8]>, time_ms: i64) -> AsOf<'h> {
    let id = key.and_then(|key| histories.find(key, hash(key)));
    id.map_or(AsOf::NoRow, |id| histories.get(id).as_of(time_ms))
}

/// Writes a line with what was found for it.
fn answer(kind: Kind, line: &[u8], time_ms: i64, found: AsOf<'_>, out: &mut Out) {
    match found {
        AsOf::Row(members) => {
            write_joined(line, members, out.buffer());
            out.end_line();
        }
        AsOf::NoRow => without_row(kind, line, out),
        AsOf::Forgotten => {
            let why = format_args!("time {} is late: the row of that time is forgotten", format_rfc3339(time_ms));
            out.late_or_pass(line, why, "a longer --lateness remembers it, --late reject keeps such lines aside");
        }
    }
}

impl Stage for LookupStream {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if self.job.rows.takes(line)? { self.row(line, out) } else { self.wants_row(line, out) }
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if self.job.rows.takes(line)? {
            return self.row(line, out);
        }
        out.line(line);
        let moved_ms = self.job.time.pass(line, out.now_ms());
        self.advance(moved_ms, out);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.job.time.mark(mark, out.now_ms())?.flatten();
        self.advance(moved_ms, out);
        out.mark(mark);
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.advance(Some(i64::MAX), out);
        if self.job.reports {
            report(self.lines_without, self.lines, out);
        }
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.job.time.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.job.time.wake(out.now_ms());
        self.advance(moved_ms, out);
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn held(&self) -> u64 {
        self.waiting.lines() as u64
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for LookupStream {
    fn flags(&self) -> String {
        self.job.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::by(self.job.on.texts())
            .lines(waiting::NAME, "/1", "/lines")
            .sum("/lines")
            .any(self.job.time.of_any_shard());
        Head::new().with("time", self.job.time.snapshot()).with("lines", self.sequence).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.job.time.facts(to);
        to.insert("keys".to_owned(), self.histories.len().into());
        to.insert("state_bytes".to_owned(), self.history_bytes.into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "lookup")?;
        self.sequence = head.count("lines")?;
        self.waiting.restored(self.sequence);
        head.must(self.job.time.restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.histories.save(to, History::save);
        self.waiting.save(self.sequence, to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        if let Some(sequence) = Waiting::sequence_of(key) {
            return self.load_waiter(sequence, value).ok_or_else(|| Error::damaged_entry(key));
        }
        let id = self.histories.load(key, value, History::load)?;
        self.history_bytes += self.histories.get(id).bytes();
        Ok(())
    }
}
