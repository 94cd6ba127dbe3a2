//! The flags that mean the same in every tool.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};
use protocol::{Config, Late, OnError, Policy};
use units::{ByteSize, DurationMs};

/// What every tool shows of its run.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Showing what goes on")]
pub struct RunArgs {
    /// At exit, print on stderr where every line went, how fast, and what was waited for
    #[arg(short, long)]
    pub verbose: bool,

    /// Show counts and rates on stderr once a second, when stderr is a terminal
    #[arg(long)]
    pub progress: bool,

    /// Keep this stage's figures in DIR/TOOL.PID.json, renewed each second: rates, waits, watermark, lag, last errors
    #[arg(long, value_name = "DIR", env = "MILLPIPE_METRICS", hide_env = false, value_parser = any_path())]
    pub metrics: Option<PathBuf>,
}

/// Takes the empty path too: a variable that is set to nothing.
fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

impl RunArgs {
    /// Returns the folder for metrics, if there is to be one.
    pub fn metrics_dir(&self) -> Option<&Path> {
        self.metrics.as_deref().filter(|dir| !dir.as_os_str().is_empty())
    }
}

/// The flags of a source that begins a pipe with checkpoints.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Exactly-once")]
pub struct ExactlyOnceArgs {
    /// This pipe is exactly-once. Kill any stage at any moment, start the pipeline again: what it wrote is as if nothing had
    /// happened. Needs --state
    #[arg(long, requires = "state")]
    pub exactly_once: bool,

    /// The folder of the pipeline's state: one pipeline at a time, on a disk that survives
    #[arg(long, value_name = "DIR", requires = "exactly_once")]
    pub state: Option<PathBuf>,

    /// How often results are committed and the state is saved
    #[arg(long, value_name = "DURATION", default_value = "1s", requires = "exactly_once")]
    pub interval: DurationMs,

    /// At the end of the input keep open windows in the state instead of flushing them: the next run goes on
    #[arg(long, requires = "exactly_once")]
    pub no_drain: bool,
}

impl Default for ExactlyOnceArgs {
    fn default() -> Self {
        Self { exactly_once: false, state: None, interval: DurationMs(1000), no_drain: false }
    }
}

/// The flag of a stage or sink in a pipe with checkpoints.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct CheckedArgs {
    /// This pipe is exactly-once. If lines come without the hello mark of the source, as a program before this one takes
    /// marks out (grep, jq 'select(…)'), nothing is written, and the exit code is 1
    #[arg(long, help_heading = "Exactly-once")]
    pub exactly_once: bool,
}

/// What a tool does with lines that it cannot take.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Bad lines")]
pub struct InputArgs {
    /// What happens to a bad line
    #[arg(long, value_name = "WHAT")]
    pub on_error: Option<OnError>,

    /// Append rejected lines to FILE, as {"by","why","at","line"}: `jq -r .line` gives the lines back
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,

    /// The longest line to take; a longer one is a bad line
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub max_line: ByteSize,
}

/// The flag for lines that come too late.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct LateArgs {
    /// What happens to a late line
    #[arg(long, value_name = "WHAT", help_heading = "Bad lines")]
    pub late: Option<Late>,
}

/// The flags of a stage that reads stdin and writes stdout.
#[derive(clap::Args, Clone, Debug)]
pub struct StageArgs {
    #[command(flatten)]
    pub input: InputArgs,

    /// Keep this stage's state under NAME, not under its place in the pipeline: so the pipeline can be changed
    #[arg(long = "as", value_name = "NAME", help_heading = "Exactly-once")]
    pub state_name: Option<StateName>,

    #[command(flatten)]
    pub checked: CheckedArgs,

    /// 1: read, work and write in one loop; 2: read in a thread of its own; 3: write in one too. Only aggregate uses more: it
    /// parses lines in N-1 threads. The output is the same
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Running")]
    pub threads: u16,

    /// Read at most SIZE at once (for tests: the output is the same)
    #[arg(long, value_name = "SIZE", default_value = "64KiB", hide = true)]
    pub chunk: ByteSize,

    #[command(flatten)]
    pub run: RunArgs,
}

/// A name of `--as`: it becomes that of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateName(pub String);

impl FromStr for StateName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        checkpoint::check_stage_name(text)?;
        // Those that begin with a digit are of stages that are known by their place.
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err("a name begins with a letter");
        }
        Ok(Self(text.to_owned()))
    }
}

impl StageArgs {
    /// What the runtime needs to know of the flags.
    pub fn config(&self, name: &str) -> Config {
        let state_name = self.state_name.as_ref().map(|name| name.0.clone());
        Config { state_name, ..self.checked.config(&self.input, name) }
    }
}

impl CheckedArgs {
    /// What the runtime needs to know of these flags and those for bad lines.
    pub fn config(self, input: &InputArgs, name: &str) -> Config {
        Config { exactly_once: self.exactly_once, ..input.config(name) }
    }
}

impl InputArgs {
    pub fn config(&self, name: &str) -> Config {
        Config {
            policy: Policy { on_error: self.on_error, late: None, rejects: self.rejects.clone() },
            line_bytes_max: self.max_line.as_usize(),
            ..Config::new(name)
        }
    }
}
