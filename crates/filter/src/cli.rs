//! The command line of `filter`.

use jq_filters::{FilterArgs, NoProgram, Program};
use millpipe::{Config, Error, Jobs, StageArgs};
use selection::WhereArgs;

use crate::{Keeps, Seen};

/// What a job is given at once: as much as a read gives.
const BATCH_BYTES: usize = 64 << 10;

const EXAMPLES: &str = "\
Examples:
  Those that went wrong, and those of one kind among others:
    filter '.status >= 500 and (.path | startswith(\"/api\"))' < events.ndjson
    filter '(.timestamp | time_ms) >= (\"2026-01-01T00:01:00Z\" | time_ms)' < events.ndjson
    filter '.path | test(\"/cart/[0-9]+$\")' < events.ndjson
    filter --where '.path | startswith(\"/api/\")' '.value < 100' < events.ndjson
    filter --not '.key | IN(\"user-0\", \"user-1\")' < events.ndjson

  Between two stages, where counts and marks stay right:
    window --size 10s < events.ndjson | filter '.status == 500' | aggregate --by key count";

/// Let the lines pass for which a jq filter is true
///
/// A line for which FILTER gives true, or any value but false and null, passes as it came, to the byte: numbers, the order
/// of keys and spaces are those of the input. A line for which it gives false, null or nothing is dropped. A line on which
/// it fails ("a" + 1) is a bad line, with jq's message, and so is one that is not JSON.
///
/// FILTER is in jq's language. What is made of fields, comparisons, and, or, not, arithmetic, has,
/// startswith, endswith, contains, test, IN and their like is worked out on the bytes of the line, without parsing it
/// into values; anything else takes longer. Marks pass in their place.
///
/// Times are compared by time_ms, which gives the milliseconds of RFC 3339 texts in any form and of epoch numbers. As texts,
/// 00:01:00.500Z is before 00:01:00Z. What differs from jq is told in docs/jq.md.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "filter", version, after_help = EXAMPLES)]
pub struct Cli {
    /// The jq filter
    #[arg(value_name = "FILTER", conflicts_with = "from_file")]
    pub filter: Option<String>,

    /// Let the other lines pass: those for which the filter is not true
    #[arg(long)]
    pub not: bool,

    /// How many lines are worked on at the same time, in order all the same. Most filters take less time than a further job
    /// costs
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: u16,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub filter_args: FilterArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("filter"))
    }

    /// The program, checked.
    ///
    /// # Errors
    /// When there is none, or the filter is wrong.
    pub fn program(&self) -> Result<Program, Error> {
        self.filter_args.program(self.filter.as_deref()).map_err(no_program)
    }

    pub fn keeps(&self) -> Keeps {
        if self.not { Keeps::Others } else { Keeps::True }
    }

    /// Says at the end what the filter was, if that is worth a word.
    pub fn say(&self, seen: &Seen) {
        if let Some(text) = seen.report(self.stage.run.verbose) {
            millpipe::warn("filter", &text);
        }
    }

    pub fn jobs(&self) -> Jobs {
        let linger = std::time::Duration::ZERO;
        Jobs { workers: self.jobs.into(), batch_bytes: BATCH_BYTES, unordered: false, linger }
    }
}

fn no_program(why: NoProgram) -> Error {
    match why {
        NoProgram::Nothing => Error::usage("no FILTER").hint("say for example: filter '.status >= 500'"),
        NoProgram::File(file, e) => Error::io(file.display(), &e),
        NoProgram::Wrong(wrong) => Error::usage(&wrong).maybe_hint(wrong.hint),
    }
}
