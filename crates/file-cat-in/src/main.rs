//! The binary; everything else is in the library.

use std::process::ExitCode;

use file_cat_in::FileSource;
use file_cat_in::cli::Cli;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Nothing, |cli: Cli| {
        let config = cli.input.config("file-cat-in");
        let source = FileSource::new(&cli)?;
        millpipe::run_source(source, &config, &cli.run, &cli.exactly_once)
    })
}
