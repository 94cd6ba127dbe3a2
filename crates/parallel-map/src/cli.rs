//! The command line of `parallel-map`.

use std::ffi::OsString;
use std::time::Duration;

use jq_filters::{FilterArgs, NoProgram, Program};
use millpipe::{Command, Config, Error, Jobs};
use selection::WhereArgs;
use units::{ByteSize, DurationMs};

/// A batch for a filter: small, as nothing is paid for a batch.
const FILTER_BATCH: ByteSize = ByteSize::kib(64);
/// A batch for a program: large, as each one costs a process.
const COMMAND_BATCH: ByteSize = ByteSize::mib(1);
/// How long lines for a program may collect while another batch is with one: about what a process costs.
const COMMAND_LINGER: Duration = Duration::from_millis(5);

/// How long a program that is kept may be silent.
const PERSISTENT_TIMEOUT: DurationMs = DurationMs(60_000);

const EXAMPLES: &str = "\
Examples:
  Pick and compute, over all cores, in order:
    parallel-map 'select(.status >= 500) | {key, ms: (.value * 1000 | floor)}' < events.ndjson

  With values from the shell:
    parallel-map --arg host \"$HOSTNAME\" --argjson limits '{\"free\": 10}' '. + {host: $host, limit: $limits.free}' < events.ndjson

  Change lines of one kind, and leave the others as they are:
    parallel-map --where '.status == 200' 'del(.host)' < events.ndjson

  Money: with decimals 0.1 + 0.2 is 0.3:
    parallel-map --decimal '.value *= 1.19' < events.ndjson

  Any program that reads lines and writes lines, a new process for each batch:
    parallel-map -j 4 -- python3 score.py < events.ndjson

  A program that is slow to start, kept alive; it answers each line with one line, at once:
    parallel-map --persistent -- jq --unbuffered -c '.seen = true' < events.ndjson

  Between two stages, where marks and counts must stay right:
    window --size 10s < events.ndjson | parallel-map -- jq -c 'select(.status == 500)' | aggregate count";

/// Run a jq filter, or any program, on lines in parallel, and keep their order
///
/// With FILTER, each line goes through the jq filter and gives none, one or many lines of compact
/// JSON. Numbers that the filter does not compute with keep their digits. A line on which the filter fails gives
/// nothing and is a bad line, with jq's message. `input`, `inputs` and $ENV are not there: each line stands alone.
///
/// With -- CMD ARG..., batches of lines go to processes of CMD on stdin, and what they write to stdout takes the
/// place of the batch. A batch goes to a free worker at once when none is busy; else lines collect, up to --batch.
/// A mark ends a batch. When a process fails (its status is not 0), the message has its status or signal and its
/// last words on stderr, and its batch is given to a new one (--retries), or goes the way of --on-error as a whole. Where that is not
/// given, one that was killed (SIGKILL, SIGTERM, SIGINT, SIGHUP) or ended with 75 ends the run with 75: its lines are not
/// known to be bad.
/// A grep that finds nothing in a batch ends with 1: say sh -c 'grep x || true'. Blank lines of CMD are no lines. --where is for
/// FILTER: CMD gets all lines.
///
/// At most two batches for each job are in flight: a slow CMD stops the reader, memory does not grow.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "parallel-map", version, after_help = EXAMPLES, override_usage = "parallel-map [OPTIONS] FILTER\n       parallel-map [OPTIONS] -- CMD [ARG]...")]
pub struct Cli {
    /// The jq filter
    #[arg(value_name = "FILTER", conflicts_with_all = ["from_file", "command"])]
    pub filter: Option<String>,

    /// The program for batches of lines, and its arguments
    #[arg(value_name = "CMD", last = true, conflicts_with = "FilterArgs")]
    pub command: Vec<OsString>,

    /// How many lines or batches are worked on at the same time; default: one for each core
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,

    /// A batch that has reached this size waits no longer for more lines; default: 64KiB for FILTER, 1MiB for CMD
    #[arg(long, value_name = "SIZE")]
    pub batch: Option<ByteSize>,

    /// Write what is done first; only marks keep their place among the lines
    #[arg(long)]
    pub unordered: bool,

    /// The most that one line (FILTER) or one batch (CMD) may give; more is a bad line, or a failed batch
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    pub max_output: ByteSize,

    #[command(flatten)]
    pub filter_args: FilterArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    /// Keep a process for each job; it must answer each line with one line, without waiting for the next. A program
    /// that holds its output back must be told not to: jq --unbuffered, sed -u, grep --line-buffered, python3 -u
    #[arg(long, help_heading = "With CMD")]
    pub persistent: bool,

    /// Give a batch to a new process up to N more times when one has failed with it
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "With CMD")]
    pub retries: u32,

    /// A process that needs longer for a batch, or with --persistent for the next line, is ended and has failed;
    /// default: none, with --persistent 1m
    #[arg(long, value_name = "DURATION", help_heading = "With CMD")]
    pub timeout: Option<DurationMs>,

    /// Lines may be any text; otherwise a line that is not JSON is a bad line and does not reach CMD
    #[arg(long, help_heading = "With CMD")]
    pub text: bool,

    #[command(flatten)]
    pub stage: millpipe::StageArgs,
}

/// What is to be done with the lines.
pub enum Work {
    Filter(Program, Jobs),
    Command(Command, Jobs),
}

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("parallel-map"))
    }

    /// The work, checked.
    ///
    /// # Errors
    /// When there is none, or the filter is wrong.
    pub fn work(&self) -> Result<Work, Error> {
        if let Some((program, args)) = self.command.split_first() {
            if self.selection.selection.is_some() {
                return Err(Error::usage("--where is for a FILTER: CMD gets all lines")
                    .hint("CMD can pass the others itself: jq -c 'if .kind == \"a\" then … else . end'"));
            }
            let command = Command {
                program: program.clone(),
                args: args.to_vec(),
                persistent: self.persistent,
                retries: self.retries,
                output_bytes_max: self.max_output.as_usize(),
                timeout: self.timeout().map(|time| Duration::from_millis(time.0.unsigned_abs())),
                check: (!self.text).then_some(check_json),
            };
            return Ok(Work::Command(command, self.jobs(COMMAND_BATCH, COMMAND_LINGER)));
        }
        self.check_filter_flags()?;
        let program = self.filter_args.program(self.filter.as_deref()).map_err(no_program)?;
        Ok(Work::Filter(program, self.jobs(FILTER_BATCH, Duration::ZERO)))
    }

    /// clap does not require a CMD that a FILTER excludes.
    fn check_filter_flags(&self) -> Result<(), Error> {
        let flags = [
            ("--persistent", self.persistent),
            ("--retries", self.retries > 0),
            ("--timeout", self.timeout.is_some()),
            ("--text", self.text),
        ];
        match flags.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::usage(format_args!("{flag} is for a program behind --, not for a FILTER"))),
            None => Ok(()),
        }
    }

    /// A program that holds its output back would never answer: that must not look like slow work for ever.
    fn timeout(&self) -> Option<DurationMs> {
        self.timeout.or(self.persistent.then_some(PERSISTENT_TIMEOUT))
    }

    fn jobs(&self, batch: ByteSize, linger: Duration) -> Jobs {
        Jobs {
            workers: self.jobs.map_or_else(Jobs::workers_default, usize::from),
            batch_bytes: self.batch.unwrap_or(batch).as_usize(),
            unordered: self.unordered,
            linger,
        }
    }
}

fn no_program(why: NoProgram) -> Error {
    match why {
        NoProgram::Nothing => Error::usage("no FILTER and no -- CMD")
            .hint("say for example: parallel-map '.value', or: parallel-map -- grep error"),
        NoProgram::File(file, e) => Error::io(file.display(), &e),
        NoProgram::Wrong(wrong) => Error::usage(&wrong).maybe_hint(wrong.hint),
    }
}

fn check_json(line: &[u8]) -> Result<(), String> {
    json_fields::validate(line).map_err(|why| why.to_string())
}
