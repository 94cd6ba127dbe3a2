//! `top-n`: the best lines of each key.

use std::process::ExitCode;

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use top_n::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.top_n()?, cli.config(), &cli.stage))
}
