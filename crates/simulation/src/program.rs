//! The programs of a pipe: command lines of the real tools, made into stages as their `main` does it.

use aggregate::Aggregate;
use clap::Parser;
use decompose::cli::Plan as Decomposed;
use detect::cli::Plan as Anomalies;
use filter::Filter;
use keyed_state::MemoryArgs;
use lookup::cli::Plan as Lookups;
use protocol::{Config, Driver, Map, Out, Rejects, Stage, Stateful};
use sorted_runs::Memory;
use stream::{Error, Fault};
use stream_join::StreamJoin;
use units::ByteSize;
use window::cli::Plan as Windows;

use crate::process::BEGIN_MS;

/// One program of a pipe.
pub enum Program {
    Window(Box<window::cli::Cli>),
    Watermark(Box<watermark::cli::Cli>),
    Aggregate(Box<aggregate::cli::Cli>),
    Decompose(Box<decompose::cli::Cli>),
    Dedup(Box<dedup::cli::Cli>),
    Derive(Box<derive::cli::Cli>),
    Detect(Box<detect::cli::Cli>),
    MatchPattern(Box<match_pattern::cli::Cli>),
    TopN(Box<top_n::cli::Cli>),
    Forecast(Box<forecast::cli::Cli>),
    StreamJoin(Box<stream_join::cli::Cli>),
    Lookup(Box<lookup::cli::Cli>),
    Reorder(Box<reorder::cli::Cli>),
    Resample(Box<resample::cli::Cli>),
    Filter(Box<filter::cli::Cli>),
    /// A stage without state: writes a line once, twice or not at all.
    Copies,
    /// A program that knows no marks.
    Foreign,
}

/// With `--memory`: far less than the flag may say, so that a few keys or lines fill it.
const MEMORY: ByteSize = ByteSize(1500);
/// The same for series, of which each key keeps some of it.
const SERIES_MEMORY: ByteSize = ByteSize(8000);
/// The same for a join, where finding the lines takes some of it, and must not take all.
const JOIN_MEMORY: ByteSize = ByteSize(13_000);

impl Program {
    /// A command line without quotes. The table of pipelines is right: its programs are played in each test.
    pub fn parse(command: &str) -> Self {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.first().copied() {
            Some("window") => Self::Window(parsed(words)),
            Some("watermark") => Self::Watermark(parsed(words)),
            Some("aggregate") => Self::Aggregate(parsed(words)),
            Some("decompose") => Self::Decompose(parsed(words)),
            Some("dedup") => Self::Dedup(parsed(words)),
            Some("derive") => Self::Derive(parsed(words)),
            Some("detect") => Self::Detect(parsed(words)),
            Some("match-pattern") => Self::MatchPattern(parsed(words)),
            Some("top-n") => Self::TopN(parsed(words)),
            Some("forecast") => Self::Forecast(parsed(words)),
            Some("stream-join") => Self::StreamJoin(parsed(words)),
            Some("lookup") => Self::Lookup(parsed(words)),
            Some("reorder") => {
                let has_memory = words.contains(&"--memory");
                let mut cli: Box<reorder::cli::Cli> = parsed(words);
                cli.memory = if has_memory { MEMORY } else { cli.memory };
                Self::Reorder(cli)
            }
            Some("resample") => Self::Resample(parsed(words)),
            Some("filter") => Self::Filter(parsed(words)),
            Some("copies") => Self::Copies,
            _ => Self::Foreign,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Window(_) => "window",
            Self::Watermark(_) => "watermark",
            Self::Aggregate(_) => "aggregate",
            Self::Decompose(_) => "decompose",
            Self::Dedup(_) => "dedup",
            Self::Derive(_) => "derive",
            Self::Detect(_) => "detect",
            Self::MatchPattern(_) => "match-pattern",
            Self::TopN(_) => "top-n",
            Self::Forecast(_) => "forecast",
            Self::StreamJoin(_) => "stream-join",
            Self::Lookup(_) => "lookup",
            Self::Reorder(_) => "reorder",
            Self::Resample(_) => "resample",
            Self::Filter(_) => "filter",
            Self::Copies => "copies",
            Self::Foreign => "foreign",
        }
    }

    /// Lets the program work, where it is a stage of ours; what is beyond its memory goes to `scratch`.
    ///
    /// # Errors
    /// Flags that make no sense, and what the work says.
    pub fn with_stage<W: WithStage>(&self, work: W, scratch: &Memory) -> Result<W::Done, Error> {
        let scratch = Box::new(scratch.clone());
        Ok(match self {
            Self::Window(cli) => match cli.plan()? {
                Windows::Times(stage) => work.go(stage, cli.config()),
                Windows::Sessions(stage) => work.go(stage, cli.config()),
                Windows::Counts(stage) => work.go(stage, cli.config()),
                Windows::Clock(stage) => work.go(stage, cli.config()),
            },
            Self::Watermark(cli) => work.go(cli.watermark()?, cli.config()),
            Self::Aggregate(cli) => {
                let mut job = cli.job()?;
                job.memory_bytes = job.memory_bytes.map(|_| MEMORY.as_usize());
                let stage = Aggregate::new(job).spill_to(scratch)?;
                work.go(stage, cli.config())
            }
            Self::Decompose(cli) => match cli.plan()? {
                Decomposed::Online(mut stage) => {
                    spill(&cli.memory, |memory| stage.spill_to(memory, scratch))?;
                    work.go(*stage, cli.config())
                }
                Decomposed::Batch(stage) => work.go(*stage, cli.config()),
            },
            Self::Dedup(cli) => work.go(cli.dedup()?, cli.config()),
            Self::Derive(cli) => {
                let mut stage = cli.derive()?;
                spill(&cli.memory, |memory| stage.spill_to(memory, scratch))?;
                work.go(stage, cli.config())
            }
            Self::Detect(cli) => match cli.plan()? {
                Anomalies::Series(mut stage) => {
                    spill(&cli.memory, |memory| stage.spill_to(memory, scratch))?;
                    work.go(*stage, cli.config())
                }
                Anomalies::Among(stage) => work.go(*stage, cli.config()),
            },
            Self::MatchPattern(cli) => work.go(cli.match_pattern()?, cli.config()),
            Self::TopN(cli) => work.go(cli.top_n()?, cli.config()),
            Self::Forecast(cli) => {
                let mut stage = cli.forecast()?;
                spill(&cli.memory, |memory| stage.spill_to(memory, scratch))?;
                work.go(stage, cli.config())
            }
            Self::StreamJoin(cli) => {
                let mut job = cli.job()?;
                job.memory_bytes_max = if job.spills { JOIN_MEMORY.as_usize() } else { job.memory_bytes_max };
                work.go(StreamJoin::new(job, scratch)?, cli.config())
            }
            Self::Lookup(cli) => match cli.plan().map_err(stopped)? {
                Lookups::File(stage) => work.go(*stage, cli.config()),
                Lookups::Stream(stage) => work.go(*stage, cli.config()),
            },
            Self::Reorder(cli) => work.go(cli.reorder(scratch)?, cli.config()),
            Self::Resample(cli) => work.go(cli.resample()?, cli.config()),
            Self::Filter(cli) => work.go(EachLine(Filter::new(&cli.program()?, cli.keeps())), cli.config()),
            Self::Copies | Self::Foreign => work.go(EachLine(Copies), Config::new("copies")),
        })
    }

    /// # Errors
    /// What the stage says.
    pub fn play(&self, stream: &[u8]) -> Result<Vec<u8>, Fault> {
        if matches!(self, Self::Foreign) {
            return Ok(stream.to_vec());
        }
        self.with_stage(Play(stream), &Memory::default())?
    }
}

/// With `--memory`, lets far less of it be taken.
fn spill(args: &MemoryArgs, spill_to: impl FnOnce(ByteSize) -> Result<(), Error>) -> Result<(), Error> {
    if args.memory.is_some() { spill_to(SERIES_MEMORY) } else { Ok(()) }
}

fn parsed<C: Parser>(words: Vec<&str>) -> Box<C> {
    Box::new(C::parse_from(words))
}

fn stopped(fault: Fault) -> Error {
    match fault {
        Fault::Stop(error) => error,
        other => Error::data(format_args!("{other:?}")),
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

impl Map for Copies {
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        for _ in 0..copies_of(line) {
            out.buffer().extend_from_slice(line);
            out.end_result();
        }
        out.settle(1);
        Ok(())
    }
}

/// A map as a stage, as the runtime makes one of it.
struct EachLine<M>(M);

impl<M: Map> Stage for EachLine<M> {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.0.map(line, out)
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        None
    }
}
