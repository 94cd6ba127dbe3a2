use std::process::ExitCode;

use crash_test::cli::Cli;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Nothing, |cli: Cli| crash_test::run(&cli))
}
