//! `shard`: copies of a sub-pipeline, side by side.

use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use shard::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        millpipe::run_shard(cli.by_key()?, cli.aligned(), &cli.shards(), cli.stage.config("shard"), &cli.stage)
    })
}
