//! `thin`: every Nth line of each key.

use std::process::ExitCode;

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use thin::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.thin(), cli.config(), &cli.stage))
}
