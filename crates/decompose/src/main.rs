//! `decompose`: trend, season and remainder of series of numbers.

use std::process::ExitCode;

use decompose::cli::{Cli, Plan};
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| match cli.plan()? {
        Plan::Online(stage) => run_stage(*stage, cli.config(), &cli.stage),
        Plan::Batch(stage) => run_stage(*stage, cli.config(), &cli.stage),
    })
}
