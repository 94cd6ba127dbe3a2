use std::process::ExitCode;
use std::sync::Arc;

use filter::cli::Cli;
use filter::{Filter, Seen};
use millpipe::tool::{self, Reads};

/// A filter that jaq runs makes and drops many values for each line.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let (program, keeps) = (cli.program()?, cli.keeps());
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let make = move || Filter::new(&program, keeps).reporting(&shared);
        millpipe::run_map(make, cli.config(), &cli.stage, cli.jobs())?;
        cli.say(&seen);
        Ok(())
    })
}
