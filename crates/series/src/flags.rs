//! The flags of series, the same in every tool that takes them.

use event_time::TimeArgs;
use line_values::Expressions;
use millpipe::StateFlags;
use units::DurationMs;

/// Which lines make a series, and which numbers.
#[derive(clap::Args, Clone, Debug)]
pub struct SeriesArgs {
    /// The fields or expressions that make the key, with commas between them: each key has a series of its own [default: one series]
    #[arg(long, value_name = "FIELDS")]
    pub by: Option<Expressions>,

    /// The field with the number, or a jq expression that gives it; several with commas between them
    #[arg(long, value_name = "FIELDS", default_value = "value")]
    pub value: Expressions,

    #[command(flatten)]
    pub time: TimeArgs,

    /// Forget a key when no line of it came for this long, by the time of the lines [default: never]
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    pub ttl: Option<DurationMs>,
}

impl SeriesArgs {
    /// Writes the flags that the state of every series depends on.
    #[must_use]
    pub fn state_flags(&self) -> StateFlags {
        let by = self.by.as_ref().map(|by| format!("'{by}'"));
        let flags = StateFlags::new().maybe("--by", by).quoted("--value", &self.value);
        flags.text(self.time.for_snapshot()).maybe("--ttl", self.ttl)
    }
}
