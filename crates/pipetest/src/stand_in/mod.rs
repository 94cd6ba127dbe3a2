//! What `pipetest` is under another name: a stand-in for a Kafka tool, a wrapper around a program that is watched.
//!
//! A test puts links to this program first on the PATH. Under the name of a tool it behaves as that tool does, to the flag;
//! its own name alone makes it the tester.

mod environment;
mod partitions;
mod sink;
mod source;
mod wrapper;

use std::process::ExitCode;

use millpipe::tool::{self, Reads};

pub use environment::{BROKER, CUT, KEEP, SHARDS, STOP, TELL_READ, TOOLS, WRAPPED};
pub use wrapper::{Taken, link};

use crate::broker::Broker;
use crate::stand_in::sink::StandInSink;
use crate::stand_in::source::StandInSource;

/// Runs under another name, if it is one: `None` is the tester's own.
pub fn run() -> Option<ExitCode> {
    let program = std::env::args_os().next()?;
    let name = std::path::Path::new(&program).file_name()?.to_str()?.to_owned();
    if wrapper::is_wanted(&name) {
        return Some(wrapper::run(&name));
    }
    Some(match name.as_str() {
        "kafka-cat-in" => tool::main(Reads::Nothing, |cli: kafka_cat_in::cli::Cli| {
            let config = cli.input.config("kafka-cat-in");
            let source = StandInSource::new(&cli, std::env::vars(), broker()?)?;
            millpipe::run_source(source, &config, &cli.run, &cli.exactly_once)
        }),
        "kafka-cat-out" => tool::main(Reads::Stdin, |cli: kafka_cat_out::cli::Cli| {
            let config = cli.checked.config(&cli.input, "kafka-cat-out");
            let sink = StandInSink::new(&cli, std::env::vars(), broker()?)?;
            millpipe::run_sink(sink, config, &cli.run)
        }),
        "crash-test" => tool::main(Reads::Nothing, |cli: crash_test::cli::Cli| crash_test::run(&cli)),
        _ => return None,
    })
}

fn broker() -> Result<Broker, millpipe::Error> {
    let dir = std::env::var_os(BROKER);
    let dir =
        dir.ok_or_else(|| millpipe::Error::usage(format_args!("this stand-in is for tests: {BROKER} is not set")))?;
    Broker::at(std::path::Path::new(&dir))
}
