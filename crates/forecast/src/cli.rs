//! The flags of `forecast`, and which of them go together.

use std::num::{NonZeroU64, NonZeroUsize};
use std::str::FromStr;

use clap::Parser;
use event_time::WindowSize;
use forecasting::Method;
use keyed_state::{BufferLimit, KeyArgs, MemoryArgs};
use line_values::Expression;
use millpipe::{Config, Error, LateArgs, StageArgs, StateFlags};
use selection::WhereArgs;
use units::{ByteSize, DurationMs, parse_count, parse_duration};

use crate::levels::Levels;
use crate::rows::{NAMES, OF};
use crate::{Forecaster, Job};
use series::{Seasons, SeriesArgs, SeriesReader, Step};

const AFTER_HELP: &str = "\
At the end of the input there are --horizon rows for each key, keys in the order in which they first came:
{\"host\":\"a\",\"time\":\"2026-01-02T00:00:00Z\",\"forecast\":12.5,\"lower_80\":11.2,\"upper_80\":13.8,\"lower_95\":10.6,\"upper_95\":14.4}

Values are taken by their times, whatever their order; of one time the last that comes counts. They need steps of equal
length (or months, quarters, years): --every says how long they are, else it is the median of their distances. Of several values in a step the
latest counts; missing ones are taken to lie on a line between their neighbours. Where many are missing, take longer steps. Missing and null values count for
nothing; one that is not a number is a bad line. Of several values (--value cpu,load) there are rows of each, with forecast_of
(which one they are about) after the key. A forecast beyond 1.8e308 is null,
and so are the bounds of a key with a single value.

Models: naive (the last value), snaive (that of a season ago), ets (exponential smoothing, its form chosen by AICc), theta (Theta
with an optimised theta), mstl (seasons taken out by MSTL, the rest by ets). auto is the median of ets, theta and, where a
test finds the series seasonal, mstl of the values and of their logarithms (of values above zero); its bounds are wider
where these disagree.

--season auto looks for up to two seasons that are at least three times in the history. A season longer than half of the history
counts for nothing.

--emit update writes the rows of a key after each of its lines. The model takes each value as it comes, and is fitted anew from the history
after --refit values (before, whenever there are twice as many). There is nothing before 10 values. A line that is not in a later step than
the last one of its key is late; steps without a line are taken to be as forecast.

--check compares each value with what was forecast for it --horizon steps before: it writes one row for each key at the end, and
with --emit update one for each value. smape is 0 to 200; mase is a multiple of what the (seasonal) naive forecast
misses; coverage_95 is the percentage of values within the bounds.

--ttl forgets a key when no line of it came for so long: then there are no rows of it at the end, with --check neither. A later
line of it begins anew. A line that is --ttl behind the watermark is late.

A key takes 16 bytes for each value of its history. In a checkpoint, a key that has changed is written whole.

More keys than memory: with --memory those without a line for the longest time go to disk, as a checkpoint has them, and come
back with their next line; what comes out is the same. 90 bytes of each stay in memory. The files take up to twice what is
wanted of them and 128 MiB, and are gone with the process.

Examples:
  forecast --by sensor --value value --time at --every 10s --horizon 3 < readings.ndjson
  forecast --value price --time at --horizon 4 --model theta --interval 90 < clicks.ndjson
  forecast --by host --value cpu,load --every 1m --horizon 2 --ttl 1h < metrics.ndjson
  window --size 10s --time at < readings.ndjson | aggregate --by sensor value=avg:value | forecast --by sensor --time window_start --every 10s --horizon 1 --check";

/// Forecast the next values of each key, with bounds
///
/// Lines end here. The rows are the steps after the last value of each key.
#[derive(Parser, Clone, Debug)]
#[command(name = "forecast", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    pub series: SeriesArgs,

    /// How far to forecast: a number of steps (24), or with --every a duration (1d)
    #[arg(long, value_name = "HORIZON")]
    pub horizon: Horizon,

    /// The length of a step: 10s, 1h, 1d, 1mo [default: the median distance of the values of a key]
    #[arg(long, value_name = "SIZE")]
    pub every: Option<WindowSize>,

    /// The seasons: a number of steps (24), a duration (1d), several (1d,7d), auto or none
    #[arg(long, value_name = "SEASONS", default_value = "auto")]
    pub season: Seasons,

    /// How to forecast
    #[arg(long, value_name = "MODEL", default_value = "auto")]
    pub model: ModelName,

    /// How sure the bounds are, in percent, with commas between; none for no bounds
    #[arg(long, value_name = "LEVELS", default_value = "80,95")]
    pub interval: Levels,

    /// When to write: end (the rows after the last value) or update (those after each value)
    #[arg(long, value_name = "WHEN", default_value = "end")]
    pub emit: Emit,

    /// Compare values with what was forecast for them, and write how good that was
    #[arg(long)]
    pub check: bool,

    /// After how many values a model that goes along is fitted anew [default: a quarter of those that it was fitted to, at least 100]
    #[arg(long, value_name = "N", value_parser = parse_count::<NonZeroU64>, allow_negative_numbers = true)]
    pub refit: Option<NonZeroU64>,

    /// How many values of a key to keep; the oldest are forgotten
    #[arg(long, value_name = "N", default_value = "2000", help_heading = "Limits", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub history: NonZeroUsize,

    #[command(flatten)]
    pub keys: KeyArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    /// The most memory for the histories of all keys; beyond it, stop
    #[arg(long, value_name = "SIZE", default_value = "1GiB", help_heading = "Limits")]
    pub buffer: ByteSize,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// The models by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ModelName {
    /// The median of ets, theta and mstl
    Auto,
    /// The last value
    Naive,
    /// The value of a season ago
    Snaive,
    /// Exponential smoothing
    Ets,
    /// The Theta method
    Theta,
    /// Seasons by MSTL, the rest by ets
    Mstl,
}

impl ModelName {
    fn method(self) -> Method {
        match self {
            ModelName::Auto => Method::Auto,
            ModelName::Naive => Method::Naive,
            ModelName::Snaive => Method::SeasonalNaive,
            ModelName::Ets => Method::Ets,
            ModelName::Theta => Method::Theta,
            ModelName::Mstl => Method::Mstl,
        }
    }
}

/// When rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Emit {
    /// When the input ends
    End,
    /// After each value
    Update,
}

const HORIZON_MAX: usize = 100_000;

/// How far to forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    Steps(usize),
    Duration(DurationMs),
}

impl FromStr for Horizon {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let steps = text.parse().ok().filter(|steps| (1..=HORIZON_MAX).contains(steps)).map(Self::Steps);
        let duration = || parse_duration(text).ok().filter(|ms| *ms > 0).map(|ms| Self::Duration(DurationMs(ms)));
        steps.or_else(duration).ok_or_else(|| {
            format!("say how many steps to forecast, 1 to {HORIZON_MAX}, or with --every for how long, as 1d")
        })
    }
}

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection
            .select(self.stage.config("forecast").with_late(self.late.late).with_keys(self.series.by.as_ref()))
    }

    /// # Errors
    /// `Usage` where flags do not go together.
    pub fn forecast(&self) -> Result<Forecaster, Error> {
        self.check()?;
        let by = self.series.by.clone().map(|by| by.0).unwrap_or_default();
        self.check_names(&by)?;
        let horizon = self.steps_ahead()?;
        // No row is made of the line itself: it may be an array too.
        let reader = SeriesReader::new(&self.series, &[""; 0]).of_any_json();
        let job = Job {
            by,
            values: self.series.value.0.clone(),
            horizon,
            step: self.step(),
            seasons: self.season.clone(),
            method: self.model.method(),
            levels: self.interval.clone(),
            updates: self.emit == Emit::Update,
            check: self.check,
            refit: self.refit.map(NonZeroU64::get),
            history: self.history.get(),
            keys: self.keys.limit("--ttl forgets old ones"),
            ttl_ms: self.series.ttl_ms(),
            buffer: BufferLimit::new(self.buffer, "the histories of all keys", "--history N keeps fewer values"),
            has_other_lines: self.selection.selection.is_some(),
            flags: self.flags(horizon).into(),
        };
        Ok(Forecaster::new(reader, job))
    }

    fn goes_along(&self) -> bool {
        self.check || self.emit == Emit::Update
    }

    fn step(&self) -> Option<Step> {
        self.every.map(Step::of_size)
    }

    /// Returns how many steps to forecast.
    fn steps_ahead(&self) -> Result<usize, Error> {
        let duration = match self.horizon {
            Horizon::Steps(steps) => return Ok(steps),
            Horizon::Duration(duration) => duration,
        };
        let wrong = |what: std::fmt::Arguments<'_>, hint: &str| Err(Error::usage(what).hint(hint));
        match (self.every, self.step()) {
            (Some(every), Some(Step::Fixed(step_ms))) => match usize::try_from(duration.0 / step_ms) {
                Ok(steps) if duration.0 % step_ms == 0 && (1..=HORIZON_MAX).contains(&steps) => Ok(steps),
                Ok(steps) if steps <= HORIZON_MAX => {
                    let what = format_args!("--horizon {duration} is not a whole number of steps of {every}");
                    wrong(what, "say how many steps: --horizon 24")
                }
                _ => wrong(
                    format_args!("--horizon {duration} is more than {HORIZON_MAX} steps of {every}"),
                    "longer steps need fewer: --every 1h",
                ),
            },
            (Some(every), _) => {
                let what = format_args!("--horizon {duration} with steps of {every}, which differ in length");
                wrong(what, "say how many steps: --horizon 3")
            }
            (None, _) => {
                let what = format_args!("--horizon {duration} without --every");
                wrong(what, "say how long a step is (--every 1h), or how many steps: --horizon 24")
            }
        }
    }

    fn check(&self) -> Result<(), Error> {
        self.series.check_ttl()?;
        self.memory.check()?;
        let has_ttl = self.series.ttl.is_some();
        let rules = [
            (
                self.goes_along() && self.every.is_none(),
                "--emit update and --check without --every",
                "a model that goes along has to know its steps: --every 1h",
            ),
            (
                !self.goes_along() && self.refit.is_some(),
                "--refit without --emit update or --check",
                "at the end of the input a model is fitted once",
            ),
            (
                !self.goes_along() && !has_ttl && self.late.late.is_some(),
                "--late without --emit update, --check or --ttl",
                "at the end of the input no line is late",
            ),
            (
                !has_ttl && (self.series.time.lateness.is_some() || self.series.time.idle.is_some()),
                "--lateness and --idle count for nothing without --ttl",
                "values are taken by their own times; reorder --lateness sorts lines",
            ),
        ];
        Error::of_broken_rule(rules)
    }

    /// No two members of a row may have the same name.
    fn check_names(&self, by: &[Expression]) -> Result<(), Error> {
        let of_levels = ["lower", "upper", "coverage"]
            .iter()
            .flat_map(|what| self.interval.as_slice().iter().map(|level| level.name(what)));
        let values = &self.series.value.0;
        let of = (values.len() > 1).then_some(OF);
        let mut names: Vec<String> = NAMES.into_iter().chain(of).map(str::to_owned).chain(of_levels).collect();
        for key in by {
            let name = key.name();
            if !key.has_name() {
                let error = Error::usage(format_args!("the key \"{key}\" has no name"));
                return Err(error.hint(format_args!("a name stands before it: day={key}")));
            }
            if names.contains(&name) {
                let error = Error::usage(format_args!("a row cannot have a key named {name:?}"));
                return Err(error.hint("name it otherwise: NAME=EXPRESSION"));
            }
            names.push(name);
        }
        self.series.check_names()
    }

    /// What the state depends on.
    fn flags(&self, horizon: usize) -> StateFlags {
        let flags = self.series.state_flags();
        if !self.goes_along() {
            return flags;
        }
        flags
            .maybe("--every", self.every)
            .with("--horizon", horizon)
            .with("--interval", &self.interval)
            .switch("--emit update", self.emit == Emit::Update)
            .switch("--check", self.check)
    }
}
