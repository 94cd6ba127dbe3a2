//! `derive`: new members from a line and those before it of its key.

use std::process::ExitCode;

use derive::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.derive()?, cli.config(), &cli.stage))
}
