//! `watermark`: says what time it is in a stream.

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use selection::Selected;
use std::process::ExitCode;
use watermark::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        run_stage(Selected::new(cli.watermark()?, &cli.selection), cli.config(), &cli.stage)
    })
}
