//! `shard`: copies of a sub-pipeline, side by side.

use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use shard::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, shard::run_cli as fn(Cli) -> _)
}
