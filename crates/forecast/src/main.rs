//! `forecast`: the steps to come of each key.

use std::process::ExitCode;

use forecast::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let mut stage = cli.forecast()?;
        if let Some(memory) = cli.memory.memory {
            stage.spill_to(memory, Box::new(cli.memory.folder()))?;
        }
        run_stage(stage, cli.config(), &cli.stage)
    })
}
