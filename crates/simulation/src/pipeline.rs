//! The pipes that are simulated: command lines of the real tools.

use std::sync::LazyLock;

use aggregate::Aggregate;
use clap::Parser;
use millpipe::{Config, Driver, Error, Fault, Mark, Out, PREFIX, Rejects, Stage};
use sorted_runs::Memory;
use window::cli::Plan;

use crate::judge::essence;
use crate::process::BEGIN_MS;
use crate::script::{Script, part_name};

/// A kind of pipe: what is between the source and the sink.
pub struct Pipeline {
    pub name: &'static str,
    pub programs: Vec<Program>,
    /// Lines without a time are bad lines.
    pub needs_time: bool,
    /// What comes out depends on the order of a key's lines, so each key is in one partition.
    pub needs_order: bool,
}

/// One program of a pipe.
pub enum Program {
    Window(window::cli::Cli),
    Aggregate(aggregate::cli::Cli),
    /// A stage without state: writes a line once, twice or not at all.
    Copies,
    /// A program that knows no marks.
    Foreign,
}

const COUNT_AND_SUM: &str = "aggregate --by k n=count total=sum:v p50:v";

/// With `--memory`: far less than the flag may say, so that a few keys fill it.
const MEMORY_BYTES: usize = 1500;

/// All kinds of pipes, by name.
pub static PIPELINES: LazyLock<Vec<Pipeline>> = LazyLock::new(|| {
    vec![
        Pipeline::new("lines", &[]),
        Pipeline::new("copies", &["copies"]),
        Pipeline::new("tumbling", &["window --time t --lateness 2s --size 10s", COUNT_AND_SUM]),
        Pipeline::new("hopping", &["window --time t --lateness 2s --size 10s --slide 5s", COUNT_AND_SUM]),
        Pipeline::new("sessions", &["window --time t --lateness 2s --session 2s --by k", COUNT_AND_SUM]),
        Pipeline::new("counts", &["window --count 3 --by k", COUNT_AND_SUM]),
        Pipeline::new("running", &["aggregate --by k n=count total=sum:v --emit update"]),
        Pipeline::new(
            "two-levels",
            &[
                "window --time t --lateness 2s --size 5s",
                "aggregate --by k n=count total=sum:v",
                "window --time window_start --size 20s",
                "aggregate --by k n=count total=sum:total",
            ],
        ),
        Pipeline::new("foreign", &["foreign", "window --time t --lateness 2s --size 10s", "foreign", COUNT_AND_SUM]),
        Pipeline::new(
            "spilled",
            &["window --time t --lateness 2s --size 10s", "aggregate --by k n=count total=sum:v --memory 1GiB"],
        ),
        Pipeline::new(
            "spilled-slices",
            &[
                "window --time t --lateness 2s --size 10s --slide 5s",
                "aggregate --by k n=count total=sum:v --memory 1GiB",
            ],
        ),
        Pipeline::new("copied", &["window --time t --lateness 2s --size 10s", "copies", COUNT_AND_SUM, "foreign"]),
    ]
});

impl Pipeline {
    fn new(name: &'static str, commands: &[&str]) -> Self {
        let uses = |what: &str| commands.iter().any(|command| command.contains(what));
        Self {
            name,
            programs: commands.iter().map(|command| Program::parse(command)).collect(),
            needs_time: uses("--time t"),
            needs_order: uses("--count") || uses("--emit"),
        }
    }

    pub fn has_foreign(&self) -> bool {
        self.programs.iter().any(|program| matches!(program, Program::Foreign))
    }

    /// What an undisturbed run gives: lines and rejects.
    ///
    /// # Errors
    /// When the pipe does not run.
    pub fn undisturbed(&self, script: &Script) -> Result<(Vec<Vec<u8>>, Vec<String>), Fault> {
        let mut stream = whole_stream(script);
        for program in &self.programs {
            stream = program.play(&stream)?;
        }
        let (mut lines, mut rejects) = (Vec::new(), Vec::new());
        for line in stream.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if !line.starts_with(PREFIX) {
                lines.push(line.to_vec());
            } else if let Some(reject) = Mark::parse(line).ok().filter(|mark| mark.kind() == "reject") {
                rejects.push(essence(&reject));
            }
        }
        Ok((lines, rejects))
    }
}

/// The input as a source would write it, a line of each partition in turn, with nothing in the state folder.
fn whole_stream(script: &Script) -> Vec<u8> {
    let mut out = String::from("{\"$\":\"hello\",\"v\":1,\"run\":\"undisturbed\",\"hop\":1}\n");
    for part in 0..script.partitions.len() {
        out.push_str(&format!("{}\n", Mark::from_part(&part_name(part))));
    }
    let longest = script.partitions.iter().map(Vec::len).max().unwrap_or(0);
    for at in 0..longest {
        for (part, items) in script.partitions.iter().enumerate().filter(|(_, items)| at < items.len()) {
            let line = String::from_utf8_lossy(&items[at].line);
            out.push_str(&format!("{}\n{line}\n", Mark::from_part(&part_name(part))));
            if at + 1 == items.len() {
                out.push_str(&format!("{}\n", Mark::idle(&part_name(part), true)));
            }
        }
    }
    let end = Mark::new("end").with("lines", script.items().count()).with("drain", true);
    out.push_str(&format!("{end}\n"));
    out.into_bytes()
}

impl Program {
    /// The table above is right: its programs are played in each test.
    fn parse(command: &str) -> Self {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.first() {
            Some(&"window") => Self::Window(window::cli::Cli::parse_from(words)),
            Some(&"aggregate") => Self::Aggregate(aggregate::cli::Cli::parse_from(words)),
            Some(&"copies") => Self::Copies,
            _ => Self::Foreign,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Window(_) => "window",
            Self::Aggregate(_) => "aggregate",
            Self::Copies => "copies",
            Self::Foreign => "foreign",
        }
    }

    /// Lets the program work, where it is a stage of ours.
    ///
    /// # Errors
    /// Flags that make no sense, and what the work says.
    pub fn with_stage<W: WithStage>(&self, work: W) -> Result<W::Done, Error> {
        Ok(match self {
            Self::Window(cli) => match cli.plan()? {
                Plan::Times(stage) => work.go(stage, cli.config()),
                Plan::Sessions(stage) => work.go(stage, cli.config()),
                Plan::Counts(stage) => work.go(stage, cli.config()),
                Plan::Clock(stage) => work.go(stage, cli.config()),
            },
            Self::Aggregate(cli) => {
                let mut job = cli.job()?;
                job.memory_bytes = job.memory_bytes.map(|_| MEMORY_BYTES);
                work.go(Aggregate::new(job).spill_to(Box::new(Memory::default()))?, cli.config())
            }
            Self::Copies | Self::Foreign => work.go(Copies, Config::new("copies")),
        })
    }

    fn play(&self, stream: &[u8]) -> Result<Vec<u8>, Fault> {
        if matches!(self, Self::Foreign) {
            return Ok(stream.to_vec());
        }
        self.with_stage(Play(stream))?
    }
}

/// Work on a stage of any kind.
pub trait WithStage {
    type Done;
    fn go<S: Stage + 'static>(self, stage: S, config: Config) -> Self::Done;
}

struct Play<'a>(&'a [u8]);

impl WithStage for Play<'_> {
    type Done = Result<Vec<u8>, Fault>;

    fn go<S: Stage + 'static>(self, stage: S, config: Config) -> Self::Done {
        let rejects = Rejects::in_memory(&config.name);
        let mut driver = Driver::new(stage, config, rejects);
        driver.clock(BEGIN_MS)?;
        driver.feed(self.0)?;
        driver.finish()?;
        Ok(driver.out.take())
    }
}

/// How often [`Copies`] writes a line.
pub fn copies_of(line: &[u8]) -> usize {
    match line.iter().map(|byte| usize::from(*byte)).sum::<usize>() % 8 {
        0 => 0,
        1 => 2,
        _ => 1,
    }
}

struct Copies;

impl Stage for Copies {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        for _ in 0..copies_of(line) {
            out.buffer().extend_from_slice(line);
            out.end_result();
        }
        out.settle(1);
        Ok(())
    }

    fn has_state(&self) -> bool {
        false
    }

    fn snapshot(&self, _to: &mut dyn std::io::Write) -> std::io::Result<()> {
        Ok(())
    }

    fn restore(&mut self, _from: &mut dyn std::io::BufRead) -> Result<(), Error> {
        Ok(())
    }
}
