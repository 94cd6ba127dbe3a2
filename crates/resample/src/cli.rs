//! The flags of `resample`.

use clap::Parser;
use event_time::{TimeArgs, WindowSize};
use keyed_state::{BufferLimit, KeyArgs};
use line_values::{Expression, Expressions};
use millpipe::{Config, Error, LateArgs, StageArgs, StateFlags};
use selection::WhereArgs;
use series::{Gap, SeriesReader};
use units::ByteSize;

use crate::cell::Take;
use crate::fill::Fill;
use crate::grid::Grid;
use crate::rows::{FILLED, Rows};
use crate::store::{Store, Wanted};
use crate::{Resample, Settings};

const AFTER_HELP: &str = "\
A row has the key, the start of the step under the name of --time, the values, and \"filled\" where no line gave them:
  {\"sensor\":\"a\",\"at\":\"2026-01-01T00:00:10Z\",\"value\":20.5}
  {\"sensor\":\"a\",\"at\":\"2026-01-01T00:00:20Z\",\"value\":20.5,\"filled\":true}
With several --take a member is called value_mean, value_max. Steps are aligned as the windows of window --size: 10s to the
epoch, 1d, 1w and 1mo to the calendar in UTC.

A row is written when time has passed its step; a line that still comes for it is late. A key that falls silent is filled, as time goes
on, until --max-gap is over, and is then forgotten. --fill linear waits for the next value and leaves longer gaps open. At the
end of the input, only gaps between values are filled.

Of several values some may have no number in a step where others have: last and zero fill them too, and the row names
them (\"filled\":[\"load\"]).

A sum is exact, a mean is rounded once. A key takes about 200 bytes, and 100 more for each value that is taken.

Examples:
  resample --every 10s --time at --by sensor < readings.ndjson
  resample --every 10s --time at --by sensor --take mean,max --fill linear --max-gap 5m < readings.ndjson
  resample --every 1m --time at --value price --take sum --fill zero < clicks.ndjson | forecast --time at --value price --every 1m --horizon 3
  resample --every 10s --time at --by sensor --fill last --lateness 2s < readings.ndjson | filter '.filled | not'";

/// Make a regular grid in time from irregular lines
///
/// Lines are not written, only rows: for each step of --every one of each key with its last value, or what --take says. Other
/// members of the lines are gone.
#[derive(Parser, Clone, Debug)]
#[command(name = "resample", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The length of a step: 10s, 1m, 1h, or by the calendar 1d, 1w (from Monday), 1mo
    #[arg(long, value_name = "SIZE")]
    pub every: WindowSize,

    /// The fields or expressions that make the key, with commas between them: each key has a series of its own [default: one series]
    #[arg(long, value_name = "FIELDS")]
    pub by: Option<Expressions>,

    /// The field with the number, or a jq expression that gives it; several with commas between them
    #[arg(long, value_name = "FIELDS", default_value = "value")]
    pub value: Expressions,

    /// Which number of a step to take; several with commas between them
    #[arg(long, value_name = "WHICH", default_value = "last", value_delimiter = ',')]
    pub take: Vec<Take>,

    /// What to write for a step without a number
    #[arg(long, value_name = "WITH", default_value = "none")]
    pub fill: Fill,

    /// Fill at most so much after the last number: a number of steps (5) or a duration (5m); with linear a longer gap stays open as a whole [default: 10 steps]
    #[arg(long, value_name = "LIMIT")]
    pub max_gap: Option<Gap>,

    #[command(flatten)]
    pub time: TimeArgs,

    #[command(flatten)]
    pub keys: KeyArgs,

    /// The most memory for the open steps of all keys; beyond it, stop
    #[arg(long, value_name = "SIZE", default_value = "1GiB", help_heading = "Limits")]
    pub buffer: ByteSize,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

const GAP_STEPS_DEFAULT: u64 = 10;
/// More steps are nearly always a mistake, and each is a row of each key that falls silent.
const GAP_STEPS_MAX: u64 = 100_000;

impl Cli {
    /// Returns what the runtime needs to know.
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("resample").with_late(self.late.late).with_keys(self.by.as_ref()))
    }

    /// Makes the operator.
    ///
    /// # Errors
    /// `Usage` where flags do not go together.
    pub fn resample(&self) -> Result<Resample, Error> {
        Error::of_broken_rule([(
            self.max_gap.is_some() && self.fill == Fill::None,
            "--max-gap without --fill",
            "say with what a gap is filled: --fill last",
        )])?;
        let by = self.by.as_ref().map_or(&[][..], |by| &by.0);
        let values = self.value_names();
        let time = self.time.field();
        check_names(by.iter().chain([&time]), &values)?;
        let names: Vec<String> = by.iter().map(Expression::name).collect();
        let wanted =
            Wanted { grid: self.grid()?, takes: self.take.clone(), values: self.value.0.len(), fill: self.fill };
        let buffer =
            BufferLimit::new(self.buffer, "the open steps of all keys", "a shorter --lateness keeps fewer open");
        let settings = Settings {
            by: by.iter().map(ToString::to_string).collect(),
            has_other_lines: self.selection.selection.is_some(),
            flags: self.flags().to_string(),
        };
        Ok(Resample::new(
            SeriesReader::of(by, &self.value.0, self.time.event_time_of_windows(), &[""; 0]),
            Store::new(wanted, self.keys.limit(""), buffer),
            Rows::new(&names, &time.name(), &values),
            settings,
        ))
    }

    /// Returns the name of each value, with several `--take` of each way to take it.
    fn value_names(&self) -> Vec<String> {
        let named = |value: &Expression| {
            let name = value.name();
            self.take.iter().map(move |take| match self.take.len() {
                1 => name.clone(),
                _ => format!("{name}_{}", take.name()),
            })
        };
        self.value.0.iter().flat_map(named).collect()
    }

    fn gap(&self) -> Gap {
        self.max_gap.unwrap_or(Gap::Steps(GAP_STEPS_DEFAULT))
    }

    fn grid(&self) -> Result<Grid, Error> {
        let gap = self.gap();
        let steps = gap.steps(least_ms(self.every));
        if steps > GAP_STEPS_MAX {
            let error = Error::usage(format_args!("--max-gap {gap} is {steps} steps of {}", self.every));
            return Err(
                error.hint(format_args!("{GAP_STEPS_MAX} steps at most: a shorter --max-gap or a longer --every"))
            );
        }
        Grid::new(self.every, steps).map_err(|error| Error::usage(error.message).hint(error.hint))
    }

    /// Writes the flags that the state depends on.
    fn flags(&self) -> StateFlags {
        let by = self.by.as_ref().map(|by| format!("'{by}'"));
        let takes: Vec<&str> = self.take.iter().map(|take| take.name()).collect();
        let fill = clap::ValueEnum::to_possible_value(&self.fill);
        let fill = fill.map_or_else(String::new, |fill| fill.get_name().to_owned());
        let flags = StateFlags::new().with("--every", self.every).maybe("--by", by).quoted("--value", &self.value);
        let flags = flags.with("--take", takes.join(",")).with("--fill", fill).with("--max-gap", self.gap());
        flags.text(self.time.for_snapshot())
    }
}

/// Returns the length of the shortest such step, in milliseconds.
fn least_ms(every: WindowSize) -> i64 {
    match every {
        WindowSize::Fixed { size_ms } => size_ms,
        WindowSize::Calendar { unit, count } => unit.least_ms().saturating_mul(count),
    }
    .max(1)
}

/// No two members of a row may have the same name.
fn check_names<'a>(of_lines: impl Iterator<Item = &'a Expression>, values: &[String]) -> Result<(), Error> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: String, given: &str| {
        let reason = match name.as_str() {
            "$" => format!("a member cannot be named \"$\", as marks are (\"{given}\")"),
            FILLED => format!("the name {name:?} is that of the member which says what is filled (\"{given}\")"),
            _ if names.contains(&name) => format!("a row cannot have two members named {name:?} (\"{given}\")"),
            _ => String::new(),
        };
        if !reason.is_empty() {
            return Err(Error::usage(reason).hint("name it otherwise: NAME=EXPRESSION"));
        }
        names.push(name);
        Ok(())
    };
    for expression in of_lines {
        if !expression.has_name() {
            let error = Error::usage(format_args!("the expression \"{expression}\" has no name"));
            return Err(error.hint(format_args!("a name stands before it: day={expression}")));
        }
        add(expression.name(), &expression.to_string())?;
    }
    values.iter().try_for_each(|name| add(name.clone(), name))
}
