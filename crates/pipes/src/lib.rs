//! `pipes`: looks at all pipelines of this machine.
//!
//! Not a stage: it reads no stream. It reads the metrics files of the stages and what the kernel tells in /proc, and changes
//! nothing: it sends no signal, writes into no pipe, and opens none for longer than one question takes.
//!
//! | module | is |
//! |---|---|
//! | `facts` | a metrics file as values |
//! | `machine` | one look: the folder, the processes, and pipelines drawn from both |
//! | `explain` | rules: pure functions from a pipeline to sentences |
//! | `bottleneck` | the stage that holds up a pipeline |
//! | `list` | the picture of the pipelines as text and JSON |
//! | `top` | the same as a screen that is renewed each second |
//! | `latency` | the delays of barriers from the source to each stage |
//! | `profile` | one flame graph of all stages |
//! | `prometheus` | the metrics as text for Prometheus; `export` writes it, `listen` serves it |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bottleneck;
pub mod cli;
mod clock;
mod explain;
mod export;
mod facts;
mod latency;
mod list;
mod listen;
mod machine;
mod profile;
mod prometheus;
mod top;
mod words;

use millpipe::Fault;
use printer::Printer;

use crate::cli::{Cli, Command};

/// Runs one command.
///
/// # Errors
/// A folder that cannot be read, a stuck pipeline, usage.
pub fn run(cli: &Cli, to: &mut Printer) -> Result<(), Fault> {
    let done = match &cli.command {
        Command::List(list) => list::run(list, to),
        Command::Explain(explain) => explain::run(explain, to),
        Command::Top(top) => top::run(top, to),
        Command::Latency(latency) => latency::run(latency, to),
        Command::Profile(profile) => profile::run(profile, to),
        Command::Export(export) => export::run(export, to),
        Command::Listen(listen) => listen::run(listen, to),
    };
    to.finish()?;
    done
}
