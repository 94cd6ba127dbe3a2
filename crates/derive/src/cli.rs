//! The flags of `derive`.

use std::num::NonZeroUsize;

use clap::Parser;
use keyed_state::{BufferLimit, KeyArgs, MemoryArgs};
use millpipe::{Config, Error, LateArgs, StageArgs, StateFlags};
use selection::WhereArgs;
use series::{KeyTimeArgs, LineReader};
use units::{ByteSize, parse_count};

use crate::plan::Plan;
use crate::{Derive, Job, Spec};

const AFTER_HELP: &str = "\
A SPEC is [NAME=]FUNC[:ARG]:FIELD; FIELD is a field or a jq expression. Without NAME the member is FUNC_FIELD. A value that is missing
or null makes its members null and counts for nothing; one that is not a number is a bad line, but for shift and count.
A result that there is none of, or that is beyond 1.8e308, is null.

Of the value before, or of the value N lines ago (only lines that have a value count):
  shift[:N]  that value, of any kind   delta[:N]  the difference   ratio[:N]  value / before
  percent_change[:N]  100 (value - before) / before   from_first  the difference to the first value
Counters, where a smaller value is a reset to zero, so that the increase is the value itself:
  increase  since the value before    rate  the same for each second (by --time)
  increase:SPAN, rate:SPAN  from the first to the last value of the span: nothing is extrapolated to its ends
Of a span, which is the last lines (10), those of a time (5m: from just after t - 5m to t) or all so far (all):
  count:SPAN  sum:SPAN  mean:SPAN (avg)  min:SPAN  max:SPAN  var:SPAN  stddev:SPAN (both of a sample)  zscore:SPAN
  median:SPAN  p95:SPAN (not of all)     slope:SPAN  by how much the line of least squares rises in a second
  rsum, counter  sum:all and count:all   count, count:SPAN  of lines, without a field   rprod  the product of all
Smoothing:
  ewma:0.3  y = 0.7 y + 0.3 value       ewma:5m  the mean of all, each weighing 2^(-age / 5m): for times at any distance
  holt_level:A,B  holt_trend:A,B  Holt's linear method, A for the level, B for the trend
  savgol:N,DEGREE  the end of the polynomial through the last N values (Savitzky-Golay)
  kalman:Q,R  the level of a random walk with steps of variance Q, seen through noise of variance R
These but ewma:5m count lines, not time: resample makes lines at equal distances of others.

Decimals are exact: 0.3 - 0.1 is 0.2, and sums of up to 38 digits never drift, nor does a span that moves, as nothing is taken away from
its sums again. A mean, ratio or rate is rounded once; what is worked out in doubles has 15 digits.

Lines need a time only where a function has one (rate, slope, a SPAN or an ewma in minutes), with --ttl, or where --time is given. Then
they have to be in order by key: a line that is earlier than the last of its key is late.

A key takes about 100 bytes, and 40 for each function; a span 300, 32 to 64 for each of its values, and 10 more for a percentile.
In a checkpoint, a key that has changed is written whole.

More keys than memory: with --memory those without a line for the longest time go to disk, as a checkpoint has them, and come
back with their next line; what comes out is the same. 75 bytes of each stay in memory. The files take up to twice what is
wanted of them and 128 MiB, and are gone with the process.

Examples:
  derive --by key d=delta:value e=ewma:0.3:value < metrics.ndjson
  derive --by host --time at rate:value p95:5m:latency < log.ndjson | filter '.rate_value > 100'
  derive --by sensor z=zscore:100:value < readings.ndjson | filter '.z != null and (.z > 3 or .z < -3)'
  derive --by user before=shift:route n=count < clicks.ndjson";

/// Add members made from a line and those before it: differences, rates, moving averages
///
/// Each line passes at once, with the new members in front; a line that has members of these names loses its own.
#[derive(Parser, Clone, Debug)]
#[command(name = "derive", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The members to add
    #[arg(value_name = "SPEC", required = true)]
    pub members: Vec<Spec>,

    #[command(flatten)]
    pub lines: KeyTimeArgs,

    #[command(flatten)]
    pub keys: KeyArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    /// The most values of a key that a function keeps; beyond it, stop
    #[arg(long, value_name = "N", default_value = "100000", help_heading = "Limits", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub max_lines: NonZeroUsize,

    /// The most memory for the values that are kept of all keys; beyond it, stop
    #[arg(long, value_name = "SIZE", default_value = "1GiB", help_heading = "Limits")]
    pub buffer: ByteSize,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

impl Cli {
    /// Returns what the runtime needs to know.
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("derive").with_late(self.late.late).with_keys(self.lines.by.as_ref()))
    }

    /// Makes the operator.
    ///
    /// # Errors
    /// `Usage` where flags do not go together.
    pub fn derive(&self) -> Result<Derive, Error> {
        self.check()?;
        let plan = Plan::new(&self.members);
        let expressions: Vec<_> = plan.fields.iter().map(|field| field.expression.clone()).collect();
        let names: Vec<&str> = self.members.iter().map(|spec| spec.name.as_str()).collect();
        Ok(Derive::new(Job {
            reader: LineReader::new(&self.lines, self.is_timed(), &expressions, &names),
            plan,
            names: names.iter().map(ToString::to_string).collect(),
            keys: self.keys.limit("--ttl forgets old ones"),
            ttl_ms: self.lines.ttl_ms(),
            lines_max: self.max_lines.get(),
            buffer: BufferLimit::new(self.buffer, "the values that are kept of all keys", "a shorter span keeps fewer"),
            by: self.lines.keys(),
            flags: self.flags().into(),
        }))
    }

    /// Returns true if the times of lines count.
    fn is_timed(&self) -> bool {
        let is_of_time = self.members.iter().any(|spec| spec.function.is_timed());
        is_of_time || self.lines.time.time.is_some() || self.lines.ttl.is_some()
    }

    fn check(&self) -> Result<(), Error> {
        self.lines.check_in_order()?;
        self.memory.check()?;
        for (place, spec) in self.members.iter().enumerate() {
            if self.members.iter().take(place).any(|other| other.name == spec.name) {
                let error = Error::usage(format_args!("two members are named {:?}", spec.name));
                return Err(error.hint(format_args!("a name stands before it: NAME={}", spec.text)));
            }
            let lines = spec.function.lines();
            if lines > self.max_lines.get() {
                let error = Error::usage(format_args!("{} keeps {lines} values of a key", spec.text));
                return Err(error.hint(format_args!("--max-lines {lines} allows it")));
            }
        }
        let given = self.lines.time.given().filter(|_| !self.is_timed());
        Error::of_broken_rule([
            (
                given.is_some(),
                "flags of time where nothing has a time",
                "--time FIELD says where it is, so that late lines are told",
            ),
            (
                self.late.late.is_some() && !self.is_timed(),
                "--late where nothing has a time",
                "without times no line is late: say --time FIELD",
            ),
        ])
    }

    /// Writes the flags that the state depends on.
    fn flags(&self) -> StateFlags {
        let specs = self.members.iter().map(|spec| spec.text.as_str()).collect::<Vec<_>>().join(" ");
        let flags = self.lines.key_flags().text(specs);
        if self.is_timed() { self.lines.with_time_flags(flags) } else { flags }
    }
}
