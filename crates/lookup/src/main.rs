//! `lookup`: members for lines, from a table.

use std::process::ExitCode;

use lookup::cli::{Cli, Plan};
use millpipe::run_stage;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| match cli.plan()? {
        Plan::File(stage) => run_stage(*stage, cli.config(), &cli.stage),
        Plan::Stream(stage) => run_stage(*stage, cli.config(), &cli.stage),
    })
}
