//! The command line of `merge`.

use alignment::{Aligned, Tags};
use event_time::TimeArgs;
use millpipe::{Config, Error, Late, StageArgs};
use units::ByteSize;

use crate::by_time::{ByTime, Settings};
use crate::input::{self, Input};

const EXAMPLES: &str = "\
Examples:
  Two logs in the order of their times:
    generate --lines 2000 --event-rate 1/s > a.ndjson; generate --lines 2000 --event-rate 1/s --seed 2 > b.ndjson
    merge --by-time --time timestamp a.ndjson b.ndjson > both.ndjson

  Two pipelines side by side, and which line is from which:
    merge --tag from slow=<(parallel-map 'select(.value > 80)' < events.ndjson) errors=<(parallel-map 'select(.status == 500)' < events.ndjson)

  Files that are read at once, each with a watermark of its own:
    generate --lines 2000 --event-rate 1/s > a.ndjson; generate --lines 500 --event-rate 1/s > b.ndjson
    merge --marks a.ndjson b.ndjson | window --size 1m | aggregate count";

/// Make one stream of several inputs, with their marks aligned
///
/// An input is a file, a FIFO, a pipe that the shell makes (<(COMMAND)), or - for stdin; NAME=PATH gives it a name for --tag,
/// --marks and messages. Without one it is called by its path, a pipe by its number (the first is 1).
///
/// Each input's lines stay in their order. Between inputs, lines come as they arrive: a chunk of each input that has something,
/// in turn. With --by-time the whole output is in the order of time, equal times in the order of the inputs: the same inputs
/// give the same bytes, however they arrive. For that an input must be in order itself, up to --lateness; a line that comes
/// later than that is late. A line waits until every other input has come as far; so one that is silent and has not
/// ended holds all others back, unless it says idle (kafka-cat-in --marks).
///
/// Watermarks: the least of all inputs; one that has ended, or is idle in all its partitions, holds nothing back, and one without
/// watermarks holds them all back until it ends (--by-time reads its times instead). from and idle marks are told apart by the input's
/// name. Other marks pass in their place.
///
/// Checked streams (exactly-once) must all descend from one source. A barrier goes on when it has come from all inputs, and
/// an input that has it is not read meanwhile. Two sources that each keep checkpoints are refused: begin the pipeline with
/// one source. Stages in different branches of one pipeline need names of their own (--as).
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "merge", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Files, FIFOs, pipes of the shell, or - for stdin; NAME=PATH to name them
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<Input>,

    /// Write lines in the order of their times
    #[arg(long)]
    pub by_time: bool,

    /// Put the input's name into each line, as its first member FIELD
    #[arg(long, value_name = "FIELD")]
    pub tag: Option<String>,

    /// Mark which partition lines come from, and when one has nothing to read, so that window keeps a watermark for
    /// each: every input is one
    #[arg(long, conflicts_with = "by_time")]
    pub marks: bool,

    /// With --by-time: the most memory for lines of each input that wait for the others; at the limit it is not read on
    #[arg(long, value_name = "SIZE", default_value = "16MiB", requires = "by_time")]
    pub buffer: ByteSize,

    /// What happens to a late line: one that is further out of order than --lateness; with --by-time
    #[arg(long, value_name = "WHAT", requires = "by_time", help_heading = "Bad lines")]
    pub late: Option<Late>,

    #[command(flatten)]
    pub time: TimeArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

impl Cli {
    /// What clap does not check.
    ///
    /// # Errors
    /// Flags of time without `--by-time`; names that are not good.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(flag) = self.time.given().filter(|_| !self.by_time) {
            return Err(Error::usage(format_args!("{flag} is for --by-time: otherwise no time is read")));
        }
        if self.inputs.iter().filter(|input| input.is_stdin()).count() > 1 {
            return Err(Error::usage("stdin (-) can be one input only"));
        }
        if self.inputs.len() > INPUTS_MAX {
            return Err(Error::usage(format_args!("{} inputs, more than {INPUTS_MAX}", self.inputs.len()))
                .hint("file-cat-in reads any number of files"));
        }
        if self.tag.as_deref() == Some("$") {
            return Err(
                Error::usage("--tag $: a line that begins with it would be a mark").hint("say for example --tag from")
            );
        }
        input::names(&self.inputs).map(|_| ())
    }

    pub fn config(&self) -> Config {
        let mut config = self.stage.config("merge");
        config.policy.late = self.late;
        config
    }

    fn names(&self) -> Vec<String> {
        // They have been checked.
        input::names(&self.inputs).unwrap_or_default()
    }

    fn tags(&self) -> Option<Tags> {
        self.tag.as_ref().map(|field| Tags::new(field, &self.names()))
    }

    /// For lines in the order of arrival.
    pub fn aligned(&self) -> Aligned {
        Aligned::checked(self.names(), self.tags(), self.marks, self.flags())
    }

    /// For lines in the order of time.
    pub fn sorted(&self) -> ByTime {
        ByTime::new(Settings {
            inputs: self.inputs.len(),
            time: self.time.settings(),
            field: self.time.field(),
            tags: self.tags(),
            buffer_bytes: self.buffer.as_usize(),
            flags: self.flags(),
        })
    }

    /// What the state depends on.
    fn flags(&self) -> String {
        let inputs = format!("{} inputs", self.inputs.len());
        if self.by_time { format!("{inputs} --by-time {}", self.time.for_snapshot()) } else { inputs }
    }
}

/// An input costs a file descriptor and a buffer.
const INPUTS_MAX: usize = 1000;
