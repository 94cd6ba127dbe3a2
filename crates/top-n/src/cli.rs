//! The flags of `top-n`, and which of them go together.

use std::num::NonZeroUsize;

use clap::Parser;
use keyed_state::{BufferLimit, KeyArgs};
use line_values::Expressions;
use millpipe::{Config, Error, Late, StageArgs, StateFlags};
use selection::WhereArgs;
use units::{ByteSize, parse_count};

use crate::order::Order;
use crate::{Job, TopN};

const AFTER_HELP: &str = "\
Numbers are compared with all of their digits, strings by their characters, but times with a zone as times, whatever their
fraction and zone; values of different kinds as in jq: false, true, numbers, strings, arrays, objects. Numbers in quotes are
strings: --order '(.ms | tonumber):desc'. Missing and null are worst, whatever the order.
Of equal lines the one that arrived first is better; with --ties they have one rank, and all that tie with the last of
the N are kept too.

Lines come out by key, the best first. --rank NAME puts the place, 1 for the best, in front of each; with --ties equal
lines have an equal one, and the next is as many places on (1, 2, 2, 4).

--emit update writes changes instead, as they come: {\"op\":\"insert\",…} is a line that is now among the N, and
{\"op\":\"delete\",…} one that is not any more. With --rank, a line whose rank changes is deleted with the old one and
inserted with the new one, so there are up to 2 N changes for a line; without, there are at most two. Deletes come first.

Kept are N lines of each key, with what they are ordered by; with --ties as many as tie.

Examples:
  top-n -n 3 --by user --order price:desc,at:asc < clicks.ndjson
  top-n -n 1 --order latency:desc < log.ndjson
  top-n --by shop --order '(.price * .value):desc' --rank place < clicks.ndjson
  window --size 1h --time at < clicks.ndjson | aggregate --keep-marks --by user n=count | top-n --window -n 3 --order n:desc
  top-n -n 2 --by sensor --order value:desc --rank rank --emit update < readings.ndjson";

/// Keep the N best lines of each key
///
/// They are written at the end of the input; with --window those of each window when the watermark has passed it.
#[derive(Parser, Clone, Debug)]
#[command(name = "top-n", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// How many lines to keep of each key
    #[arg(short = 'n', long, value_name = "N", default_value = "10", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub lines: NonZeroUsize,

    /// The fields or expressions that make the key, with commas between them [default: all lines are of one key]
    #[arg(long, value_name = "FIELDS")]
    pub by: Option<Expressions>,

    /// What makes a line better: fields or expressions with :desc (the largest is best) or :asc, the most important first
    #[arg(long, value_name = "ORDER")]
    pub order: Order,

    /// Put the place of a line among the best, from 1, in front of its members, under this name
    #[arg(long, value_name = "NAME")]
    pub rank: Option<String>,

    /// Keep all lines that are equal to the last one kept
    #[arg(long)]
    pub ties: bool,

    /// The best of each window: window_start and window_end, from window or aggregate --keep-marks, belong to the key
    #[arg(long)]
    pub window: bool,

    /// When to write: end (the best lines, when they are final) or update (each change of them)
    #[arg(long, value_name = "WHEN", default_value = "end")]
    pub emit: Emit,

    #[command(flatten)]
    pub keys: KeyArgs,

    /// The most memory for the lines kept; beyond it, stop
    #[arg(long, value_name = "SIZE", default_value = "1GiB", help_heading = "Limits")]
    pub buffer: ByteSize,

    /// Write the watermark marks on, for a stage behind that needs them; with --where all marks go on
    #[arg(long, help_heading = "Output")]
    pub keep_marks: bool,

    /// What happens to a late line: reject or drop
    #[arg(long, value_name = "WHAT", value_parser = parse_late, help_heading = "Bad lines")]
    pub late: Option<Late>,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// When results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Emit {
    /// The best lines, when they are final
    End,
    /// Each change, when it comes
    Update,
}

fn parse_late(text: &str) -> Result<Late, String> {
    match text {
        "reject" => Ok(Late::Reject),
        "drop" => Ok(Late::Drop),
        _ => Err("say reject or drop; a late line cannot pass, as its window is written".into()),
    }
}

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("top-n").with_late(self.late).with_keys(self.by.as_ref()))
    }

    /// # Errors
    /// `Usage` where flags do not go together.
    pub fn top_n(&self) -> Result<TopN, Error> {
        self.check()?;
        Ok(TopN::new(Job {
            n: self.lines.get(),
            by: self.by.clone().map(|by| by.0).unwrap_or_default(),
            order: self.order.clone(),
            rank: self.rank.clone(),
            ties: self.ties,
            window: self.window,
            emit: self.emit,
            keys: self.keys.limit("--window writes and forgets old ones"),
            buffer: BufferLimit::new(self.buffer, "the best lines of all keys", ""),
            keep_marks: self.keep_marks,
            has_other_lines: self.selection.selection.is_some(),
            flags: self.flags().into(),
        }))
    }

    fn check(&self) -> Result<(), Error> {
        let rules = [
            (self.late.is_some() && !self.window, "--late without --window", "without windows no line is late"),
            (
                self.rank.as_deref() == Some("op") && self.emit == Emit::Update,
                "--rank op with --emit update",
                "op says what happens to the line; say --rank rank",
            ),
            (
                self.rank.as_deref() == Some("$"),
                "--rank $",
                "a line that begins with it would be a mark; say --rank rank",
            ),
            (self.rank.as_deref() == Some(""), "--rank without a name", "say --rank rank"),
        ];
        Error::of_broken_rule(rules)
    }

    /// What the state depends on.
    fn flags(&self) -> StateFlags {
        let flags = StateFlags::new().with("-n", self.lines);
        let flags = match &self.by {
            Some(by) => flags.quoted("--by", by),
            None => flags,
        };
        flags
            .quoted("--order", &self.order)
            .maybe("--rank", self.rank.as_ref())
            .switch("--ties", self.ties)
            .switch("--window", self.window)
            .switch("--emit update", self.emit == Emit::Update)
    }
}
