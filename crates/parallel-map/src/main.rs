use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use parallel_map::Filter;
use parallel_map::cli::{Cli, Work};

/// A filter that jaq runs makes and drops a hundred values for each line.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let config = cli.config();
        let output_bytes_max = cli.max_output.as_usize();
        match cli.work()? {
            Work::Filter(program, jobs) => {
                millpipe::run_map(move || Filter::new(&program, output_bytes_max), config, &cli.stage, jobs)
            }
            Work::Command(command, jobs) => millpipe::run_command(command, config, &cli.stage, jobs),
        }
    })
}
