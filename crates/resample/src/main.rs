//! `resample`: a regular grid in time from irregular lines.

use std::process::ExitCode;

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use resample::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.resample()?, cli.config(), &cli.stage))
}
