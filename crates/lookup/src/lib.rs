//! Puts members of a table's row behind those of each line.
//!
//! **A line** is a JSON object, whose key is made of the expressions on the left of `--on`. A value that is null or
//! missing is equal to no row.
//!
//! **What comes out when.** A line with the members of its row, at once and in place; with several rows (`--duplicates
//! all`) once for each. A line without a row passes unchanged, or with `--kind inner` is left out. Marks pass.
//!
//! **The table** comes from a [`Tables`]: a file that is read again when it changes ([`Lookup`]), or the stream itself
//! ([`LookupStream`]), which says in its own module when lines come out and what is kept.
//!
//! **What is kept** of a file: its rows, at most `--max-keys` and `--buffer`. It is no state of the stream: a run that
//! starts again reads the file as it is then.
//!
//! **Bad** is a line that is no JSON object, or has a member of a name that the table puts there.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod csv_keys;
mod csv_quotes;
mod file;
mod history;
mod line_reader;
mod on;
mod read_table;
mod stream;
mod table;
mod tables;
mod waiting;

use line_values::Expression;
use millpipe::{Fault, Out, Stage, Stateful};

pub use crate::read_table::{Csv, Format, TableReader};
pub use crate::stream::{LookupStream, StreamJob};
pub use crate::table::{Duplicates, Table};
pub use crate::tables::Tables;

use crate::line_reader::{LineReader, write_joined};
use crate::table::Search;

/// What becomes of a line without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// It is left out
    Inner,
    /// It passes unchanged
    Left,
}

/// How often the table is looked at.
const LOOK_MS: i64 = 1_000;

/// The operator for a table that is not in the stream.
pub struct Lookup {
    left: Vec<Expression>,
    kind: Kind,
    tables: Box<dyn Tables>,
    table: Table,
    reader: LineReader,
    search: Search,
    /// When to look at the table next; none before the first line.
    look_at_ms: Option<i64>,
    reports: bool,
    lines: u64,
    lines_without: u64,
}

impl Lookup {
    /// The table is loaded when the stream begins. A large one takes its time, and the hello of a checked stream goes on before
    /// that: the source wants to know that there is a sink.
    #[must_use]
    pub fn new(left: Vec<Expression>, kind: Kind, tables: Box<dyn Tables>) -> Lookup {
        let reader = LineReader::new(&left, None, Vec::new());
        Lookup {
            left,
            kind,
            tables,
            table: Table::default(),
            reader,
            search: Search::default(),
            look_at_ms: None,
            reports: false,
            lines: 0,
            lines_without: 0,
        }
    }

    fn take(&mut self, table: Table) {
        self.reader = LineReader::new(&self.left, None, table.names.clone());
        self.table = table;
    }

    /// Says at the end how many lines had no row.
    #[must_use]
    pub fn reporting(self, reports: bool) -> Lookup {
        Lookup { reports, ..self }
    }
}

/// What `-v` says of the lines.
fn report(lines_without: u64, lines: u64, out: &mut Out) {
    out.warn(format_args!("{lines_without} of {lines} lines have no row in the table"));
}

/// A line has no row.
fn without_row(kind: Kind, line: &[u8], out: &mut Out) {
    match kind {
        Kind::Left => out.line(line),
        Kind::Inner => out.leave_out(1),
    }
}

impl Stage for Lookup {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        let table = self.tables.load()?;
        self.take(table);
        self.look_at_ms = Some(out.now_ms() + LOOK_MS);
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let read = self.reader.read(line)?;
        let rows = read.key.map_or(&[][..], |key| self.table.find(key, &mut self.search));
        self.lines += 1;
        let Some((first, others)) = rows.split_first() else {
            self.lines_without += 1;
            without_row(self.kind, line, out);
            return Ok(());
        };
        write_joined(line, self.table.members(*first), out.buffer());
        out.end_line();
        for row in others {
            write_joined(line, self.table.members(*row), out.buffer());
            out.end_result();
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.reports {
            report(self.lines_without, self.lines, out);
        }
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.look_at_ms
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.look_at_ms = Some(out.now_ms() + LOOK_MS);
        match self.tables.look() {
            Some(Ok(table)) => {
                self.take(table);
                if self.reports {
                    out.warn(format_args!("the table has changed, and has {} keys now", self.table.len()));
                }
            }
            Some(Err(error)) => out.warn(format_args!("{}; the table stays as it was", error.message)),
            None => {}
        }
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        None
    }
}

#[cfg(test)]
mod tests;
