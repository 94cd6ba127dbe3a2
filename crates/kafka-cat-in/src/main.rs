//! The binary; everything else is in the library.

use std::process::ExitCode;

use kafka_cat_in::KafkaSource;
use kafka_cat_in::cli::Cli;
use millpipe::tool::{self, Reads};

fn main() -> ExitCode {
    tool::main(Reads::Nothing, |cli: Cli| {
        let config = cli.input.config("kafka-cat-in");
        let source = KafkaSource::new(&cli, std::env::vars())?;
        millpipe::run_source(source, &config, &cli.run, &cli.exactly_once)
    })
}
