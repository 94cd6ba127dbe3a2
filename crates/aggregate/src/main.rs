//! `aggregate`: counts, sums, percentiles and more by key and window.

use aggregate::Aggregate;
use aggregate::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let stage = Aggregate::new(cli.job()?).spill_to(Box::new(cli.spill_folder()))?;
        run_stage(stage, cli.config(), &cli.stage)
    })
}
