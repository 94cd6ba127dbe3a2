//! `stream-join`: joins lines of two kinds that share a pipe.

use millpipe::run_stage;
use millpipe::tool::{self, Reads};
use std::process::ExitCode;
use stream_join::StreamJoin;
use stream_join::cli::Cli;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let stage = StreamJoin::new(cli.job()?, Box::new(cli.spill_folder()))?;
        run_stage(stage, cli.config(), &cli.stage)
    })
}
