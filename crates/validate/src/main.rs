//! `validate`: lets lines through that fit a JSON Schema.

use millpipe::run_map;
use millpipe::tool::{self, Reads};
use std::process::ExitCode;
use validate::Validate;
use validate::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let schema = cli.schema()?;
        run_map(move || Validate::new(&schema), cli.config(), &cli.stage, cli.jobs())
    })
}
