//! The binary; everything else is in the library.

use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use pipetest::cli::Cli;
use printer::Printer;

fn main() -> ExitCode {
    let stands_in = pipetest::stand_in();
    stands_in
        .unwrap_or_else(|| tool::main(Reads::Nothing, |cli: Cli| pipetest::run(&cli, &mut Printer::new("pipetest"))))
}
