//! `match-pattern`: patterns over the rows of a key.

use std::process::ExitCode;

use match_pattern::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.match_pattern()?, cli.config(), &cli.stage))
}
