//! `merge`: several inputs as one stream.

use std::process::ExitCode;

use merge::cli::Cli;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    let reads = if std::env::args_os().any(|arg| arg == "-") { Reads::Stdin } else { Reads::Nothing };
    tool::main(reads, merge::run_cli as fn(Cli) -> _)
}
