//! The flags of `validate`.

use crate::Schema;
use millpipe::{Config, Error, Jobs, StageArgs};
use selection::WhereArgs;
use std::path::PathBuf;
use std::time::Duration;

const AFTER_HELP: &str = r#"A schema is one file of JSON Schema 2020-12, or of the draft that its $schema names. $ref points inside it (#/$defs/…):
nothing else is read, from the network or the disk. format is a remark unless --formats makes it a rule, as the standard has it.

With --coerce, where the schema wants a number, integer or boolean and the line has a string that is one, the quotes go; where
it wants a date-time and the line has an epoch number (seconds to nanoseconds, by magnitude), that becomes RFC 3339. Values that
fit are not touched, nor are those inside anyOf and oneOf. A line that still does not fit is a bad line, as it came.

Examples:
  echo '{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}' > schema.json
  validate --schema schema.json < clicks.ndjson > good.ndjson
  validate --schema schema.json --on-error reject --rejects bad.ndjson < clicks.ndjson | aggregate n=count
  validate --schema schema.json --coerce --formats --where '.kind == "bid"' < events.ndjson"#;

/// Let lines through that fit a JSON Schema
///
/// The first thing that is wrong with a line is the reason why it is bad: .items[2].price: "x" is not of type "number".
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "validate", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The file with the schema
    #[arg(long, value_name = "FILE")]
    pub schema: PathBuf,

    /// Turn strings into the numbers, booleans and times that the schema wants, where they are such
    #[arg(long)]
    pub coerce: bool,

    /// Take a value that is not of its format (date-time, email, uuid, …) for wrong
    #[arg(long)]
    pub formats: bool,

    /// How many lines are worked on at the same time; default: one for each core
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

const BATCH_BYTES: usize = 64 * 1024;

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("validate"))
    }

    /// Reads and compiles the schema.
    ///
    /// # Errors
    /// When the file cannot be read; `Usage` when it is no schema.
    pub fn schema(&self) -> Result<Schema, Error> {
        let text = std::fs::read(&self.schema).map_err(|error| Error::io(self.schema.display(), &error))?;
        Schema::new(&self.schema, &text, self.formats, self.coerce)
    }

    #[must_use]
    pub fn jobs(&self) -> Jobs {
        let workers = self.jobs.map_or_else(Jobs::workers_default, usize::from);
        Jobs { workers, batch_bytes: BATCH_BYTES, unordered: false, linger: Duration::ZERO }
    }
}
