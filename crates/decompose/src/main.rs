//! `decompose`: trend, season and remainder of series of numbers.

use std::process::ExitCode;

use decompose::cli::{Cli, Plan};
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| match cli.plan()? {
        Plan::Online(mut stage) => {
            if let Some(memory) = cli.memory.memory {
                stage.spill_to(memory, Box::new(cli.memory.folder()))?;
            }
            run_stage(*stage, cli.config(), &cli.stage)
        }
        Plan::Batch(stage) => run_stage(*stage, cli.config(), &cli.stage),
    })
}
