//! `pipetest`: runs a user's own script, unchanged, on inputs that a file tells, and compares what comes out.
//!
//! Not a stage. A test has a folder of its own, in which the script runs with stand-ins for the Kafka tools first on its PATH;
//! the topics are files there. What it wrote is compared with the file, and the books of all stages must add up.
//!
//! | room | is |
//! |---|---|
//! | `model` | the file of tests; pure |
//! | `broker` | a broker in a folder |
//! | `stand_in` | this program under another name: a Kafka tool, or a wrapper that cuts or keeps |
//! | `finding`, `job`, `script_lines`, `stages` | tests ready to run; the lines of an input; what stages say of themselves |
//! | `running` | one run |
//! | `compare`, `check`, `kept` | what differs from what is expected, and at which stage |
//! | `also`, `turns` | a test in all its ways: cut, out of order, killed; tests side by side |
//! | `outcome`, `report`, `update` | what people and programs are told; new expectations |
#![cfg_attr(test, allow(clippy::unwrap_used))]
// Processes, the clock and threads are what this tool works with; no stream goes through it that must be the same twice.
#![allow(clippy::disallowed_methods)]

mod also;
mod broker;
mod check;
pub mod cli;
mod compare;
mod finding;
mod job;
mod kept;
mod model;
mod outcome;
mod report;
mod running;
mod script_lines;
mod stages;
mod stand_in;
mod turns;
mod update;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use millpipe::{Error, Fault};
use printer::Printer;

use crate::also::Plan;
use crate::cli::Cli;
use crate::outcome::Outcome;
use crate::running::Interrupt;

/// Is another program, if it is called by another name.
pub fn stand_in() -> Option<ExitCode> {
    stand_in::run()
}

/// Runs the tests, and tells of them.
///
/// # Errors
/// A test that does not pass; usage, a file that is wrong; what the system says.
pub fn run(cli: &Cli, printer: &mut Printer) -> Result<(), Fault> {
    cli.check()?;
    let jobs = finding::jobs(cli)?;
    let interrupt = Interrupt::by_signals()?;
    let keep = cli.keep.as_deref().map(folder).transpose()?;
    let plan = Plan { seed: cli.seed, keep, is_plain: cli.update };
    if cli.tap {
        printer.bytes(report::tap_head(jobs.len()).as_bytes())?;
    }
    let mut number = 0;
    let outcomes = turns::in_order(
        &jobs,
        cli.jobs(),
        |job| also::run(job, &plan, &interrupt),
        |outcome| {
            number += 1;
            tell(cli, number, outcome, printer)
        },
    );
    if let Some(signal) = interrupt.signal() {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    finish(cli, &outcomes?, printer)
}

/// Makes the folder, and returns its absolute path: pipelines are started elsewhere.
fn folder(path: &Path) -> Result<PathBuf, Error> {
    let made = fs::create_dir_all(path).and_then(|()| path.canonicalize());
    made.map_err(|error| Error::usage(Error::io(path.display(), &error).message))
}

fn tell(cli: &Cli, number: usize, outcome: &Outcome, printer: &mut Printer) -> Result<(), Fault> {
    match (cli.tap, cli.json) {
        (true, _) => printer.bytes(report::tap(number, outcome).as_bytes())?,
        (_, true) => printer.json(&report::json(outcome))?,
        _ => printer.bytes(report::told(outcome).as_bytes())?,
    }
    printer.finish()
}

fn finish(cli: &Cli, outcomes: &[Outcome], printer: &mut Printer) -> Result<(), Fault> {
    if let Some(path) = &cli.junit {
        report::junit(outcomes, path)?;
    }
    if !cli.tap && !cli.json {
        printer.bytes(report::summary(outcomes).as_bytes())?;
    }
    let mut failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.is_good()).collect();
    if cli.update {
        let count = update::update(outcomes)?;
        let are = if count == 1 { "expectation is" } else { "expectations are" };
        printer.note(&format!("{count} {are} new: look at what changed before you keep it"));
        failed.retain(|outcome| !update::is_mended(outcome));
    }
    printer.finish()?;
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::data(format_args!("{} of {} tests failed", failed.len(), outcomes.len())).into())
}
