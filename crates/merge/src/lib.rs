//! `merge` makes one stream of several inputs: files, FIFOs, the pipes of `<(…)`.
//!
//! **Lines.** As they are, or with a member that says which input they are from. Each input's lines stay in their order;
//! between inputs the order is that of arrival, a chunk of each in turn, or with `--by-time` that of the lines' times
//! ([`ByTime`]).
//!
//! **Marks.** Those of all inputs as those of one stream: `alignment` has the rules. Barriers are aligned by the runtime.
//!
//! **State.** Watermarks and partitions of the inputs; with `--by-time` the lines that wait, which are held.
//!
//! **Memory.** A chunk and an unfinished line for each input; with `--by-time`, `--buffer` for each input: one that has
//! filled it is not read until the others have come as far.
//!
//! **Bad lines.** Not JSON; with `--tag` no object; with `--by-time` no time, or one too far ahead of the clock.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod by_time;
pub mod cli;
mod input;
mod progress;
mod waiting;

pub use by_time::{ByTime, Settings};
pub use input::Input;

use millpipe::{Fault, run_merge};

/// Runs what the command line says.
///
/// # Errors
/// Usage; what ended the run early.
pub fn run_cli(cli: cli::Cli) -> Result<(), Fault> {
    cli.check()?;
    let inputs = input::open_all(&cli.inputs)?;
    match cli.by_time {
        true => run_merge(cli.sorted(), inputs, cli.config(), &cli.stage),
        false => run_merge(cli.aligned(), inputs, cli.config(), &cli.stage),
    }
}

#[cfg(test)]
mod tests;
