//! The binary; everything else is in the library.

use std::process::ExitCode;

use checkpoint::Storage;
use file_cat_out::cli::Cli;
use file_cat_out::{FileSink, OutputDisk};
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let config = cli.checked.config(&cli.input, "file-cat-out");
        let sink = FileSink::new(&cli, Storage::on(OutputDisk))?;
        millpipe::run_sink(sink, config, &cli.run)
    })
}
