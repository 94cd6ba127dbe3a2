use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use parallel_map::Filter;
use parallel_map::cli::{Cli, Work};
use selection::SelectedMap;

/// A filter that jaq runs makes and drops a hundred values for each line.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let config = cli.stage.config("parallel-map");
        let output_bytes_max = cli.max_output.as_usize();
        match cli.work()? {
            Work::Filter(program, jobs) => {
                let selection = cli.selection.clone();
                let make = move || SelectedMap::new(Filter::new(&program, output_bytes_max), &selection);
                millpipe::run_map(make, config, &cli.stage, jobs)
            }
            Work::Command(command, jobs) => millpipe::run_command(command, config, &cli.stage, jobs),
        }
    })
}
