//! `forecast`: the steps to come of each key.

use std::process::ExitCode;

use forecast::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.forecast()?, cli.config(), &cli.stage))
}
