//! The flags of `decompose`, and which of them go together.

use std::num::NonZeroUsize;
use std::str::FromStr;

use clap::Parser;
use event_time::WindowSize;
use forecasting::stl::StlSettings;
use keyed_state::{BufferLimit, KeyArgs, MemoryArgs};
use millpipe::{Config, Error, LateArgs, StageArgs};
use selection::WhereArgs;
use series::{FrontMembers, Gap, Season, Seasons, SeriesArgs, SeriesReader, SeriesStore, Step};
use units::{ByteSize, DurationMs, parse_count};

use crate::decomposer;
use crate::held::Held;
use crate::members::{Layout, Members};
use crate::track::Rules;
use crate::whole::{Method, default_smoothers};
use crate::{Batch, Decompose, Flags};

const AFTER_HELP: &str = "\
Each line goes on with these members in front; a line that has members of these names loses its own:
  trend             the level, without seasons
  season            what is added at this place of the season; the sum, if there are several
  season_1d, …      with several seasons each of them, named as in --season
  remainder         what is left: the number is the sum of trend, season and remainder
  season_strength   0 to 1: how much of what is left without the trend the seasons explain
  season_length     with --season auto the lengths that were found, in steps: [24] or [24,168]
With several values they are called cpu_trend, cpu_season, …

They are null until there were two of a season, of several the shorter ones are there first; where the number is missing or null;
and for numbers beyond 1e30. A number that is missing or null is a step without a point. Something else than a number is a bad line.

Without --every each line is a step. With it, steps are counted from the first line of a key; a line in the same step as the one
before it counts as late, as does one with an earlier time: resample --every 1m makes one line of each step. Steps without a line
are taken to be as expected, up to --max-gap.

An outlier goes into the remainder, and moves the season little. A level that stays for five steps is the new trend, and what is
other at the same place three times in a row is the new season. The season otherwise remembers about seven cycles, the trend about
one and a half. The strength is judged before the season has seen the number: it is about 0 for noise.

--season auto looks for up to two seasons after 32, 64, 128, … points, each at least three times in these, to --history (so of
at most 666 steps: a day of minutes wants --every 1m --season 1d, or hours); where there is none, it begins again with the
points after these.

--batch holds all lines to the end of the input, in their order (those that --where leaves out do not wait), and takes the last --history steps of each key apart, by their
times, whatever their order: STL for one season, MSTL for several, with the numbers of statsmodels (robust, --season-window
and --trend-window are its robust, seasonal or windows, and trend). Steps without a number lie on a line between their
neighbours. No line is late. With exactly two of a season the parts fit all numbers, so --robust has no outlier to weigh less. The strength is 1 - Var(remainder) / Var(season + remainder).

A key with one line takes about 190 bytes. Until there were two of the longest season (with auto, to --history) a value takes 8 to 16
bytes for each step; then 4 bytes for each step of each season, and about 500. Measured: 0.7 KiB with a season of 24; 30 KiB and
then 17 KiB with one of 1440. In a checkpoint a key that has changed is written whole: 0.5 KiB with a season of 24, 9 KiB with
one of 1440. With --batch a line takes its bytes, and about 64 and 96 for each value.

More keys than memory: with --memory those without a line for the longest time go to disk, as a checkpoint has them, and come
back with their next line; what comes out is the same. 80 bytes of each stay in memory. The files take up to twice what is
wanted of them and 128 MiB, and are gone with the process.

Examples:
  decompose --by sensor --time at --season 24 < readings.ndjson
  window --size 10s --time at < readings.ndjson | aggregate --by sensor value=avg:value | decompose --by sensor --time window_start --every 10s --season 1m
  decompose --by sensor --value cpu,load --batch --season 12,60 --robust < metrics.ndjson | filter '.cpu_remainder > 20'";

/// Take series apart: trend, season, remainder
///
/// Each line passes at once, with the parts of its numbers in front, made from the lines of its key before it. With --batch
/// all lines wait for the end, and whole series are taken apart.
#[derive(Parser, Clone, Debug)]
#[command(name = "decompose", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    pub series: SeriesArgs,

    /// The length of a step: 10s, 1h, 1d, 1mo [default: each line is a step]
    #[arg(long, value_name = "SIZE")]
    pub every: Option<WindowSize>,

    /// The seasons: a number of steps (24), a duration (1d), several (1d,7d), or auto
    #[arg(long, value_name = "SEASONS", default_value = "auto")]
    pub season: NamedSeasons,

    /// Fill at most so much after the last number: a number of steps (5) or a duration (5m); after a longer gap a series begins anew [default: the longest season, with auto a tenth of --history]
    #[arg(long, value_name = "LIMIT")]
    pub max_gap: Option<Gap>,

    /// Hold all lines to the end, and take whole series apart by STL, or MSTL with several seasons
    #[arg(long)]
    pub batch: bool,

    /// With --batch: weigh outliers less
    #[arg(long)]
    pub robust: bool,

    /// With --batch: the length of the smoother of each season in cycles, odd, 3 or more [default: 7; of several 11,15,19,23]
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub season_window: Vec<Odd>,

    /// With --batch: the length of the smoother of the trend in steps, odd, more than the season [default: about 1.9 seasons]
    #[arg(long, value_name = "N")]
    pub trend_window: Option<Odd>,

    /// How many values of a key to keep; with --batch the last ones, older lines have no parts; with auto the first ones, in which seasons are looked for [default: 2000, with --batch 10000]
    #[arg(long, value_name = "N", help_heading = "Limits", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub history: Option<NonZeroUsize>,

    #[command(flatten)]
    pub keys: KeyArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    /// With --batch: the most memory for the lines that wait; beyond it, stop
    #[arg(long, value_name = "SIZE", default_value = "1GiB", help_heading = "Limits")]
    pub buffer: ByteSize,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// The seasons, and how they were said: `7d` is not `1w` in the name of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSeasons {
    seasons: Seasons,
    names: Vec<String>,
}

impl FromStr for NamedSeasons {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { seasons: text.parse()?, names: text.split(',').map(str::to_owned).collect() })
    }
}

/// The length of a smoother.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd(usize);

impl FromStr for Odd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let length = text.parse().ok().filter(|length| length % 2 == 1 && (3..=WINDOW_MAX).contains(length));
        length.map(Self).ok_or_else(|| format!("a smoother has an odd length from 3 to {WINDOW_MAX}, as 7"))
    }
}

const WINDOW_MAX: usize = 1_000_001;
/// The longest season in steps: a state has 4 bytes for each.
const SEASON_MAX: usize = 1_000_000;
const HISTORY: usize = 2_000;
const HISTORY_OF_BATCH: usize = 10_000;
const HISTORY_MAX: usize = 100_000_000;

/// The operator that the flags ask for.
pub enum Plan {
    Online(Box<Decompose>),
    Batch(Box<Batch>),
}

impl Cli {
    /// Returns what the runtime needs to know.
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection
            .select(self.stage.config("decompose").with_late(self.late.late).with_keys(self.series.by.as_ref()))
    }

    /// Makes the operator.
    ///
    /// # Errors
    /// `Usage` where flags are of no use, or do not go together.
    pub fn plan(&self) -> Result<Plan, Error> {
        self.check()?;
        let (lengths, layout) = self.lengths()?;
        let values: Vec<String> = self.series.value.0.iter().map(|value| value.name()).collect();
        let names = layout.names(&values);
        let all: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
        check_names(&values, &all)?;
        let reader = SeriesReader::new(&self.series, &all);
        let (front, members) = (FrontMembers::new(&all), Members::new(&names, &layout));
        if self.batch {
            let method = self.method(lengths)?;
            let limit = BufferLimit::new(self.buffer, "the lines that wait", "fewer lines at a time");
            let kept = (Held::new(values.len(), limit), self.keys.limit(""));
            let has_other_lines = self.selection.selection.is_some();
            let batch = Batch::new(reader, method, kept, (front, members), has_other_lines, self.flags());
            return Ok(Plan::Batch(Box::new(batch)));
        }
        let tracks = SeriesStore::new(self.keys.limit("--ttl forgets old ones"), self.series.ttl_ms());
        let rules = self.rules(lengths);
        Ok(Plan::Online(Box::new(Decompose::new(reader, rules, tracks, front, members, self.flags()))))
    }

    fn check(&self) -> Result<(), Error> {
        self.series.check_in_order()?;
        self.memory.check()?;
        self.series.check_names()?;
        let has_windows = !self.season_window.is_empty() || self.trend_window.is_some();
        Error::of_broken_rule([
            (
                !self.batch && (self.robust || has_windows),
                "--robust, --season-window and --trend-window without --batch",
                "they are settings of STL; lines that pass at once are always weighed by how unusual they are",
            ),
            (
                self.batch && self.series.ttl.is_some(),
                "--ttl with --batch",
                "all keys are kept to the end of the input",
            ),
            (
                self.batch && self.memory.memory.is_some(),
                "--memory with --batch",
                "all lines wait for the end of the input: --buffer SIZE limits them",
            ),
            (self.batch && self.late.late.is_some(), "--late with --batch", "at the end of the input no line is late"),
            (
                self.batch && self.max_gap.is_some(),
                "--max-gap with --batch",
                "all steps without a line are filled; --history says how many steps count",
            ),
            (
                matches!(self.max_gap, Some(Gap::Duration(_))) && self.every.is_none(),
                "--max-gap of a duration without --every",
                "say how long a step is (--every 1m), or how many steps: --max-gap 5",
            ),
            (
                self.season.seasons == Seasons::Given(Vec::new()),
                "--season none",
                "there is nothing to take apart without a season: --season auto looks for one",
            ),
            (
                self.history.is_some_and(|history| history.get() > HISTORY_MAX),
                "--history of more than 100000000",
                "say --history 10000",
            ),
        ])
    }

    /// Returns the seasons in steps, the shortest first, none for auto, and which members they have.
    fn lengths(&self) -> Result<(Option<Vec<usize>>, Layout), Error> {
        let Seasons::Given(seasons) = &self.season.seasons else {
            return Ok((None, Layout { seasons: Vec::new(), has_lengths: true }));
        };
        let mut lengths = Vec::with_capacity(seasons.len());
        for (season, name) in seasons.iter().zip(&self.season.names) {
            lengths.push((self.length(*season)?, name.clone()));
        }
        lengths.sort_by_key(|(length, _)| *length);
        if let Some(pair) = lengths.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let message = format_args!("the seasons {} and {} are both {} steps", pair[0].1, pair[1].1, pair[0].0);
            return Err(Error::usage(message).hint("say one of them"));
        }
        let (lengths, names): (Vec<usize>, Vec<String>) = lengths.into_iter().unzip();
        let seasons = if names.len() > 1 { names } else { Vec::new() };
        Ok((Some(lengths), Layout { seasons, has_lengths: false }))
    }

    fn length(&self, season: Season) -> Result<usize, Error> {
        let length = match (season, self.step()) {
            (Season::Steps(steps), _) => steps as usize,
            (Season::DurationMs(season_ms), Some(Step::Fixed(step_ms))) if season_ms % step_ms != 0 => {
                let every = DurationMs(step_ms);
                let error =
                    Error::usage(format_args!("a season of {season} is not a whole number of steps of {every}"));
                return Err(error.hint("resample --every makes steps of another length"));
            }
            (Season::DurationMs(_), Some(step)) => season.steps(step),
            (Season::DurationMs(_), None) => {
                let error = Error::usage(format_args!("--season {season} without --every"));
                return Err(
                    error.hint("say how long a step is (--every 1h), or how many steps a season has (--season 24)")
                );
            }
        };
        match length {
            ..2 => {
                let error = Error::usage(format_args!("a season of {season} is shorter than two steps"));
                Err(error.hint("--every says how long a step is, --season 24 how many of them a season has"))
            }
            2..=SEASON_MAX => Ok(length),
            _ => {
                let error = Error::usage(format_args!("a season of {season} has more than {SEASON_MAX} steps"));
                Err(error.hint("resample --every makes longer steps"))
            }
        }
    }

    fn step(&self) -> Option<Step> {
        self.every.map(Step::of_size)
    }

    fn history(&self) -> usize {
        let default = if self.batch { HISTORY_OF_BATCH } else { HISTORY };
        self.history.map_or(default, NonZeroUsize::get)
    }

    fn rules(&self, lengths: Option<Vec<usize>>) -> Rules {
        let gap_of_seasons = match &lengths {
            Some(lengths) => lengths.last().copied().unwrap_or(0),
            None => self.history() / 10,
        };
        // Without a length of steps it is a number of them.
        let step_ms = self.step().map_or(1, Step::about_ms);
        let gap_max = self.max_gap.map_or(gap_of_seasons as u64, |gap| gap.steps(step_ms));
        let plan = match lengths {
            Some(lengths) => decomposer::Plan::Given(lengths),
            None => decomposer::Plan::Auto { points_max: self.history() },
        };
        // What is learned from a gap is bounded by this.
        Rules { step: self.step(), gap_max: gap_max.min(SEASON_MAX as u64), plan }
    }

    fn method(&self, lengths: Option<Vec<usize>>) -> Result<Method, Error> {
        let history = self.history();
        if let Some(longest) = lengths.as_ref().and_then(|lengths| lengths.last()).filter(|last| 2 * **last > history) {
            let message = format_args!("--history {history} is less than two seasons of {longest} steps");
            return Err(Error::usage(message).hint(format_args!("say --history {}", 2 * longest)));
        }
        let mut smoothers = lengths.as_deref().map(default_smoothers);
        self.set_windows(smoothers.as_deref_mut())?;
        let shortest = lengths.as_ref().and_then(|lengths| lengths.last().copied()).unwrap_or(0);
        if let Some(Odd(window)) = self.trend_window.filter(|window| window.0 <= shortest) {
            let message = format_args!("--trend-window {window} is not more than the season of {shortest} steps");
            return Err(Error::usage(message)
                .hint("the smoother of the trend is longer than a season, so that no season is left in it"));
        }
        let trend = self.trend_window.map(|window| window.0);
        let settings = StlSettings { robust: self.robust, trend, ..StlSettings::default() };
        Ok(Method { step: self.step(), smoothers, settings, history })
    }

    /// Puts the smoothers of --season-window in place of the default ones, in the order in which the seasons were said.
    fn set_windows(&self, smoothers: Option<&mut [(usize, usize)]>) -> Result<(), Error> {
        if self.season_window.is_empty() {
            return Ok(());
        }
        let (Some(smoothers), Seasons::Given(seasons)) = (smoothers, &self.season.seasons) else {
            return Err(
                Error::usage("--season-window with --season auto").hint("say which seasons there are: --season 1d,7d")
            );
        };
        if seasons.len() != self.season_window.len() {
            let (windows, seasons) = (self.season_window.len(), seasons.len());
            let message = format_args!("--season-window has {windows} lengths for {seasons} seasons");
            return Err(Error::usage(message).hint("say one for each, in the same order"));
        }
        for (season, Odd(window)) in seasons.iter().zip(&self.season_window) {
            let length = self.length(*season)?;
            smoothers.iter_mut().filter(|(of, _)| *of == length).for_each(|(_, smoother)| *smoother = *window);
        }
        Ok(())
    }

    /// Writes the flags that the state depends on.
    fn flags(&self) -> Flags {
        let by = self.series.by.as_ref().map_or(&[][..], |by| &by.0);
        let flags = self.series.state_flags().switch("--batch", self.batch);
        let flags = if self.batch {
            flags
        } else {
            let gap = self.max_gap;
            let history = self.history.filter(|_| self.season.seasons == Seasons::Auto);
            flags
                .maybe("--every", self.every)
                .with("--season", &self.season.seasons)
                .maybe("--max-gap", gap)
                .maybe("--history", history)
        };
        Flags { by: by.iter().map(ToString::to_string).collect(), text: flags.to_string() }
    }
}

/// No number may be read from a member that is written.
fn check_names(values: &[String], members: &[&str]) -> Result<(), Error> {
    match values.iter().find(|value| members.contains(&value.as_str())) {
        None => Ok(()),
        Some(value) => {
            let error = Error::usage(format_args!("--value {value} is also the name of a member that is written"));
            Err(error.hint(format_args!("give the value another name: number=.{value}")))
        }
    }
}
