//! The flags of `reorder`.

use crate::{Reorder, Settings};
use event_time::{LATENESS_OF_WINDOWS_MS, TimeArgs};
use millpipe::{Config, Error, Late, StageArgs};
use selection::WhereArgs;
use sorted_runs::{Folder, Scratch, SpillArgs};
use units::{ByteSize, DurationMs, QuantityError};

const AFTER_HELP: &str = "\
Times are compared to the millisecond; of equal ones the first that arrived comes first. A line that is older than the
watermark (the latest time less --lateness) has missed its turn: it is late. Behind each watermark mark in the output all
lines have that time or a later one; without --lateness marks say 1ms less, so that no window closes before the last line of
its last millisecond. At the end of the input all lines that are held are written.

With from marks (kafka-cat-in --marks) the watermark is the least over the partitions, so that one which is read slowly
makes no line late. Where the input has watermark marks, these are the time of the stream, and
--lateness is not used, which is said.
With --where other lines pass at once, before those that are held; their time counts too.

Examples:
  reorder --time at --lateness 5s < clicks.ndjson
  kafka-cat-in -b localhost:9092 -t clicks --marks | reorder --time at --lateness 1m | jq -c 'select(.user == 7)'
  reorder --lateness 1d --memory 256MiB --late reject --rejects late.ndjson < log.ndjson > sorted.ndjson";

/// Sort lines by their times, within a bound on how late a line may come
///
/// A line is held until the watermark has reached its time, then written in the order of time and arrival. What is held
/// takes about --memory; beyond that lines go to disk, sorted, and come back in order.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "reorder", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    pub time: TimeArgs,

    /// Write a mark only when time has moved this much since the last one; 0s for every move
    #[arg(long, value_name = "DURATION", default_value = "100ms", help_heading = "Time")]
    pub every: DurationMs,

    /// Take about SIZE of memory for lines that are held: those beyond it go to disk
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parse_memory, help_heading = "Limits")]
    pub memory: ByteSize,

    #[command(flatten)]
    pub spill: SpillArgs,

    /// What happens to a late line: reject, drop, or pass, which writes it at once
    #[arg(long, value_name = "WHAT", help_heading = "Bad lines", hide_possible_values = true)]
    pub late: Option<Late>,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// Less would be spent on buffers alone.
const MEMORY_MIN: ByteSize = ByteSize::mib(16);

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("reorder").with_late(self.late))
    }

    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            field: self.time.field(),
            every_ms: self.every.0,
            behind_ms: if self.time.lateness.is_none() { LATENESS_OF_WINDOWS_MS } else { 0 },
            memory_bytes: self.memory.as_usize(),
            flags: self.time.for_snapshot(),
            reports: self.stage.run.verbose,
        }
    }

    /// # Errors
    /// When the scratch does not work.
    pub fn reorder(&self, scratch: Box<dyn Scratch>) -> Result<Reorder, Error> {
        Reorder::new(self.settings(), self.time.stream_time(), scratch)
    }

    /// Where lines beyond `--memory` go.
    #[must_use]
    pub fn spill_folder(&self) -> Folder {
        self.spill.folder()
    }
}

fn parse_memory(text: &str) -> Result<ByteSize, QuantityError> {
    ByteSize::parse_at_least(text, MEMORY_MIN)
}
