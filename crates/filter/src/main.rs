use std::process::ExitCode;

use filter::Filter;
use filter::cli::Cli;
use millpipe::tool::{self, Reads};

/// A filter that jaq runs makes and drops many values for each line.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let (program, keeps) = (cli.program()?, cli.keeps());
        let make = move || Filter::new(&program, keeps);
        millpipe::run_map(make, cli.stage.config("filter"), &cli.stage, cli.jobs())
    })
}
