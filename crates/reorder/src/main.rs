//! `reorder`: puts lines into the order of their times.

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use reorder::cli::Cli;
use sorted_runs::Folder;
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        run_stage(cli.reorder(Box::new(Folder::new(cli.spill_dir())))?, cli.config(), &cli.stage)
    })
}
