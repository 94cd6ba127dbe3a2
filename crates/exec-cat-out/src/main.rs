//! The binary; everything else is in the library.

use std::process::ExitCode;

use checkpoint::{RealDisk, Storage};
use exec_cat_out::cli::Cli;
use exec_cat_out::{ExecSink, Program};
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let config = cli.checked.config(&cli.input, "exec-cat-out");
        let sink = ExecSink::new(cli.limits(), Program::new(&cli), Storage::on(RealDisk));
        millpipe::run_sink(sink, config, &cli.run)
    })
}
