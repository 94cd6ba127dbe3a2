//! How much memory what is kept of keys may take before it goes to disk.

use sorted_runs::{Folder, SpillArgs};
use stream::Error;
use units::{ByteSize, QuantityError};

/// What is read and written at a time takes some of it.
const MEMORY_MIN: ByteSize = ByteSize::mib(4);

/// The flags `--memory` and `--spill-dir`.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct MemoryArgs {
    /// Take about SIZE of memory for any number of keys: those without a line for the longest time go to disk [default: all stay]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, help_heading = "Limits")]
    pub memory: Option<ByteSize>,

    #[command(flatten)]
    pub spill: SpillArgs,
}

impl MemoryArgs {
    /// Checks that the folder is of use.
    ///
    /// # Errors
    /// When `--memory` is not there.
    pub fn check(&self) -> Result<(), Error> {
        Error::of_broken_rule([(
            self.spill.spill_dir.is_some() && self.memory.is_none(),
            "--spill-dir without --memory",
            "--memory SIZE says how much stays in memory",
        )])
    }

    /// Returns the folder for what is beyond `--memory`.
    #[must_use]
    pub fn folder(&self) -> Folder {
        self.spill.folder()
    }
}

fn parse_memory(text: &str) -> Result<ByteSize, QuantityError> {
    ByteSize::parse_at_least(text, MEMORY_MIN)
}
