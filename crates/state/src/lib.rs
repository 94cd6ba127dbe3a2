//! `state`: shows, compares, checks, copies and redistributes what a pipeline remembers.
//!
//! Not a stage: it reads no stream. It opens all files of a checkpoint at once, so that a running pipeline cannot take
//! them away any more, and streams them: memory does not depend on the size of a state.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod check;
pub mod cli;
mod diff;
mod folder;
mod rename;
mod reshard;
mod save;
mod show;

use millpipe::Fault;
use printer::Printer;

use crate::cli::{Cli, Command};

/// # Errors
/// What is damaged or missing; usage.
pub fn run(cli: &Cli, to: &mut Printer) -> Result<(), Fault> {
    let done = match &cli.command {
        Command::Show(show) => show::run(show, to),
        Command::Diff(diff) => diff::run(diff, to),
        Command::Check(check) => check::run(check, to),
        Command::Save(save) => save::run(save, to),
        Command::Reshard(reshard) => reshard::run(reshard, to),
    };
    to.finish()?;
    done
}
