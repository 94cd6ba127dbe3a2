//! `detect`: anomalies in series of numbers.

use std::process::ExitCode;

use detect::cli::{Cli, Plan};
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let config = cli.config();
        match cli.plan()? {
            Plan::Series(mut stage) => {
                if let Some(memory) = cli.memory.memory {
                    stage.spill_to(memory, Box::new(cli.memory.folder()))?;
                }
                run_stage(*stage, config, &cli.stage)
            }
            Plan::Among(stage) => run_stage(*stage, config, &cli.stage),
        }
    })
}
