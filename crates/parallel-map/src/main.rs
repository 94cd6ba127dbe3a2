use std::process::ExitCode;

use millpipe::tool::{self, Reads};
use parallel_map::cli::{Cli, Work};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let config = cli.stage.config("parallel-map");
        match cli.work()? {
            Work::Filter(program, jobs) => millpipe::run_map(move || program.filter(), config, &cli.stage, jobs),
            Work::Command(command, jobs) => millpipe::run_command(command, config, &cli.stage, jobs),
        }
    })
}
