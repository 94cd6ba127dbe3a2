//! `pipes`: looks at all pipelines of this machine.

use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use pipes::cli::Cli;
use printer::Printer;

fn main() -> ExitCode {
    tool::main(Reads::Nothing, |cli: Cli| pipes::run(&cli, &mut Printer::new("pipes")))
}
