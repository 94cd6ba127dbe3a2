//! `throttle`: a bounded queue in front of a paced consumer.

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use std::process::ExitCode;
use throttle::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.throttle()?, cli.config(), &cli.stage))
}
