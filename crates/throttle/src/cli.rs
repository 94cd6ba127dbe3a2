//! The flags of `throttle`, and which of them go together.

use crate::bucket::Pace;
use crate::{Limits, Overflow, Settings, Throttle};
use millpipe::{Config, Error, StageArgs};
use selection::WhereArgs;
use std::num::NonZeroU64;
use units::{ByteRate, ByteSize, DurationMs, Rate, parse_count};

const AFTER_HELP: &str = "\
The pace is that of a token bucket: after a rest as many lines as --burst says go at once, and never more; then each goes when
its time has come. A wake-up that the machine delivers late is made good, up to 50 ms; a reader that stopped for longer is not
flooded when it goes on. Bytes are paced likewise, with a burst of a hundredth of a second; a line longer than that goes
when nothing is owed, and what follows waits until it is paid. -v says at the end how steady the pace was.

Only lines wait and cost. Marks keep their place among them, but barriers go past: the lines that wait are in the checkpoint.
In a pipeline with checkpoints a slow pace so delays lines, not commits. That is, while the queue takes what comes: with
block a barrier behind more lines than the queue holds waits in the pipe, and so does a stop; spill:FILE takes them all.

What --overflow does when --queue lines or --buffer bytes wait:
  block          reads no further: the programs before this one wait (default)
  drop-oldest    the line that has waited longest goes, the new one waits
  drop-newest    the new line goes
  spill:FILE     what does not fit goes to FILE, and comes back in order; FILE is gone at the end
  fail           the run ends, with exit code 75
Lines that are dropped count as rejected, and are kept in --rejects FILE, or in the sink's dead letters with --exactly-once.
With --where other lines pass at once, before those that wait.

Examples:
  throttle --rate 1000/s < clicks.ndjson | python3 score.py > scored.ndjson
  kafka-cat-in -b localhost:9092 -t clicks -o -20 | throttle --rate 50/s --burst 100 --overflow drop-oldest | jq .
  throttle --bytes 10MiB/s --rate 5000/s --batch 100 --overflow spill:/var/tmp/clicks < clicks.ndjson > paced.ndjson";

/// Let lines through at a steady pace, with a bounded queue before it
///
/// Lines wait in the queue until their time has come and the program behind reads; when the queue is full, --overflow
/// says what happens.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "throttle", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// So many lines per second, minute, hour or day: 1000/s, 30/m
    #[arg(long, value_name = "RATE", help_heading = "Pace")]
    pub rate: Option<Rate>,

    /// So many lines may go at once after a rest [default: 1, or that of --batch]
    #[arg(long, value_name = "N", requires = "rate", help_heading = "Pace", value_parser = parse_count::<NonZeroU64>, allow_negative_numbers = true)]
    pub burst: Option<NonZeroU64>,

    /// So many bytes per second, minute or hour, newlines included: 10MiB/s
    #[arg(long, value_name = "RATE", help_heading = "Pace")]
    pub bytes: Option<ByteRate>,

    /// Let N lines go together, at the same rate
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Pace", value_parser = parse_count::<NonZeroU64>, allow_negative_numbers = true)]
    pub batch: NonZeroU64,

    /// A batch that is not full goes after this time [default: 1s]
    #[arg(long, value_name = "DURATION", requires = "batch", help_heading = "Pace")]
    pub linger: Option<DurationMs>,

    /// The most lines that wait
    #[arg(long, value_name = "N", default_value = "10000", help_heading = "Limits", value_parser = parse_count::<NonZeroU64>, allow_negative_numbers = true)]
    pub queue: NonZeroU64,

    /// The most bytes that wait in memory
    #[arg(long, value_name = "SIZE", default_value = "64MiB", help_heading = "Limits")]
    pub buffer: ByteSize,

    /// What happens when that is reached: block, drop-oldest, drop-newest, spill:FILE or fail
    #[arg(long, value_name = "WHAT", default_value = "block", value_parser = parse_overflow, help_heading = "Limits")]
    pub overflow: Overflow,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

const LINGER_DEFAULT_MS: i64 = 1_000;
/// Of a second: the burst of `--bytes`.
const BYTES_BURST_PART: f64 = 0.01;

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("throttle"))
    }

    /// # Errors
    /// `Usage` where the flags do not go together; or when the file to spill into cannot be opened.
    pub fn throttle(&self) -> Result<Throttle, Error> {
        Throttle::new(self.settings()?)
    }

    /// # Errors
    /// As `throttle`.
    pub fn settings(&self) -> Result<Settings, Error> {
        self.check()?;
        let batch = self.batch.get();
        let burst = self.burst.map_or(batch, NonZeroU64::get);
        let lines = self.rate.map(|rate| (Pace { count: rate.count(), per_us: rate.unit().nanos() / 1000 }, burst));
        let bytes = self.bytes.map(|rate| {
            let burst = (rate.per_second() * BYTES_BURST_PART).ceil() as u64;
            (Pace { count: rate.bytes().0, per_us: rate.unit().nanos() / 1000 }, burst)
        });
        Ok(Settings {
            lines,
            bytes,
            batch,
            linger_us: self.linger.map_or(LINGER_DEFAULT_MS, |linger| linger.0).saturating_mul(1000),
            limits: Limits { lines: self.queue.get(), bytes: self.buffer.as_usize() },
            overflow: self.overflow.clone(),
            reports: self.stage.run.verbose,
        })
    }

    fn check(&self) -> Result<(), Error> {
        if self.rate.is_none() && self.bytes.is_none() {
            let error = Error::usage("how fast? neither --rate nor --bytes is given");
            return Err(error.hint("--rate 1000/s, --bytes 10MiB/s, or both"));
        }
        let batch = self.batch;
        if let Some(burst) = self.burst.filter(|burst| *burst < batch) {
            let error = Error::usage(format_args!("--burst {burst} lets no --batch of {batch} go at once"));
            return Err(error.hint(format_args!("--burst {batch} does")));
        }
        if self.buffer.as_usize() == 0 {
            return Err(Error::usage("--buffer 0B holds no line").hint("--buffer 64MiB holds many"));
        }
        if self.queue < batch {
            let error = Error::usage(format_args!("--queue {} holds no --batch of {batch}", self.queue));
            return Err(error.hint(format_args!("--queue {batch} does")));
        }
        Ok(())
    }
}

fn parse_overflow(text: &str) -> Result<Overflow, String> {
    Ok(match text {
        "block" => Overflow::Block,
        "drop-oldest" => Overflow::DropOldest,
        "drop-newest" => Overflow::DropNewest,
        "fail" => Overflow::Fail,
        _ => match text.strip_prefix("spill:") {
            Some(path) if !path.is_empty() => Overflow::Spill(path.into()),
            _ => return Err("say block, drop-oldest, drop-newest, spill:FILE or fail".into()),
        },
    })
}
