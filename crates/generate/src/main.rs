use std::process::ExitCode;

use generate::Generator;
use generate::cli::Cli;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Nothing, |cli: Cli| {
        let source = Generator::new(&cli.spec()?);
        millpipe::run_source(source, &millpipe::Config::new("generate"), &cli.run, &cli.exactly_once)
    })
}
