//! The flags of `lookup`, and which of them go together.

use std::path::PathBuf;

use clap::Parser;
use event_time::{EventTime, TimeArgs};
use keyed_state::{BufferLimit, KeyArgs};
use line_values::{Expression, Expressions};
use millpipe::{Config, Error, Fault, Hangup, LateArgs, StageArgs, StateFlags};
use selection::{Selection, WhereArgs};
use units::ByteSize;

use crate::file::{TableFile, check as check_file};
use crate::on::On;
use crate::read_table::{Csv, Format, TableReader};
use crate::stream::{LookupStream, StreamJob};
use crate::{Duplicates, Kind, Lookup};

const AFTER_HELP: &str = "\
--on says which row belongs to a line: on the left a field or an expression of the line, on the right a column of the
table. 1 and 1.0 are equal; null and what is missing are equal to nothing. All columns but those of the key are put
behind the line's own members, or those of --fields: COLUMN, or NAME=COLUMN.

A table in a file is NDJSON, or CSV by its ending (.csv, .tsv). Values of a CSV are strings, with --csv-numbers those
that are JSON numbers are numbers. A key in it has no type: a string of a line is equal to the same text, \"1.10\" to 1.10
and not to 1.1; a number is equal to any text with its value. Where several have it, the number gets the row that is
written the shortest way (1.1), else the first, with --duplicates all every one. A quote that is not closed, or has text
behind it, is an error.

The file is read again when it has changed and then stayed the same for a second, and within a second of a SIGHUP; a file that cannot be
read leaves the table as it was, with a warning. Replace it by renaming (mv), so that no half of it is seen. While it is
read no line is, and none is lost. A pipe is read once: --table <(gzip -dc users.csv.gz) --table-format csv. With checkpoints,
a run that starts again reads the file as it is then: lines that
come a second time can get other values.

--table-where takes the table out of the stream itself: lines for which it is true are rows, and go no further; the
last row of a key counts. So a compacted Kafka topic is a table: kafka-cat-in reads it beside the others, with --tag. The
table is kept in checkpoints, so this one is exact when a run starts again. With --time a line gets the row as of its own
time: it waits until the watermark is beyond that, and comes out by time, and of equal times as it arrived.

Examples:
  lookup --table users.csv --on 'user = id' < clicks.ndjson
  lookup --table users.csv --on '.user = id' --fields plan,since=created --kind inner < clicks.ndjson
  lookup --table hosts.ndjson --on 'host = name' --prefix host_ < log.ndjson
  lookup --table-where '.kind == \"rate\"' --on 'currency = code' --fields rate --time at --lateness 1s < orders.ndjson";

/// Put members of a table's row behind those of each line
///
/// A line without a row passes unchanged, or with --kind inner is left out.
#[derive(Parser, Clone, Debug)]
#[command(name = "lookup", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The file with the table: CSV or NDJSON
    #[arg(long, value_name = "FILE", help_heading = "The table")]
    pub table: Option<PathBuf>,

    /// Lines of the stream for which this jq filter is true are the table's rows
    #[arg(long, value_name = "FILTER", conflicts_with = "table", help_heading = "The table")]
    pub table_where: Option<Selection>,

    /// Which row belongs to a line: EXPR = COLUMN, with commas between several
    #[arg(long, value_name = "EXPR=COLUMN")]
    pub on: On,

    /// The columns to put behind a line's members, with commas between them: COLUMN, or NAME=COLUMN [default: all but those of the key]
    #[arg(long, value_name = "COLUMNS")]
    pub fields: Option<Expressions>,

    /// Put this in front of the columns' names
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,

    /// What becomes of a line that has no row
    #[arg(long, value_name = "KIND", default_value = "left")]
    pub kind: Kind,

    /// What to do with two rows of one key
    #[arg(long, value_name = "WHAT", default_value = "error", help_heading = "The table")]
    pub duplicates: Duplicates,

    /// What the file is [default: by its ending: .csv, .tsv, .ndjson, .jsonl]
    #[arg(long, value_name = "FORMAT", requires = "table", help_heading = "The table")]
    pub table_format: Option<TableFormat>,

    /// What stands between the fields of a CSV [default: a comma, in .tsv a tab]
    #[arg(long, value_name = "CHAR", requires = "table", help_heading = "The table")]
    pub delimiter: Option<char>,

    /// The columns of a CSV that has no header, with commas between them
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "table", help_heading = "The table")]
    pub columns: Option<Vec<String>>,

    /// Fields of a CSV that are JSON numbers become numbers
    #[arg(long, requires = "table", help_heading = "The table")]
    pub csv_numbers: bool,

    /// With --table-where, the time of a row [default: --time]
    #[arg(long, value_name = "FIELD", requires = "time", help_heading = "The table")]
    pub table_time: Option<Expression>,

    /// With --table-where, a row for which this jq filter is true takes its key out of the table
    #[arg(long, value_name = "FILTER", requires = "table_where", help_heading = "The table")]
    pub table_delete: Option<Selection>,

    #[command(flatten)]
    pub time: TimeArgs,

    #[command(flatten)]
    pub keys: KeyArgs,

    /// The most memory for the table and for lines that wait; beyond it, stop
    #[arg(long, value_name = "SIZE", default_value = "1GiB", help_heading = "Limits")]
    pub buffer: ByteSize,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// What a table's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TableFormat {
    /// Comma-separated values, with a header or --columns
    Csv,
    /// A JSON object on each line
    Ndjson,
}

/// The stage that the flags ask for.
pub enum Plan {
    File(Box<Lookup>),
    Stream(Box<LookupStream>),
}

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        let config = self.stage.config("lookup").with_late(self.late.late);
        self.selection.select(config.with_keys(Some(&Expressions(self.on.left.clone()))))
    }

    /// # Errors
    /// `Usage` where flags do not go together; a table that cannot be read.
    pub fn plan(&self) -> Result<Plan, Fault> {
        self.check()?;
        match (&self.table, &self.table_where) {
            (Some(path), _) => {
                // The name does not tell what is in a folder or in compressed data: the bytes do.
                let checked = check_file(path);
                if path.exists() {
                    checked.clone()?;
                }
                let tables = TableFile::new(path.clone(), self.table_reader(path)?, Hangup::catch()?);
                // It is read later: that it is not there at all is told now.
                checked?;
                let lookup = Lookup::new(self.on.left.clone(), self.kind, Box::new(tables));
                Ok(Plan::File(Box::new(lookup.reporting(self.stage.run.verbose))))
            }
            (None, Some(rows)) => Ok(Plan::Stream(Box::new(LookupStream::new(self.stream_job(rows)?)))),
            (None, None) => Err(Error::usage("no table").hint("say --table FILE, or --table-where FILTER").into()),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let is_stream = self.table_where.is_some();
        let has_time = self.time.time.is_some();
        let rules = [
            (
                is_stream && self.fields.is_none(),
                "--table-where without --fields",
                "say which members of a row to take: --fields name,rate",
            ),
            (
                is_stream && self.duplicates != Duplicates::Error,
                "--duplicates with --table-where",
                "there the last row counts",
            ),
            (
                !is_stream && self.time.given().is_some(),
                "flags of time with --table",
                "a file has no time; --table-where has",
            ),
            (is_stream && !has_time && self.time.given().is_some(), "flags of time without --time", "say --time FIELD"),
            (!has_time && self.late.late.is_some(), "--late without --time", "without times no line is late"),
        ];
        Error::of_broken_rule(rules)
    }

    pub(crate) fn table_reader(&self, path: &std::path::Path) -> Result<TableReader, Error> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        let is_csv = match (self.table_format, ending.as_str()) {
            (Some(format), _) => format == TableFormat::Csv,
            (None, "csv" | "tsv") => true,
            (None, "ndjson" | "jsonl") => false,
            (None, _) => {
                let error = Error::usage(format_args!(
                    "what is in {:?} cannot be told by its name",
                    path.display().to_string()
                ));
                return Err(error.hint("say --table-format csv or --table-format ndjson"));
            }
        };
        if !is_csv && (self.columns.is_some() || self.delimiter.is_some() || self.csv_numbers) {
            return Err(Error::usage("flags of a CSV with an NDJSON table")
                .hint("--columns, --delimiter and --csv-numbers are for CSV"));
        }
        let usual = if ending == "tsv" { '\t' } else { ',' };
        let delimiter = self.delimiter.unwrap_or(usual);
        let delimiter = u8::try_from(delimiter)
            .ok()
            .filter(u8::is_ascii)
            .ok_or_else(|| Error::usage(format_args!("--delimiter {delimiter:?} is not one ASCII character")))?;
        let csv = Csv { delimiter, columns: self.columns.clone(), numbers: self.csv_numbers };
        Ok(TableReader {
            format: if is_csv { Format::Csv(csv) } else { Format::Ndjson },
            key: self.on.right.clone(),
            fields: self.fields.clone().map(|fields| fields.0),
            prefix: self.prefix.clone(),
            duplicates: self.duplicates,
            keys_max: self.keys.max_keys.get(),
            buffer: self.buffer,
        })
    }

    fn stream_job(&self, rows: &Selection) -> Result<StreamJob, Error> {
        let fields = self.fields.clone().map(|fields| fields.0).unwrap_or_default();
        let has_time = self.time.time.is_some();
        Ok(StreamJob {
            on: self.on.clone(),
            names: fields.iter().map(|field| format!("{}{}", self.prefix, field.name())).collect(),
            kind: self.kind,
            rows: rows.selector(),
            deletes: self.table_delete.as_ref().map(Selection::selector),
            table_time: self.table_time.clone().or_else(|| self.time.time.clone()),
            time: if has_time { self.time.event_time() } else { EventTime::none() },
            keys: self.keys.limit(""),
            buffer: BufferLimit::new(self.buffer, "the table and the lines that wait", ""),
            reports: self.stage.run.verbose,
            flags: self.stream_flags(rows, &fields).into(),
            fields,
        })
    }

    /// What the state depends on.
    fn stream_flags(&self, rows: &Selection, fields: &[Expression]) -> StateFlags {
        let name = |field: &Expression| format!("{}{}={field}", self.prefix, field.name());
        let fields: Vec<String> = fields.iter().map(name).collect();
        let flags = StateFlags::new()
            .quoted("--table-where", rows)
            .quoted("--on", &self.on)
            .quoted("--fields", fields.join(","));
        if self.time.time.is_some() { flags.text(self.time.for_snapshot()) } else { flags }
    }
}
