//! `dedup`: one line of each key.

use std::process::ExitCode;

use dedup::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.dedup()?, cli.config(), &cli.stage))
}
