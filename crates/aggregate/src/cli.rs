//! The flags of `aggregate`, and which of them go together.

use std::num::NonZeroUsize;

use accumulators::{DistinctBy, Percentiles, Plan, Settings, Spec, SpecError};
use clap::Parser;
use event_time::{TimeUnit, Timezone};
use json_fields::FieldPath;
use line_values::{Expression, Expressions};
use millpipe::{Config, Error, Late, StageArgs};
use selection::WhereArgs;
use sorted_runs::{Folder, SpillArgs};
use units::{ByteSize, DurationMs, QuantityError, parse_count};

use crate::changes::OP;
use crate::job::{Emit, GROUPS_MAX, Job, JobTime, Last, Overflow};

const AFTER_HELP: &str = r#"Results: [NAME=]FUNCTION[:FIELD][?FILTER]; without NAME it is called like its function.
  count              lines                     count:F     values that are not null
  sum:F avg:F        exact for decimals        min:F max:F of numbers, and of strings, which come after them
  var:F stddev:F     of a sample, as in SQL    delta:F     last minus first
  p50:F p99.9:F      percentiles, also median  distinct:F  different values (above 1,024: within 2 %)
  first:F last:F     in order of arrival       list:N:F    the first N values
  mode:F top:K:F     the most frequent values  rate rate:F lines, or sum, per second of window
  max_by:F:G min_by:F:G  G of the line with the largest (least) F, of equal ones the first
  corr:X:Y covar:X:Y covar_pop:X:Y    correlation; covariance of a sample (n - 1), of all (n)
  slope:X:Y intercept:X:Y r2:X:Y      the line of least squares, Y over X (SQL's REGR functions have Y first)
  skewness:F kurtosis:F  of a sample, bias corrected (G1, G2), as in DuckDB; kurtosis is 0 for a normal distribution
  mad:F iqr:F            median distance from the median, not scaled; p75 minus p25
  geomean:F              geometric mean         wavg:F:W    average weighted by W
  twa:F:T                average over time: each value from its time T to that of the next
  entropy:F              in bits, of how often each value comes
  histogram:B1,B2:F      [{"le":B1,"count":N},...]: values up to each bound, above the one before; the last le is null
  histogram:log2:F       the same up to powers of two, those that are not empty
  ohlc:F                 {"open":first,"high":largest,"low":least,"close":last}
Strings that are times with a zone are compared as times. Numbers in quotes are strings: 'avg:.rt | tonumber', or validate
--coerce before. Numbers beyond 38 digits are keys and distinct values with all of their digits, and doubles in sums, min and max.
Missing and null fields count for nothing; a group without a single value gives null (counts give 0), and so does a sum beyond 1.8e308. Above 4,096
different values in a group, counts of top are too high by at most the error that stands beside them.

Of two fields, a line counts only if it has both. Null are var, stddev and covar of one value, skewness of two, kurtosis of
three; corr, slope, intercept and r2 if X is constant, corr also if Y is, skewness and kurtosis if all values are equal; wavg if
the weights sum to 0; geomean with a negative value (with a zero it is 0); and what leaves the range of doubles on the way,
as squares of 1e154 do. mad and iqr are of the same values, sketch or sample as percentiles are: with ddsketch:0.01 their error
is 1 % of the values, not of the distance. Above 4,096 different values, entropy counts those that are surely frequent, and
takes all others, as many as distinct finds, to be equally frequent. T of twa is a time with its zone or an epoch number; no
time counts before the first and after the last value of a group, and of a single time twa is the last value. Values may come
out of order: one after 64 later ones of its group counts for nothing, and up to 1,024 where some before it came a quarter
as late. open and close are by order of arrival.

With ?FILTER, only lines for which this jq filter is true count for that result: everything behind the first question
mark outside quotes and brackets is the filter. FIELD, F, G and the keys of --by can be jq expressions too, which give one
value: max:.at[11:16], --by user,day=.at[:10]. A line on which one fails is a bad line. All of them that are simple are
worked out in one pass over the line, the same one once.

Keys sort as in jq: null, false, true, numbers, strings (but times by time), arrays, objects. 1 and 1.0 are one key; a missing
field is null. A field like r.h may also be a member that is called "r.h", as results of --by r.h have it.

--distinct exact keeps every value: of whole numbers 8 bytes each, and above 256 of them a bit for those that lie close
together, else up to 40 bytes, as for all others (which are told apart by 128 bits of hash). A group with more than MAX
ends the run. In checkpoints, a group that has changed is written whole.

--last writes, after each line, results of the last lines of its key: count, sum, avg, min, max, first, last, delta, geomean,
wavg, histogram and ohlc, which leave no trace of lines before those. Of a time, it is the lines at most that much older than
the latest one; a line older than that is late.

--changes writes "op" in front: an insert, the pair of update_before (the old result, as it was written) and update_after,
or a delete when a key has no lines any more; a result that has not changed is not written again. Behind it, aggregate
--of-changes takes the old ones back, whatever selects or maps lines one by one in between. It needs memory for the last
result of each key.

More keys than memory: with --memory all keys go to disk whenever they have filled it, sorted, and are merged when their
window is written. Results are the same to the byte, but for those that depend on the order in which values are added:
var, stddev, corr, covar, slope, intercept, r2, skewness and kurtosis, sums of numbers with exponents, percentiles by tdigest
or reservoir, top and entropy above 4,096 values, and twa above 64 that are out of order can differ as they do when a window is
made of slices. It is for windows of time, and for --emit end where there are no checkpoints. With checkpoints, what changes
between two of them, and the names of keys whose windows close, need memory beside that.
A full disk ends the run with exit code 75.

Examples:
  window --size 10s < clicks.ndjson | aggregate --by user count total=sum:price p99:latency
  window --size 1h --slide 5m | aggregate --by site,path n=count top:3:user
  window --session 30m --by user | aggregate --by user count first:page last:page
  aggregate --by status count avg:latency < log.ndjson
  aggregate --value latency < log.ndjson
  aggregate --by sensor --emit every:10s --time at last:value < readings.ndjson
  window --size 1d < clicks.ndjson | aggregate --by user count sum:price --memory 512MiB
  aggregate --by 'day=.at[:10]' 'bad=count?.status >= 500' worst=max_by:latency:path < log.ndjson
  aggregate --by sensor --last 10 avg:value < readings.ndjson
  window --size 1m < orders.ndjson | aggregate --by ticker ohlc:price vwap=wavg:price:amount
  aggregate --by user count --emit update --changes < log.ndjson | aggregate --of-changes sum:count"#;

/// Compute counts, sums, percentiles and more of lines, by key and window
///
/// With windows in the input (from window) there is a line for each window and key once the watermark has passed the
/// window; without, see --emit.
#[derive(Parser, Clone, Debug)]
#[command(name = "aggregate", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The results [default: count sum avg min max p50 p90 p95 p99, all of --value]
    #[arg(value_name = "SPEC", value_parser = parse_spec)]
    pub specs: Vec<Spec>,

    /// What makes the key, with commas between: user,.meta.site,day=.at[:10]
    #[arg(long, value_name = "KEYS")]
    pub by: Option<Expressions>,

    /// The field of the default results [default: value]
    #[arg(long, value_name = "FIELD", conflicts_with = "specs")]
    pub value: Option<FieldPath>,

    /// How to compute percentiles of more than 512 values: ddsketch:ERROR (relative), tdigest, exact:MAX or reservoir:SIZE; up to that they are exact, between two values as SQL's PERCENTILE_CONT has it. A ddsketch holds 32 powers of ten: of values that lie further apart the smallest count as if they were larger
    #[arg(long, value_name = "HOW", default_value = "ddsketch:0.01", value_parser = parse_percentiles)]
    pub percentiles: Percentiles,

    /// How to count more than 1,024 different values: hyperloglog, or exact:MAX for at most MAX in a group
    #[arg(long, value_name = "HOW", default_value = "hyperloglog", value_parser = parse_distinct)]
    pub distinct: DistinctBy,

    /// Seed of the samples of --percentiles reservoir
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// When to write results of lines without windows: end, update (after each line, those of its key) or every:DURATION (those that changed)
    #[arg(long, value_name = "WHEN", default_value = "end", value_parser = parse_emit, help_heading = "Without windows")]
    pub emit: Emit,

    /// Write and forget a key that had no line for this long
    #[arg(long, value_name = "DURATION", help_heading = "Without windows")]
    pub ttl: Option<DurationMs>,

    /// Write, after each line, the results of its key's last lines: of so many (11), or those of a time (10m, by --time)
    #[arg(long, value_name = "N|DURATION", value_parser = parse_last, conflicts_with_all = ["emit", "ttl", "memory", "overflow", "changes", "of_changes"], help_heading = "Without windows")]
    pub last: Option<Last>,

    /// Say in "op" what a result is: insert, update_before and update_after (the old and the new one), or delete
    #[arg(long, conflicts_with_all = ["ttl", "overflow"], help_heading = "Without windows")]
    pub changes: bool,

    /// Lines are results with "op": those of update_before and delete are taken back (for count, sum, avg, geomean, wavg and histogram)
    #[arg(long, conflicts_with = "memory", help_heading = "Without windows")]
    pub of_changes: bool,

    /// The field with the time that --emit every and --ttl go by, or a jq expression [default: that of the watermarks, else the clock]
    #[arg(long, value_name = "FIELD", help_heading = "Without windows")]
    pub time: Option<Expression>,

    /// What numbers in --time count: auto (by magnitude), s, ms, us, ns
    #[arg(long, value_name = "UNIT", default_value_t, requires = "time", help_heading = "Without windows")]
    pub time_unit: TimeUnit,

    /// The timezone of times that do not say theirs: UTC, Europe/Berlin
    #[arg(long, value_name = "ZONE", requires = "time", help_heading = "Without windows")]
    pub zone: Option<Timezone>,

    /// The most keys, in all open windows together; --memory is the other way, without a limit
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MAX, conflicts_with = "memory", help_heading = "Limits", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub max_keys: NonZeroUsize,

    /// What to do with one key more, without windows; with windows it is stop
    #[arg(long, value_name = "WHAT", default_value = "stop", conflicts_with = "memory", help_heading = "Limits")]
    pub overflow: Overflow,

    /// Take about SIZE of memory for any number of keys: those beyond it go to disk, and are merged when their window is written
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, help_heading = "Limits")]
    pub memory: Option<ByteSize>,

    #[command(flatten)]
    pub spill: SpillArgs,

    /// The most memory for the lines that --last keeps; one more is an error
    #[arg(long, value_name = "SIZE", default_value = "256MiB", requires = "last", help_heading = "Limits")]
    pub buffer: ByteSize,

    /// Write each line on too, before results that it makes; late ones as --late says
    #[arg(long, help_heading = "Output")]
    pub keep_lines: bool,

    /// Write the watermark marks on, for a stage behind that needs them; with --where and --keep-lines all marks go on
    #[arg(long, help_heading = "Output")]
    pub keep_marks: bool,

    /// What happens to a late line: reject or drop, or with --keep-lines pass
    #[arg(long, value_name = "WHAT", value_parser = parse_late, help_heading = "Bad lines")]
    pub late: Option<Late>,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

const DEFAULT_MAX: NonZeroUsize = NonZeroUsize::new(GROUPS_MAX).expect("it is not zero");
/// Less would be spent on buffers alone.
const MEMORY_MIN: ByteSize = ByteSize::mib(16);
const DEFAULT_VALUE: &str = "value";
const DEFAULT_FUNCTIONS: [&str; 8] = ["sum", "avg", "min", "max", "p50", "p90", "p95", "p99"];

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("aggregate").with_late(self.late).with_keys(self.by.as_ref()))
    }

    /// What the flags ask for.
    ///
    /// # Errors
    /// `Usage` where they do not go together.
    pub fn job(&self) -> Result<Job, Error> {
        let settings = Settings { percentiles: self.percentiles, distinct: self.distinct, seed: self.seed };
        let specs = if self.specs.is_empty() { self.default_specs()? } else { self.specs.clone() };
        let plan = Plan::new(specs, settings).map_err(|error| usage(&error))?;
        let by = self.by.clone().map(|keys| keys.0).unwrap_or_default();
        check_names(&plan, &by, self.changes)?;
        self.check_memory()?;
        self.check_taken_back(&plan)?;
        let mut job = Job::new(plan, by).map_err(Error::usage)?;
        job.memory_bytes = self.memory.map(ByteSize::as_usize);
        job.groups_max = if self.memory.is_some() { usize::MAX } else { self.max_keys.get() };
        job.overflow = self.overflow;
        job.emit = self.emit;
        job.ttl_ms = self.ttl.map(|ttl| ttl.0);
        job.time = self.time.clone().map(|of| JobTime { of, unit: self.time_unit, zone: self.zone.clone() });
        job.last = self.last;
        job.buffer_bytes = self.buffer.as_usize();
        (job.writes_changes, job.reads_changes) = (self.changes, self.of_changes);
        job.keep_marks = self.keep_marks;
        job.keeps_lines = self.keep_lines;
        job.has_other_lines = self.selection.selection.is_some() || self.keep_lines;
        job.reports_missing = self.stage.run.verbose;
        Ok(job)
    }

    /// Where keys beyond `--memory` go.
    #[must_use]
    pub fn spill_folder(&self) -> Folder {
        self.spill.folder()
    }

    /// A key on disk has no last line: it can neither be written at each line nor forgotten.
    fn check_memory(&self) -> Result<(), Error> {
        let rules = [
            (
                self.memory.is_some() && (self.emit != Emit::End || self.ttl.is_some()),
                "--memory is for windows and for --emit end, without --ttl",
                "--max-keys N limits the number of keys instead",
            ),
            (
                self.spill.spill_dir.is_some() && self.memory.is_none(),
                "--spill-dir without --memory",
                "--memory SIZE says how much stays in memory",
            ),
        ];
        Error::of_broken_rule(rules)
    }

    /// Results that lines leave again, and results of some lines only when others are known.
    fn check_taken_back(&self, plan: &Plan) -> Result<(), Error> {
        let only = |flag: &str, name: &str, functions: &str| {
            let error = Error::usage(format_args!("{name:?} cannot be of lines that leave again, as with {flag}"));
            Err(error.hint(format_args!("{flag} is for {functions}")))
        };
        if let Some(name) = plan.cannot_take_back(true).filter(|_| self.last.is_some()) {
            return only(
                "--last",
                name,
                "count, sum, avg, min, max, first, last, delta, geomean, wavg, histogram and ohlc",
            );
        }
        if let Some(name) = plan.cannot_take_back(false).filter(|_| self.of_changes) {
            return only("--of-changes", name, "count, sum, avg, geomean, wavg and histogram");
        }
        if matches!(self.last, Some(Last::Time(_))) != self.time.is_some() && self.last.is_some() {
            let error = Error::usage("--last of a time needs --time, and of a number of lines takes none");
            return Err(error.hint("--last 10m --time FIELD, or --last 11"));
        }
        if self.changes && self.emit == Emit::End {
            let error = Error::usage("--changes is of results that are written more than once");
            return Err(error.hint("--emit update or --emit every:10s"));
        }
        if self.late == Some(Late::Pass) && !self.keep_lines {
            let error = Error::usage("--late pass: a late line cannot pass, as lines end here");
            return Err(error.hint("--keep-lines writes all lines on; or --late reject"));
        }
        Ok(())
    }

    fn default_specs(&self) -> Result<Vec<Spec>, Error> {
        let field = self.value.clone().unwrap_or_else(|| FieldPath::key(DEFAULT_VALUE));
        let specs = DEFAULT_FUNCTIONS.iter().map(|function| format!("{function}:{field}"));
        let specs = std::iter::once("count".to_owned()).chain(specs);
        specs.map(|text| text.parse().map_err(|error| usage(&error))).collect()
    }
}

/// No two members of a result line may have the same name.
fn check_names(plan: &Plan, by: &[Expression], has_op: bool) -> Result<(), Error> {
    if let Some(nameless) = by.iter().find(|key| !key.has_name()) {
        let error = Error::usage(format_args!("the key \"{nameless}\" has no name"));
        return Err(error.hint(format_args!("a name stands before it: day={nameless}")));
    }
    let mut names: Vec<String> = event_time::WINDOW.map(str::to_owned).into();
    names.extend(has_op.then(|| OP.to_owned()));
    for name in by.iter().map(Expression::name).chain(plan.names().iter().cloned()) {
        if names.contains(&name) {
            let error = Error::usage(format_args!("two members of a result line would be named {name:?}"));
            return Err(error.hint(match name.starts_with("window_") {
                true => "leave it out of --by: windows are part of the key by themselves",
                false => "name a result: NAME=FUNCTION:FIELD",
            }));
        }
        names.push(name);
    }
    Ok(())
}

fn usage(error: &SpecError) -> Error {
    Error::usage(error).maybe_hint(error.hint())
}

fn parse_distinct(text: &str) -> Result<DistinctBy, String> {
    text.parse().map_err(|error| with_hint(&error))
}

fn parse_spec(text: &str) -> Result<Spec, String> {
    text.parse().map_err(|error| with_hint(&error))
}

fn parse_percentiles(text: &str) -> Result<Percentiles, String> {
    text.parse().map_err(|error| with_hint(&error))
}

fn with_hint(error: &SpecError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; say {hint}"),
        None => error.to_string(),
    }
}

fn parse_emit(text: &str) -> Result<Emit, String> {
    match text {
        "end" => Ok(Emit::End),
        "update" => Ok(Emit::Update),
        _ => match text.strip_prefix("every:").map(str::parse::<DurationMs>) {
            Some(Ok(DurationMs(ms))) if ms > 0 => Ok(Emit::Every(ms)),
            Some(Err(error)) => Err(QuantityError::to_string(&error)),
            _ => Err("say end, update or every:10s".into()),
        },
    }
}

fn parse_last(text: &str) -> Result<Last, String> {
    let said = || "say a number of lines (11) or a time (10m)".to_owned();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|lines| *lines > 0).map(Last::Lines).ok_or_else(said);
    }
    text.parse::<DurationMs>().ok().filter(|time| time.0 > 0).map(|time| Last::Time(time.0)).ok_or_else(said)
}

fn parse_memory(text: &str) -> Result<ByteSize, QuantityError> {
    ByteSize::parse_at_least(text, MEMORY_MIN)
}

fn parse_late(text: &str) -> Result<Late, String> {
    match text {
        "reject" => Ok(Late::Reject),
        "drop" => Ok(Late::Drop),
        "pass" => Ok(Late::Pass),
        _ => Err("say reject or drop, or with --keep-lines pass".into()),
    }
}
