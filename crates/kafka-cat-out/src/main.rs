//! The binary; everything else is in the library.

use std::process::ExitCode;

use kafka_cat_out::KafkaSink;
use kafka_cat_out::cli::Cli;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Stdin, |cli: Cli| {
        let config = cli.checked.config(&cli.input, "kafka-cat-out");
        let sink = KafkaSink::new(&cli, std::env::vars())?;
        millpipe::run_sink(sink, config, &cli.run)
    })
}
