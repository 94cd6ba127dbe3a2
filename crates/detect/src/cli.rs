//! The flags of `detect`, and which of them go together.

use std::num::NonZeroUsize;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use keyed_state::{BufferLimit, KeyArgs, MemoryArgs};
use line_values::Expression;
use millpipe::{Config, Error, LateArgs, StageArgs, StateFlags};
use selection::WhereArgs;
use series::{SeriesArgs, SeriesReader, SeriesStore};
use units::{ByteSize, DurationMs, parse_count, parse_duration};

use crate::alarms::{Rule, THRESHOLD_DEFAULT};
use crate::among::{Among, Job};
use crate::group::Comparing;
use crate::models::Method as ModelMethod;
use crate::series_state::Judging;
use crate::{Detect, Flags, members};

const AFTER_HELP: &str = "\
Each line goes on at once with these members in front; a line that has members of these names loses its own:
  anomaly_score   0 to 1: how far out the number is, against all that this series had; null without a number
  anomaly         true from --threshold on, or by --alarms; also for a flat line and a gap, which have no part in the score
  surprise        the same in decades, also for the echo of an anomaly, which has score 0
  expected, lower, upper   what was expected, and where 99 of 100 ordinary numbers lie; not for the first two
  of an anomaly:  why, anomaly_id (1, 2, … of the key), anomaly_since (time of its first line), with several values
                  anomaly_of (which one it is about)
  with --change-points, of a line that shows a change:  change (level, trend, variance), change_since (when it began),
                  change_probability, with several values change_of

why is one of: spike, dip, unseen season (ordinary, but not at this time), unusual sequence, variance (the numbers before it were
restless too), level shift (from the third line of an alarm on), trend change (from the fifth on, when it still moves away), flat
line (the same number more than 12 times, and three times as long as ever before), gap (no line for four times as long as ever
before; told at the next line), unlike its peers.

The score of a line depends on it and on the lines of its key before it. Lines have to be in the order of their times by
key; one that is earlier than the last is late. The first 60 points of a series are no anomalies; without --among their score is 0.

--method memory: a number is a surprise if none like it was there before: not above or below all others, but far from each of
up to 256 that are remembered. So gaps within the range count too, and what has been there twice is ordinary. A season of
the day or the week is taken out where that halves the mean error, by UTC. --trend is for series that change all the time,
where each new height would be new. --method robust: a number is a surprise if it is far from the median, the median of its
hour of the day, or the last number, whichever told the numbers before best; for millions of keys, and for spikes.

--among host compares the lines of exactly one time (and one --by key) with each other, say forty hosts: a number is a surprise
if it is unlike those of its peers, and unlike what it was beside them before. resample --every gives lines the same times. Lines
are held until the time of their key has moved on; those that --where leaves out do not wait for them.

Numbers beyond 1e290 count as 1e290. Of several --value no two may have the same name.

A key takes at most 22 KiB for each value, and about 1 KiB for 20 points; with --trend 4 KiB more, with --change-points 5 KiB
more. With --method robust it takes 250 bytes, a member of --among 850 with the line that waits.

More keys than memory: with --memory those without a line for the longest time go to disk, as a checkpoint has them, and come
back with their next line; what comes out is the same. 115 bytes of each stay in memory, so --method robust gains little. A line
of a key on disk takes some fifteen times as long as another one. The files take up to twice what is wanted of them and 128 MiB,
and are gone with the process.

The methods, and how good they are, are described in docs/analytics.md.

Examples:
  detect < metrics.ndjson | filter .anomaly
  detect --by host --value p99 --time window_start < p99.ndjson | filter .anomaly
  detect --by host --value cpu,load --alarms 1/7d < metrics.ndjson | filter .anomaly | dedup --by host,anomaly_id
  detect --by path --method robust < metrics.ndjson | filter .anomaly
  detect --by host --change-points < metrics.ndjson | filter '.change != null'
  resample --every 10s --by host --value p99 --time window_start < p99.ndjson | detect --among host --value p99 --time window_start | filter .anomaly";

/// Find anomalies: numbers that are unlike those before them
///
/// Takes each number of a series and says how surprising it is, from the numbers before it alone: no training, no settings for each
/// series, one pass.
#[derive(Parser, Clone, Debug)]
#[command(name = "detect", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    pub series: SeriesArgs,

    /// From which score on a line is an anomaly, more than 0 to below 1; 0.5 finds more, and more that is none [default: 0.65]
    #[arg(long, value_name = "SCORE", conflicts_with = "alarms")]
    pub threshold: Option<Threshold>,

    /// About so many false alarms of a key in that time, as 1/7d: the largest surprises of the time before are alarms
    #[arg(long, value_name = "N/DURATION")]
    pub alarms: Option<AlarmRate>,

    /// The first so many lines of a key are no anomalies; of a series with a day, a day or two of lines (1440 by the minute) spare the heights of the first day
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub warm_up: u64,

    /// How numbers are judged: memory (was one like it there before?) or robust (medians, 250 bytes a key)
    #[arg(
        long,
        value_name = "METHOD",
        default_value = "memory",
        hide_possible_values = true,
        conflicts_with = "among"
    )]
    pub method: Method,

    /// The series change all the time: counters, sizes, prices; new heights alone are no surprise
    #[arg(long, conflicts_with = "among")]
    pub trend: bool,

    /// Say when the level, the trend or the variance of a series has changed, and when that began
    #[arg(long, conflicts_with = "among")]
    pub change_points: bool,

    /// Compare the lines of one time that differ in this field: which of them has become unlike the others? One that always was is no anomaly, but is far from `expected`
    #[arg(long, value_name = "FIELD")]
    pub among: Option<Expression>,

    /// With fewer members at a time nothing is said of them [default: 5]
    #[arg(long, value_name = "N", requires = "among", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub peers: Option<NonZeroUsize>,

    #[command(flatten)]
    pub keys: KeyArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    /// The most memory for lines that wait for their peers; beyond it, stop [default: 1GiB]
    #[arg(long, value_name = "SIZE", help_heading = "Limits", requires = "among")]
    pub buffer: Option<ByteSize>,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// How numbers are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    Memory,
    Robust,
}

/// What the flags make.
pub enum Plan {
    Series(Box<Detect>),
    Among(Box<Among>),
}

/// What keeps fewer keys.
const WAY: &str = "--ttl forgets old ones";
const PEERS: usize = 5;
const BUFFER: ByteSize = ByteSize(1 << 30);

/// A score above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold(f64);

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let score = text.parse().ok().filter(|score| *score > 0.0 && *score < 1.0);
        score.map(Self).ok_or_else(|| "a score is a number above 0 and below 1, as 0.65".to_owned())
    }
}

/// So many alarms in a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlarmRate {
    count: usize,
    within_ms: i64,
}

/// Larger counts need more than is kept.
const ALARMS_MAX: usize = 16;

impl FromStr for AlarmRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(count, within)| {
            let count = count.parse().ok().filter(|count| (1..=ALARMS_MAX).contains(count))?;
            let within_ms = parse_duration(within).ok().filter(|within_ms| *within_ms > 0)?;
            Some(Self { count, within_ms })
        });
        parts.ok_or_else(|| format!("alarms are 1 to {ALARMS_MAX} in a time, as 1/7d"))
    }
}

impl Cli {
    /// Returns what the runtime needs to know.
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("detect").with_late(self.late.late).with_keys(self.series.by.as_ref()))
    }

    /// Makes the operator.
    ///
    /// # Errors
    /// `Usage` where a value of a flag is of no use.
    pub fn plan(&self) -> Result<Plan, Error> {
        let is_robust = self.method == Method::Robust;
        self.series.check_names()?;
        self.series.check_ttl()?;
        self.memory.check()?;
        if self.among.is_none() {
            self.series.check_in_order()?;
        }
        Error::of_broken_rule([
            (
                self.is_alone(),
                "the field of --among is in --by too",
                "each line would be alone: --by says which lines are compared with each other, none for all of a time",
            ),
            (
                self.among.is_some() && self.memory.memory.is_some(),
                "--memory with --among",
                "--buffer SIZE limits the lines that wait for their peers, --ttl and --max-keys the members",
            ),
            (
                self.trend && is_robust,
                "--trend is for --method memory",
                "--method robust follows series that change all the time by itself",
            ),
        ])?;
        Ok(match &self.among {
            None => Plan::Series(Box::new(self.detect())),
            Some(among) => Plan::Among(Box::new(self.among(among))),
        })
    }

    /// Returns true if no two lines of a group can differ in the field of `--among`.
    fn is_alone(&self) -> bool {
        let Some(among) = &self.among else { return false };
        self.series.keys().contains(&among.to_string())
    }

    fn detect(&self) -> Detect {
        let store = SeriesStore::new(self.keys.limit(WAY), self.series.ttl_ms());
        let reader = SeriesReader::new(&self.series, members::names(self.change_points));
        let flags = Flags { by: self.series.keys(), text: self.flags().to_string() };
        Detect::new(reader, store, self.judging(), &self.values(), flags)
    }

    fn among(&self, among: &Expression) -> Among {
        let by = self.series.by.as_ref().map_or(&[][..], |by| &by.0);
        let by: Vec<Expression> = by.iter().chain([among]).cloned().collect();
        // Lines wait for the time of the stream.
        let time = self.series.time.event_time();
        let reader = SeriesReader::of(&by, &self.series.value.0, time, members::names(false));
        let peers = self.peers.map_or(PEERS, NonZeroUsize::get);
        let buffer = self.buffer.unwrap_or(BUFFER);
        let job = Job {
            comparing: Comparing { judging: self.judging(), peers, ttl_ms: self.series.ttl_ms() },
            by: self.series.keys(),
            values: self.values(),
            keys: self.keys.limit(WAY),
            buffer: BufferLimit::new(buffer, "the lines that wait for their peers", "watermarks let them go sooner"),
            flags: self.flags().to_string(),
        };
        Among::new(reader, job)
    }

    fn judging(&self) -> Judging {
        let method = match self.method {
            Method::Robust => ModelMethod::Robust,
            Method::Memory if self.trend => ModelMethod::Trend,
            Method::Memory => ModelMethod::Memory,
        };
        let (values, changes) = (self.series.value.0.len(), self.change_points);
        Judging { values, method, rule: self.rule(), warm_up: self.warm_up, changes }
    }

    fn values(&self) -> Vec<String> {
        self.series.value.0.iter().map(Expression::name).collect()
    }

    fn rule(&self) -> Rule {
        match self.alarms {
            Some(rate) => Rule::Rate { count: rate.count, within_ms: rate.within_ms },
            None => Rule::Threshold(self.threshold.map_or(THRESHOLD_DEFAULT, |threshold| threshold.0)),
        }
    }

    /// Writes the flags that the state depends on.
    fn flags(&self) -> StateFlags {
        let alarms = self.alarms.map(|rate| format!("{}/{}", rate.count, DurationMs(rate.within_ms)));
        let robust = (self.method == Method::Robust).then_some("robust");
        let flags = self.series.state_flags().maybe("--alarms", alarms).maybe("--method", robust);
        let flags = flags.switch("--trend", self.trend).switch("--change-points", self.change_points);
        flags.maybe("--among", self.among.as_ref().map(|among| format!("'{among}'")))
    }
}
