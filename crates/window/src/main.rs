//! `window`: event-time windows as annotations.

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use std::process::ExitCode;
use window::cli::{Cli, Plan};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let config = cli.config();
        match cli.plan()? {
            Plan::Times(stage) => run_stage(stage, config, &cli.stage),
            Plan::Clock(stage) => run_stage(stage, config, &cli.stage),
            Plan::Sessions(stage) => run_stage(stage, config, &cli.stage),
            Plan::Counts(stage) => run_stage(stage, config, &cli.stage),
        }
    })
}
