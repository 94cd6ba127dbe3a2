//! `report`: pictures of the numbers that flow by.

use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use report::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| cli.run())
}
