use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use state::cli::Cli;
use state::printer::Printer;

fn main() -> ExitCode {
    tool::main(Reads::Nothing, |cli: Cli| state::run(&cli, &mut Printer::new()))
}
