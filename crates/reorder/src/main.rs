//! `reorder`: puts lines into the order of their times.

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use reorder::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.reorder(Box::new(cli.spill_folder()))?, cli.config(), &cli.stage))
}
