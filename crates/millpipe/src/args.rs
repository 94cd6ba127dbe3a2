//! The flags that mean the same in every tool.

use std::path::PathBuf;

use units::ByteSize;

use crate::driver::Config;
use crate::rejects::{OnError, Policy};

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

    /// Keep this stage's counters in DIR/TOOL.PID.json, renewed each second
    #[arg(long, value_name = "DIR", env = "MILLPIPE_METRICS", hide_env = false)]
    pub metrics: Option<PathBuf>,
}

/// What a tool does with lines that it cannot take.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Bad lines")]
pub struct InputArgs {
    /// What becomes of a bad line
    #[arg(long, value_name = "WHAT")]
    pub on_error: Option<OnError>,

    /// Append rejected lines to FILE, as {"by","why","at","line"}: `jq -r .line` gives the lines back
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,

    /// The longest line to take; a longer one is a bad line
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub max_line: ByteSize,
}

/// The flags of a stage that reads stdin and writes stdout.
#[derive(clap::Args, Clone, Debug)]
pub struct StageArgs {
    #[command(flatten)]
    pub input: InputArgs,

    /// 1: read, work and write in one loop; 2: read in a thread of its own; 3: write in one too. The output is the same
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Running")]
    pub threads: u16,

    /// Read at most SIZE at once (for tests: the output is the same)
    #[arg(long, value_name = "SIZE", default_value = "64KiB", hide = true)]
    pub chunk: ByteSize,

    #[command(flatten)]
    pub run: RunArgs,
}

impl InputArgs {
    pub fn config(&self, name: &str) -> Config {
        Config {
            name: name.to_owned(),
            policy: Policy { on_error: self.on_error, late: None, rejects: self.rejects.clone() },
            line_bytes_max: self.max_line.as_usize(),
        }
    }
}
