//! The flags of `watermark`.

use crate::Watermark;
use event_time::TimeArgs;
use millpipe::{Config, Error, StageArgs};
use selection::WhereArgs;
use units::DurationMs;

const EXAMPLES: &str = "\
Examples:
  kafka-cat-in -b localhost:9092 -t clicks --marks | watermark --time at --lateness 4s | tee clicks.marked | window --size 10s
  watermark --every 1s < clicks.ndjson | grep '^{\"\\$\":\"watermark\"'";

/// Write watermark marks among the lines, from the times in them
///
/// The part of window that makes time, alone: for a stream that several tools are to see with the same watermarks.
/// Lines pass unchanged. A mark {"$":"watermark","time":…} says that no line with an earlier time is expected
/// any more; it stands right behind the line that moved time to it. from and idle marks (kafka-cat-in --marks) end here.
/// A stream that has watermarks already keeps these. With --where, only the lines that it selects must have a time and
/// move it.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "watermark", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub time: TimeArgs,

    /// Write a mark only when time has moved this much since the last one; 0s for every move
    #[arg(long, value_name = "DURATION", default_value = "100ms", help_heading = "Time")]
    pub every: DurationMs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

impl Cli {
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("watermark"))
    }

    /// # Errors
    /// None yet: every combination of flags makes sense.
    pub fn watermark(&self) -> Result<Watermark, Error> {
        Ok(Watermark::new(
            &self.time.field(),
            self.time.stream_time_of_windows(),
            self.every.0,
            self.time.for_snapshot(),
        ))
    }
}
