//! `derive`: new members from a line and those before it of its key.

use std::process::ExitCode;

use derive::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let mut stage = cli.derive()?;
        if let Some(memory) = cli.memory.memory {
            stage.spill_to(memory, Box::new(cli.memory.folder()))?;
        }
        run_stage(stage, cli.config(), &cli.stage)
    })
}
