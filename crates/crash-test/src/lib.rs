//! `crash-test`: kills a pipeline's processes at random, starts it again, and compares what it wrote with what a quiet
//! run wrote.
//!
//! Not a stage: it reads no stream. One loop (`course`) looks every 2 ms what has ended, what was committed and what is
//! due. All choices come from the seed (`choice`), one kill after the other, so that the same seed makes the same ones; what
//! they meet depends on the clock. Processes are found through /proc by a variable in their environment, orphans are
//! adopted, and whatever ends the test, they are killed (`children`).
#![cfg_attr(test, allow(clippy::unwrap_used))]
// Processes, the clock and stderr are what this tool works with; no stream goes through it that must be the same twice.
#![allow(clippy::disallowed_methods)]

mod children;
mod choice;
pub mod cli;
mod commits;
mod compare;
mod course;
mod folder;
mod lines;
mod narrator;
mod outage;
mod pipeline;
mod process_table;
mod stale;
mod strike;
mod tally;

use std::fs::File;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;

use millpipe::{Error, Fault};

use crate::children::{Children, End};
use crate::cli::Cli;
use crate::compare::{Comparison, compare};
use crate::course::{Course, Learned, Stand};
use crate::folder::Folder;
use crate::lines::Output;
use crate::narrator::Narrator;
use crate::outage::Broker;
use crate::pipeline::{Pipeline, Run};
use crate::tally::{Report, Tally};

/// Runs the whole test, and reports.
///
/// # Errors
/// When something was lost, doubled or wrong, not all kills could be done, or the pipeline is broken.
pub fn run(cli: &Cli) -> Result<(), Fault> {
    cli.check()?;
    let say = Narrator::new(cli.verbose);
    let mut children = Children::adopt()?;
    let folder = Folder::new(cli.dir.as_deref())?;
    let mut tally = Tally::default();
    let tested = Test { cli, folder: folder.path(), children: &mut children, say: &say }.run(&mut tally);
    if let Some(signal) = children.stopped_by() {
        drop((children, folder));
        let _ = signal_hook::low_level::emulate_default_handler(signal);
        return tested.map(drop).map_err(Fault::from);
    }
    let verdict = verdict(cli, &tally, &tested);
    let (kills_asked, seed, elapsed) = (cli.kills, cli.seed, say.began().elapsed());
    let report = Report { verdict, kills_asked, tally: &tally, comparison: tested.as_ref().ok(), seed, elapsed };
    stdout().write_all(report.json().as_bytes()).map_err(|e| Error::io("stdout", &e))?;
    if verdict == EXACT {
        return Ok(());
    }
    let kept = folder.keep();
    let comparison = tested?;
    for line in &comparison.shown {
        say.show(line);
    }
    Err(complaint(cli, &tally, &comparison, &kept).into())
}

const EXACT: &str = "exact";

fn verdict(cli: &Cli, tally: &Tally, tested: &Result<Comparison, Error>) -> &'static str {
    match tested {
        Err(_) => "broken",
        Ok(comparison) if !comparison.is_exact() => "wrong",
        Ok(_) if tally.kills < cli.kills => "too few kills",
        Ok(_) => EXACT,
    }
}

/// What is wrong, in a line, and what can be done.
fn complaint(cli: &Cli, tally: &Tally, comparison: &Comparison, kept: &Path) -> Error {
    let Comparison { expected, lost, doubled, wrong, order_differs_at, .. } = comparison;
    let mut hints = vec![format!("what both runs left is in {}", kept.display())];
    let mut problems = Vec::new();
    if lost + doubled + wrong > 0 {
        problems.push(format!("of {expected} lines {lost} are lost, {doubled} doubled, {wrong} wrong"));
    }
    if let Some(line) = order_differs_at {
        problems.push(format!("the order differs from line {line} on"));
    }
    if tally.kills < cli.kills {
        problems.push(format!("the pipeline was over after {} of {} kills", tally.kills, cli.kills));
        let seen: Vec<&str> = tally.names.iter().map(String::as_str).collect();
        let seen = if seen.is_empty() {
            "no processes to kill were seen".to_owned()
        } else {
            format!("it had {}", seen.join(", "))
        };
        hints.push(format!("give it more input, or a shorter --between; {seen}"));
    }
    Error::data(problems.join(", and ")).hint(hints.join("\n"))
}

/// The test itself: two runs and a comparison.
struct Test<'a> {
    cli: &'a Cli,
    folder: &'a Path,
    children: &'a mut Children,
    say: &'a Narrator,
}

impl Test<'_> {
    fn run(&mut self, tally: &mut Tally) -> Result<Comparison, Error> {
        let (expected, learned) = self.expected()?;
        self.say.tell(format_args!("the disturbed run: {} kills, seed {}", self.cli.kills, self.cli.seed));
        let broker = self.cli.broker_commands().map(|commands| Broker::new(commands, self.folder));
        let pipeline = Pipeline::new(&self.cli.script, Run::Disturbed, self.folder)?;
        let (pipeline, _) = self.follow(pipeline, tally, broker, learned)?;
        let got = self.output(&pipeline)?;
        compare(&expected, &got, self.cli.by.as_ref().map(|by| by.0.as_slice()), self.cli.ordered)
    }

    /// The right output, from a file or from a run that is left alone.
    fn expected(&mut self) -> Result<(Output, Learned), Error> {
        let (expected, learned) = match &self.cli.expect {
            Some(path) => (Output::at(path)?, Learned::default()),
            None => {
                self.say.tell(format_args!("the undisturbed run"));
                let pipeline = Pipeline::new(&self.cli.script, Run::Undisturbed, self.folder)?;
                let (pipeline, learned) = self.follow(pipeline, &mut Tally::default(), None, Learned::default())?;
                (self.output(&pipeline)?, learned)
            }
        };
        if !expected.reader().next(&mut Vec::new())? {
            let hint = "--output and --output-command say where the pipeline's output is";
            return Err(Error::data("the expected output has no lines: there is nothing to compare").hint(hint));
        }
        Ok((expected, learned))
    }

    fn follow(
        &mut self,
        pipeline: Pipeline,
        tally: &mut Tally,
        broker: Option<Broker>,
        learned: Learned,
    ) -> Result<(Pipeline, Learned), Error> {
        let stand = Stand { cli: self.cli, children: self.children, tally, say: self.say };
        Course::begin(stand, pipeline, broker, learned)?.run()
    }

    fn output(&mut self, pipeline: &Pipeline) -> Result<Output, Error> {
        let Some(command) = &self.cli.output_command else {
            let hint = "--output PATH, in CRASH_TEST_DIR, or --output-command CMD";
            return Output::at(&pipeline.dir.join(&self.cli.output)).map_err(|error| match error.hint {
                None => error.hint(hint),
                Some(_) => error,
            });
        };
        let path = self.folder.join(format!("{}.output", pipeline.run.name()));
        let file = File::create(&path).map_err(|e| Error::io(path.display(), &e))?;
        let limit = Duration::from_millis(self.cli.stuck_after.0.unsigned_abs());
        match self.children.run(pipeline.shell(command)?.stdout(file), limit)? {
            End::Code(0) => Output::at(&path),
            end => Err(Error::data(format_args!("--output-command ended with {end}; {}", pipeline.last_words()))),
        }
    }
}
