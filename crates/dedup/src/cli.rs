//! The flags of `dedup`, and which of them go together.

use clap::Parser;
use event_time::{EventTime, TimeArgs};
use keyed_state::{BufferLimit, KeyArgs};
use line_values::Expressions;
use millpipe::{Config, Error, LateArgs, StageArgs, StateFlags};
use selection::WhereArgs;
use units::{ByteSize, DurationMs};

use crate::{Dedup, Job};

const AFTER_HELP: &str = "\
The key is made of fields (user,.meta.site) or jq expressions (.at[:10]); 1 and 1.0 are one key, a missing field is null.

--keep first passes the first line of a key at once, and leaves out those that follow. With --within a key is forgotten:
a line repeats one when it comes after it and its time is less than --within beyond it. So a key that comes on and on
passes once in each --within.

--keep last keeps the line with the latest --time; of equal times, and without --time, the one that arrives last. It is
written at the end of the input. With --within each line is written that no other of its key follows in less than that:
so a key that comes on and on is written once it pauses, as soon as the time of the stream is --within beyond its line.
Lines come out by their time, those of equal times as they arrived. --emit update instead passes each line at once that
becomes the latest of its key, for a reader that replaces what it had.

A key takes about 40 to 80 bytes with its time, with --within 20 more; --keep last takes its line and 60 beside that.

Examples:
  dedup --by host,key < clicks.ndjson
  dedup --by user --within 10m --time at < clicks.ndjson | window --size 1h --time at | aggregate count
  dedup --by user --keep last --time at < clicks.ndjson
  dedup --by 'user,day=.at[:10]' --keep last --time at --within 1m --lateness 5s < clicks.ndjson
  dedup --by sensor --keep last --time at --emit update < readings.ndjson";

/// Keep one line of each key: the first, or the last
///
/// Lines pass as they are. Time is that of the lines, not that of the clock; where the input has watermark marks (from
/// window or watermark), these say what time it is in the stream, else the lines do, less --lateness.
#[derive(Parser, Clone, Debug)]
#[command(name = "dedup", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The fields or expressions that make the key, with commas between them
    #[arg(long, value_name = "FIELDS")]
    pub by: Expressions,

    /// Which line of a key to keep
    #[arg(long, value_name = "WHICH", default_value = "first")]
    pub keep: Keep,

    /// Lines of a key that are this far apart in time do not repeat each other [default: all do]
    #[arg(long, value_name = "DURATION")]
    pub within: Option<DurationMs>,

    /// With --keep last, when to write: end (when the line is final) or update (each line that becomes the latest)
    #[arg(long, value_name = "WHEN", default_value = "end")]
    pub emit: Emit,

    #[command(flatten)]
    pub time: TimeArgs,

    #[command(flatten)]
    pub keys: KeyArgs,

    /// The most memory for lines kept by --keep last; beyond it, stop [default: 1GiB]
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub buffer: Option<ByteSize>,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// Which line of a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// The one that arrives first
    First,
    /// The one with the latest time, or that arrives last
    Last,
}

/// When lines of `--keep last` are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Emit {
    /// When they are final
    End,
    /// When they become the latest
    Update,
}

const BUFFER: ByteSize = ByteSize::mib(1024);

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("dedup").with_late(self.late.late).with_keys(Some(&self.by)))
    }

    /// # Errors
    /// `Usage` where flags do not go together.
    pub fn dedup(&self) -> Result<Dedup, Error> {
        self.check()?;
        Ok(Dedup::new(Job {
            by: self.by.0.clone(),
            keep: self.keep,
            emit: self.emit,
            within_ms: self.within.map(|within| within.0),
            time: self.event_time(),
            keys: self.keys.limit("--within forgets old ones"),
            buffer: BufferLimit::new(
                self.buffer.unwrap_or(BUFFER),
                "the latest lines of all keys",
                "--within writes and forgets old ones, --emit update keeps no lines",
            ),
            has_other_lines: self.selection.selection.is_some(),
            reports: self.stage.run.verbose,
            flags: self.flags().into(),
        }))
    }

    fn is_timed(&self) -> bool {
        self.time.time.is_some() || self.within.is_some()
    }

    fn event_time(&self) -> EventTime {
        match (self.is_timed(), self.within) {
            (false, _) => EventTime::none(),
            (true, Some(_)) => self.time.event_time(),
            (true, None) => self.time.event_time().unwatched(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let is_last = self.keep == Keep::Last;
        let (has_within, has_time) = (self.within.is_some(), self.time.time.is_some());
        let is_update = self.emit == Emit::Update;
        let rules = [
            (self.within.is_some_and(|within| within.0 < 1), "--within must be more than 0", "say --within 10m"),
            (
                !is_last && !has_within && has_time,
                "--time without --within or --keep last",
                "the first line of a key is the one that arrives first",
            ),
            (
                !has_within && !has_time && self.time.given().is_some(),
                "flags of time without a time",
                "say --within 10m, or --keep last --time FIELD",
            ),
            (
                !has_within && (self.time.lateness.is_some() || self.time.idle.is_some()),
                "--lateness and --idle are for --within",
                "without it nothing is ever forgotten, and no line is late",
            ),
            (!has_within && self.late.late.is_some(), "--late without --within", "without it no line is late"),
            (!is_last && is_update, "--emit update with --keep first", "the first line of a key is final at once"),
            (
                is_last && is_update && !has_within && !has_time,
                "--emit update without --time",
                "without times every line is the latest when it arrives: say --time FIELD",
            ),
            (
                self.buffer.is_some() && (!is_last || is_update),
                "--buffer where no lines are kept",
                "only --keep last keeps lines, and not with --emit update",
            ),
        ];
        Error::of_broken_rule(rules)
    }

    /// What the state depends on.
    fn flags(&self) -> StateFlags {
        let flags = StateFlags::new()
            .quoted("--by", &self.by)
            .switch("--keep last", self.keep == Keep::Last)
            .switch("--emit update", self.emit == Emit::Update)
            .maybe("--within", self.within);
        if self.is_timed() { flags.text(self.time.for_snapshot()) } else { flags }
    }
}
