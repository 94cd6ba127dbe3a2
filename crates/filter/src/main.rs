use std::process::ExitCode;

use filter::Filter;
use filter::cli::Cli;
use millpipe::tool::{self, Reads};
use selection::SelectedMap;

/// A filter that jaq runs makes and drops many values for each line.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let (program, keeps, selection) = (cli.program()?, cli.keeps(), cli.selection.clone());
        let make = move || SelectedMap::new(Filter::new(&program, keeps), &selection);
        millpipe::run_map(make, cli.stage.config("filter"), &cli.stage, cli.jobs())
    })
}
