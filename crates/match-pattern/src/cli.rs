//! The flags of `match-pattern`, and which of them go together.

use std::num::NonZeroUsize;
use std::str::FromStr;

use clap::Parser;
use event_time::{EventTime, TimeArgs};
use keyed_state::{BufferLimit, KeyArgs};
use line_values::{Expression, Expressions};
use millpipe::{Config, Error, Late, StageArgs, StateFlags};
use selection::WhereArgs;
use units::{ByteSize, DurationMs, parse_count};

use crate::MatchPattern;
use crate::plan::{Job, Skip};
use crate::writer::Which;

const AFTER_HELP: &str = "\
A pattern is made of variables, each of which is one row:
  A B          A, then B              A | B           A, or if that leads to no match B
  A* A+ A?     as many as possible    A{2} A{2,5} A{2,} A{,5}   so many
  A*? A{2,}?   as few as possible     PERMUTE(A,B,C)  in any order
  ^ $          before the first row of a key, after its last
  ( )          groups; () is no row   {- A -}         rows that belong to the match and are not written

A condition is a jq filter on a row, and may ask for other rows of the match:
  fail.ip             of the last row that is fail; in the condition of fail itself, the row that is asked about
  FIRST(fail.ip, N)   of the first one, or N after it; LAST(fail.ip, N): of the last one, or N before it
  PREV(.ms, N) NEXT(.ms, N)   N rows before or after, 1 if not said, in the match or not; also PREV(FIRST(fail.ms), N)
  COUNT(fail.*) COUNT(*) COUNT(.x) SUM AVG MIN MAX   of the rows so far; missing values and nulls count for nothing
  CLASSIFIER()        the variable of the row; also LAST(CLASSIFIER(), 1)
  MATCH_NUMBER()      the number of the match among those of its key, from 1
Without a variable, as in FIRST(.ip), all rows of the match count. What is not there is null, and null is less than any number:
say PREV(.ms) != null where that matters. A variable without a condition is any row. A condition that looks at other rows does
not hold where it fails; where one that looks at its row alone fails, the line is a bad line.

Measures are such expressions too. With --rows all they are of the match up to the row (RUNNING), or with FINAL before a function
of the whole match; with --rows one always of the whole match.

Of several matches that begin at one row that one is found which the pattern prefers, as a regular expression would. It is written
when it is decided: A+ when a row comes that is not A, or the --within of the match is over, or the input ends. A row of a key waits
until the watermark has reached its time, so disorder up to --lateness does no harm. NEXT waits for the row after it.

What takes memory: each row from the first of the oldest partial match on, its line and about 150 bytes beside it. A pattern that may
begin at any row and rarely ends (A+ B, where A has no condition) keeps all rows: --within forgets them. With --ttl the rows of
a key end when none came for so long: what is open ends as at the end of the input, the key is forgotten, its next match is number 1.

Examples:
  match-pattern --by user --order at --pattern 'ok fail{2,} again' --within 10m --define 'ok: .status == 200, fail: .status != 200, \
again: .status == 200 and .host != FIRST(fail.host)' --measures 'n=COUNT(fail.*), from=FIRST(fail.at)' < log.ndjson
  match-pattern --by sensor --order at --pattern 'DOWN{2,} UP{2,}' --define 'DOWN: .value < PREV(.value), UP: .value > PREV(.value)' \
--measures 'bottom=LAST(DOWN.value), rise=UP.value - DOWN.value' < readings.ndjson
  match-pattern --by user --order at --pattern 'A B' --define 'B: .path == A.path' --rows all \
--measures 'n=MATCH_NUMBER(), label=CLASSIFIER()' < clicks.ndjson";

/// Find patterns over the rows of each key, as SQL's MATCH_RECOGNIZE does
///
/// A pattern is a regular expression over rows, with a condition for each of its variables. For each match there is one line
/// with its measures, or all of its rows. The rows of a key are taken in the order of their time.
#[derive(Parser, Clone, Debug)]
#[command(name = "match-pattern", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The fields or expressions that make the key, with commas between them [default: all lines are of one key]
    #[arg(long, value_name = "FIELDS")]
    pub by: Option<Expressions>,

    /// The field with the time by which rows are ordered, as --time says it too [default: as they come; with a flag of time, timestamp]
    #[arg(long, value_name = "FIELD", conflicts_with = "time")]
    pub order: Option<Expression>,

    /// What to look for
    #[arg(long, value_name = "PATTERN")]
    pub pattern: String,

    /// The conditions of the variables: NAME: FILTER, with commas between them; may be given more than once
    #[arg(long, value_name = "CONDITIONS")]
    pub define: Vec<String>,

    /// A name for several variables: U=C,D; may be given more than once
    #[arg(long, value_name = "NAME=NAMES")]
    pub subset: Vec<String>,

    /// What to write of a match: NAME=EXPRESSION, with commas between them; may be given more than once
    #[arg(long, value_name = "MEASURES")]
    pub measures: Vec<String>,

    /// The last row of a match comes less than this after its first [default: any time]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub within: Option<DurationMs>,

    /// What to write: one (a line for each match) or all (the rows of the match, with the measures in front)
    #[arg(long, value_name = "WHICH", default_value = "one")]
    pub rows: RowsArg,

    /// Where the next match may begin: past-last-row, next-row, first:NAME, last:NAME (at the first or last row of a variable)
    #[arg(long, value_name = "WHERE", default_value = "past-last-row")]
    pub after_match: SkipArg,

    /// Write nothing for a match without rows
    #[arg(long)]
    pub omit_empty: bool,

    /// With --rows all, write the rows too that are in no match; their measures are null
    #[arg(long)]
    pub unmatched: bool,

    #[command(flatten)]
    pub time: TimeArgs,

    /// Forget a key when no line of it came for this long, by the time of the lines [default: never]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, help_heading = "Limits")]
    pub ttl: Option<DurationMs>,

    #[command(flatten)]
    pub keys: KeyArgs,

    /// The most partial matches of one key at a time; beyond it, stop
    #[arg(long, value_name = "N", default_value = "10000", help_heading = "Limits", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub max_partial: NonZeroUsize,

    /// The most memory for rows that are kept, and partial matches; beyond it, stop
    #[arg(long, value_name = "SIZE", default_value = "1GiB", help_heading = "Limits")]
    pub buffer: ByteSize,

    /// What happens to a late line: reject or drop
    #[arg(long, value_name = "WHAT", value_parser = parse_late, help_heading = "Bad lines")]
    pub late: Option<Late>,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// Which rows of a match are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RowsArg {
    /// One line for each match
    One,
    /// All rows of the match
    All,
}

/// Where the next match may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkipArg(Skip);

impl FromStr for SkipArg {
    type Err = String;

    fn from_str(text: &str) -> Result<SkipArg, String> {
        Ok(SkipArg(match text.split_once(':') {
            None if text == "past-last-row" => Skip::PastLastRow,
            None if text == "next-row" => Skip::NextRow,
            Some(("first", name)) => Skip::First(name.trim().to_owned()),
            Some(("last", name)) => Skip::Last(name.trim().to_owned()),
            _ => return Err("say past-last-row, next-row, first:NAME or last:NAME".into()),
        }))
    }
}

fn parse_late(text: &str) -> Result<Late, String> {
    match text {
        "reject" => Ok(Late::Reject),
        "drop" => Ok(Late::Drop),
        _ => Err("say reject or drop; a late line cannot pass, as rows after it are looked at already".into()),
    }
}

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("match-pattern").with_late(self.late).with_keys(self.by.as_ref()))
    }

    /// # Errors
    /// `Usage` where flags do not go together, or the pattern or an expression is wrong.
    pub fn match_pattern(&self) -> Result<MatchPattern, Error> {
        self.check()?;
        let job = Job {
            by: self.by.clone().map(|by| by.0).unwrap_or_default(),
            time: self.event_time(),
            pattern: self.pattern.clone(),
            define: self.define.clone(),
            subset: self.subset.clone(),
            measures: self.measures.clone(),
            within_ms: self.within.map(|within| within.0),
            ttl_ms: self.ttl.map(|ttl| ttl.0),
            which: Which { all_rows: self.rows == RowsArg::All, empty: !self.omit_empty, unmatched: self.unmatched },
            skip: self.after_match.0.clone(),
            partial_max: self.max_partial.get(),
            keys: self.keys.limit("--ttl forgets old ones"),
            buffer: BufferLimit::new(self.buffer, "the rows of partial matches", "--within and --ttl forget old ones"),
            has_other_lines: self.selection.selection.is_some(),
            flags: self.flags().into(),
        };
        job.operator()
    }

    /// The flags of time, with the field of `--order`.
    fn time_args(&self) -> TimeArgs {
        TimeArgs { time: self.order.clone().or_else(|| self.time.time.clone()), ..self.time.clone() }
    }

    fn is_timed(&self) -> bool {
        self.order.is_some() || self.within.is_some() || self.ttl.is_some() || self.time.given().is_some()
    }

    fn event_time(&self) -> EventTime {
        if self.is_timed() { self.time_args().event_time() } else { EventTime::none() }
    }

    fn check(&self) -> Result<(), Error> {
        let by = self.by.as_ref().map(|by| by.0.as_slice()).unwrap_or_default();
        let is_nothing = by.is_empty() && self.measures.is_empty();
        let rules = [
            (self.within.is_some_and(|within| within.0 < 1), "--within must be more than 0", "say --within 10m"),
            (self.ttl.is_some_and(|ttl| ttl.0 < 1), "--ttl must be more than 0", "say --ttl 7d"),
            (
                self.rows == RowsArg::One && is_nothing,
                "nothing to write of a match",
                "say --measures 'n=COUNT(*)', or --rows all",
            ),
            (
                self.unmatched && self.rows == RowsArg::One,
                "--unmatched without --rows all",
                "a row that is in no match has no line with --rows one",
            ),
            (self.late.is_some() && !self.is_timed(), "--late without a time", "say --order FIELD"),
            (
                by.first().is_some_and(|first| first.name() == "$"),
                "--by $",
                "a line that begins with it would be a mark; say --by 'name=.\"$\"'",
            ),
        ];
        Error::of_broken_rule(rules)
    }

    /// What the state depends on.
    fn flags(&self) -> StateFlags {
        let each = |flags: StateFlags, name: &str, texts: &[String]| {
            texts.iter().fold(flags, |flags, text| flags.quoted(name, text))
        };
        let mut flags = StateFlags::new();
        if let Some(by) = &self.by {
            flags = flags.quoted("--by", by);
        }
        flags = flags.quoted("--pattern", &self.pattern);
        flags = each(flags, "--define", &self.define);
        flags = each(flags, "--subset", &self.subset);
        flags = each(flags, "--measures", &self.measures);
        flags = flags
            .maybe("--within", self.within)
            .maybe("--ttl", self.ttl)
            .switch("--rows all", self.rows == RowsArg::All);
        flags = flags.switch("--omit-empty", self.omit_empty).switch("--unmatched", self.unmatched);
        flags = match &self.after_match.0 {
            Skip::PastLastRow => flags,
            Skip::NextRow => flags.text("--after-match next-row"),
            Skip::First(name) => flags.with("--after-match", format_args!("first:{name}")),
            Skip::Last(name) => flags.with("--after-match", format_args!("last:{name}")),
        };
        if self.is_timed() { flags.text(self.time_args().for_snapshot()) } else { flags }
    }
}
