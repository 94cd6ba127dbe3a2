//! `detect`: anomalies in series of numbers.

use std::process::ExitCode;

use detect::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.detect()?, cli.config(), &cli.stage))
}
