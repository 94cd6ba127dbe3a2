//! `aggregate`: counts, sums, percentiles and more by key and window.

use aggregate::Aggregate;
use aggregate::cli::Cli;
use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use selection::Selected;
use sorted_runs::Folder;
use std::process::ExitCode;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let stage = Aggregate::new(cli.job()?).spill_to(Box::new(Folder::new(cli.spill_dir())))?;
        run_stage(Selected::new(stage, &cli.selection), cli.config(), &cli.stage)
    })
}
