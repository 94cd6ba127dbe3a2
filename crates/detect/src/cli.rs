//! The flags of `detect`.

use std::str::FromStr;

use clap::Parser;
use keyed_state::KeyArgs;
use millpipe::{Config, Error, LateArgs, StageArgs, StateFlags};
use selection::WhereArgs;
use series::{SeriesArgs, SeriesReader};
use units::{DurationMs, parse_duration};

use crate::alarms::{Rule, THRESHOLD_DEFAULT};
use crate::store::{Judging, Store};
use crate::{Detect, Flags, members};

const AFTER_HELP: &str = "\
Each line goes on at once with these members in front; a line that has members of these names loses its own:
  anomaly_score   0 to 1: how far out the number is, against all that this series had; null without a number
  anomaly         true from --threshold on, or by --alarms
  surprise        the same in decades, also for the echo of an anomaly, which has score 0
  expected, lower, upper   what was expected, and where 99 of 100 ordinary numbers lie; not for the first two
  of an anomaly:  why (spike, dip, level shift, unseen season, unusual sequence), anomaly_id (1, 2, … of the key),
                  anomaly_since (time of its first line), with several values anomaly_of (which one it is about)

The score of a line depends on it and on the lines of its key before it. Lines have to be in the order of their times by
key; one that is earlier than the last is late. The first 60 points of a series have score 0.

A number is a surprise if none like it was there before: not above or below all others, but far from each of up to 256
that are remembered. So gaps within the range count too, and what has been there twice is ordinary. A season of the day or
the week is taken out where that halves the mean error, by UTC. The method is described in docs/analytics.md.

A key takes at most 22 KiB for each value, and about 1 KiB for 20 points.

Examples:
  detect < metrics.ndjson | filter .anomaly
  detect --by host --value p99 --time window_start < p99.ndjson | filter .anomaly
  detect --by host --value cpu,load --alarms 1/7d < metrics.ndjson | filter .anomaly | dedup --by host,anomaly_id";

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

    /// The first so many lines of a key are no anomalies
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub warm_up: u64,

    #[command(flatten)]
    pub keys: KeyArgs,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

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
        self.selection.select(self.stage.config("detect").with_late(self.late.late))
    }

    /// Makes the operator.
    ///
    /// # Errors
    /// `Usage` where a value of a flag is of no use.
    pub fn detect(&self) -> Result<Detect, Error> {
        if self.series.ttl.is_some_and(|ttl| ttl.0 < 1) {
            return Err(Error::usage("--ttl must be more than 0").hint("say --ttl 7d"));
        }
        let by = self.series.by.as_ref().map_or(&[][..], |by| &by.0);
        let by = by.iter().map(ToString::to_string).collect();
        let values: Vec<String> = self.series.value.0.iter().map(|value| value.name()).collect();
        let ttl_ms = self.series.ttl.map(|ttl| ttl.0);
        let keys = self.keys.limit("--ttl forgets old ones");
        let judging = Judging { values: values.len(), rule: self.rule(), warm_up: self.warm_up };
        let reader = SeriesReader::new(&self.series, &members::NAMES);
        Ok(Detect::new(
            reader,
            Store::new(judging, keys, ttl_ms),
            &values,
            Flags { by, text: self.flags().to_string() },
        ))
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
        self.series.state_flags().maybe("--alarms", alarms)
    }
}
