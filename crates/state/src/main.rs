use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use printer::Printer;
use state::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Nothing, |cli: Cli| state::run(&cli, &mut Printer::new("state")))
}
