//! `watermark`: says what time it is in a stream.

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use std::process::ExitCode;
use watermark::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| run_stage(cli.watermark()?, cli.config(), &cli.stage))
}
