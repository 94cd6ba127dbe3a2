//! The flags of `stream-join`, and which of them go together.

use clap::{Parser, ValueEnum};
use event_time::{TimeUnit, Timezone, WINDOW};
use jq_filters::{Arguments, Program};
use json_fields::FieldPath;
use keyed_state::KeyArgs;
use line_values::Expression;
use millpipe::{Config, Error, LateArgs, StageArgs, StateFlags};
use selection::Selection;
use sorted_runs::{Folder, SpillArgs};
use units::{ByteSize, DurationMs, QuantityError};

use crate::flag_values::{Between, Members, On, Within};
use crate::job::{Bound, Job, Kind, SideJob};
use crate::side::Side;
use crate::side_keys::SideKeys;

const AFTER_HELP: &str = r#"Which lines of a key are joined: without a flag all, whenever they come, and nothing is forgotten. --keep: those that come while
the other is kept. --within: those with right time - left time in the range. --between: those of one side with a time between
two times of the other. --window: those in the same window, as window writes it. Ranges include both ends.

Lines are kept until the watermarks of the stream say that no partner in time can come any more; watermark or window in front
make them, from all lines of the pipe. Without watermarks all lines are kept. A line that is behind the watermark, over when it
comes, and finds no partner, is late (--late). Others that come behind the watermark are joined like any other.

A null or missing key is equal to none, as in SQL: such a line has no partner.

Results: the members of the left line, then those of the right one, as they were written. Of a key member that has the same
name on both sides the left one is written; any other name on both sides is an error, until --left-fields, --prefix-right or
--merge says what is meant. With --window, window_start and window_end stand in front, once. A line without a partner has the
members of its side. For a line its pairs come in the order in which the others came; lines without a partner by (time,
arrival). Watermarks pass; the later of a pair's two times is never behind them, the earlier can be (--delay-marks).

--left-fields and --right-fields are also what makes a join fast and small: only these members are kept.

Examples:
  stream-join --left '.kind == "click"' --right '.kind == "buy"' --on user --time at --within 0s..30m --prefix-right buy_
  watermark --time at --lateness 5s | stream-join --left '.kind == "buy"' --right '.kind == "paid"' --on order=id --time at \
    --within 0s..1h --kind anti
  stream-join --left '.type == "bid"' --right '.type == "auction"' --on auction=id --time at --between right:at..expires \
    --left-fields price,bid_at=at --right-fields id,category
  window --size 10s | stream-join --left '.type == "person"' --right '.type == "auction"' --on id=seller --window --kind semi
  stream-join --left '.type == "bid"' --right '.type == "auction"' --on auction=id --unique right --memory 64MiB \
    --left-fields auction,price --right-fields item,seller"#;

/// Join lines of two kinds that share a pipe
///
/// --left and --right are jq filters that say of each line which it is. One that is neither passes unchanged, in its place;
/// one that is both is joined as both. The sides are joined where their keys (--on) are equal, and near enough in time.
#[derive(Parser, Clone, Debug)]
#[command(name = "stream-join", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// The left lines: those for which this jq filter is true
    #[arg(long, value_name = "FILTER")]
    pub left: Selection,

    /// The right lines
    #[arg(long, value_name = "FILTER")]
    pub right: Selection,

    /// What must be equal, left and right: user, or seller=id,.item % 10=slot. Fields, or jq expressions
    #[arg(long, value_name = "KEYS")]
    pub on: On,

    /// What is written: a line for each pair, lines without a partner, or left lines that have or have not one
    #[arg(long, value_name = "KIND", value_enum, default_value = "inner")]
    pub kind: Kind,

    /// Join lines with right time - left time in this range: -5m..10m, 0s..1h; 10m is -10m..10m
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true, help_heading = "Near in time")]
    pub within: Option<Within>,

    /// Join lines of one side to those of SIDE between whose two fields their time is: right:date_time..expires. The first of
    /// the two counts as the time of SIDE's lines
    #[arg(long, value_name = "SIDE:FROM..TO", help_heading = "Near in time")]
    pub between: Option<Between>,

    /// Join lines of the same window, which window has put in front of them
    #[arg(long, help_heading = "Near in time")]
    pub window: bool,

    /// Keep a line for partners until the watermark is this far beyond its time
    #[arg(long, value_name = "DURATION", help_heading = "Near in time")]
    pub keep: Option<DurationMs>,

    /// The field with the time of lines of both sides, or a jq expression: RFC 3339, or an epoch number [default: timestamp]
    #[arg(long, value_name = "FIELD", help_heading = "Time")]
    pub time: Option<Expression>,

    /// The field with the time of left lines [default: --time]
    #[arg(long, value_name = "FIELD", help_heading = "Time")]
    pub left_time: Option<Expression>,

    /// The field with the time of right lines [default: --time]
    #[arg(long, value_name = "FIELD", help_heading = "Time")]
    pub right_time: Option<Expression>,

    /// What an epoch number counts: s, ms, us, ns; auto: below 1e11 s, below 1e14 ms, below 1e17 us, else ns [default: auto]
    #[arg(long, value_name = "UNIT", help_heading = "Time")]
    pub time_unit: Option<TimeUnit>,

    /// The timezone of times that do not say theirs: UTC, Europe/Berlin
    #[arg(long, value_name = "ZONE", help_heading = "Time")]
    pub zone: Option<Timezone>,

    /// Pass watermarks on with this much earlier a time: so that pairs are not late behind, whatever time of theirs counts
    /// there; say the longer end of --within
    #[arg(long, value_name = "DURATION", help_heading = "Time")]
    pub delay_marks: Option<DurationMs>,

    /// Keep and write only these members of left lines: id,at=date_time,total=.price * .n
    #[arg(long, value_name = "FIELDS", help_heading = "Results")]
    pub left_fields: Option<Members>,

    /// The same of right lines
    #[arg(long, value_name = "FIELDS", help_heading = "Results")]
    pub right_fields: Option<Members>,

    /// Put this in front of the names of all members of left lines
    #[arg(long, value_name = "TEXT", help_heading = "Results")]
    pub prefix_left: Option<String>,

    /// The same for right lines
    #[arg(long, value_name = "TEXT", help_heading = "Results")]
    pub prefix_right: Option<String>,

    /// Of members with the same name write the left line's
    #[arg(long, help_heading = "Results")]
    pub merge: bool,

    /// What becomes of lines that are neither left nor right
    #[arg(long, value_name = "WHAT", value_enum, default_value = "pass", help_heading = "Results")]
    pub others: Others,

    /// Write no watermarks: plain lines for other programs
    #[arg(long, conflicts_with = "delay_marks", help_heading = "Results")]
    pub plain: bool,

    /// Lines of this side come once for each key, so lines of the other side need not be kept once they have their
    /// partner; a second one is a bad line
    #[arg(long, value_name = "SIDE", value_enum, help_heading = "Limits")]
    pub unique: Option<Unique>,

    #[command(flatten)]
    pub keys: KeyArgs,

    /// The most memory for lines that are kept; beyond it, stop [default: 1GiB]
    #[arg(long, value_name = "SIZE", conflicts_with = "memory", help_heading = "Limits")]
    pub buffer: Option<ByteSize>,

    /// Take about SIZE of memory for lines that are kept: beyond it they go to disk, the oldest first, and only what finds them
    /// stays (about 80 bytes for each, 135 with times); when that takes more, stop
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, help_heading = "Limits")]
    pub memory: Option<ByteSize>,

    #[command(flatten)]
    pub spill: SpillArgs,

    #[command(flatten)]
    pub late: LateArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// `--others`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Others {
    /// They go on unchanged, in their place
    Pass,
    /// They end here
    Drop,
}

/// `--unique`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unique {
    Left,
    Right,
    Both,
}

impl Unique {
    fn is(self, side: Side) -> bool {
        match self {
            Unique::Left => side == Side::Left,
            Unique::Right => side == Side::Right,
            Unique::Both => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Unique::Left => "left",
            Unique::Right => "right",
            Unique::Both => "both",
        }
    }
}

const BUFFER: ByteSize = ByteSize::mib(1024);
/// Less would be spent on what is never sent to disk.
const MEMORY_MIN: ByteSize = ByteSize::mib(4);
const TIME: &str = "timestamp";

impl Cli {
    #[must_use]
    pub fn config(&self) -> Config {
        let keys = SideKeys::new(&self.left, &self.right, &self.on.0);
        self.stage.config("stream-join").with_late(self.late.late).with_keys(Some(&keys))
    }

    /// What the flags ask for.
    ///
    /// # Errors
    /// `Usage` where they do not go together.
    pub fn job(&self) -> Result<Job, Error> {
        let bound = self.bound()?;
        self.check(bound)?;
        let memory = self.memory.or(self.buffer).unwrap_or(BUFFER);
        let mut job = Job {
            sides_of: self.sides_of()?,
            kind: self.kind,
            bound,
            sides: Side::BOTH.map(|side| self.side(side, bound)),
            merge: self.merge,
            drops_others: self.others == Others::Drop,
            time_unit: self.time_unit.unwrap_or_default(),
            zone: self.zone.clone(),
            keys_max: self.keys.max_keys.get(),
            memory_bytes_max: memory.as_usize(),
            spills: self.memory.is_some(),
            is_plain: self.plain,
            marks_delay_ms: self.delay_marks.map_or(0, |delay| delay.0),
            reports: self.stage.run.verbose,
            flags: String::new(),
        };
        job.flags = self.state_flags(&job).into();
        Ok(job)
    }

    /// Where lines beyond `--memory` go.
    #[must_use]
    pub fn spill_folder(&self) -> Folder {
        self.spill.folder()
    }

    fn bound(&self) -> Result<Bound, Error> {
        match (self.within, &self.between, self.window, self.keep) {
            (None, None, false, None) => Ok(Bound::Unbounded),
            (Some(Within { from_ms, to_ms }), None, false, None) => Ok(Bound::Within { from_ms, to_ms }),
            (None, Some(between), false, None) => Ok(Bound::Between(between.side)),
            (None, None, true, None) => Ok(Bound::Window),
            (None, None, false, Some(DurationMs(ms))) => Ok(Bound::Keep(ms)),
            _ => wrong(
                "more than one of --within, --between, --window and --keep",
                "each of them says until when a line is kept",
            ),
        }
    }

    /// Both filters in one, so that a line is read once for them.
    fn sides_of(&self) -> Result<Program, Error> {
        // A filter may end with a comment.
        let code = format!("(if (\n{}\n) then 1 else 0 end), (if (\n{}\n) then 2 else 0 end)", self.left, self.right);
        Program::new(&code, Arguments::default()).map_err(|wrong| Error::usage(wrong.message))
    }

    fn side(&self, side: Side, bound: Bound) -> SideJob {
        let of_side = |(left, right): &(Expression, Expression)| match side {
            Side::Left => left.clone(),
            Side::Right => right.clone(),
        };
        let (time, fields, prefix) = match side {
            Side::Left => (&self.left_time, &self.left_fields, &self.prefix_left),
            Side::Right => (&self.right_time, &self.right_fields, &self.prefix_right),
        };
        let time = || time.as_ref().or(self.time.as_ref()).cloned().unwrap_or_else(|| FieldPath::key(TIME).into());
        let times = match (bound, &self.between) {
            (Bound::Unbounded, _) => Vec::new(),
            (Bound::Between(bounds), Some(between)) if bounds == side => vec![between.from.clone(), between.to.clone()],
            (Bound::Window, _) => WINDOW.iter().map(|name| FieldPath::key(name).into()).collect(),
            _ => vec![time()],
        };
        SideJob {
            on: self.on.0.iter().map(of_side).collect(),
            times,
            fields: fields.as_ref().map(|Members(members)| members.clone()),
            prefix: prefix.clone(),
            is_unique: self.unique.is_some_and(|unique| unique.is(side)),
        }
    }

    fn check(&self, bound: Bound) -> Result<(), Error> {
        let has_times = !matches!(bound, Bound::Unbounded | Bound::Window);
        let time_flag = [
            ("--time", self.time.is_some()),
            ("--left-time", self.left_time.is_some()),
            ("--right-time", self.right_time.is_some()),
        ];
        let idle_time = match bound {
            Bound::Unbounded | Bound::Window => time_flag.iter().find(|(_, given)| *given),
            Bound::Between(Side::Left) => time_flag[1..2].iter().find(|(_, given)| *given),
            Bound::Between(Side::Right) => time_flag[2..].iter().find(|(_, given)| *given),
            _ => None,
        };
        if let Some((flag, _)) = idle_time {
            return match bound {
                Bound::Between(_) => {
                    wrong(&format!("{flag} with --between"), "the first of the two fields is the time of these lines")
                }
                _ => wrong(
                    &format!("{flag} without --within, --between or --keep"),
                    "without one of them lines are joined whatever their times",
                ),
            };
        }
        let single = !self.kind.pairs();
        let right_members = self.right_fields.is_some() || self.prefix_right.is_some() || self.merge;
        let rules = [
            (
                self.spill.spill_dir.is_some() && self.memory.is_none(),
                "--spill-dir without --memory",
                "--memory SIZE says how much stays in memory",
            ),
            (self.time_unit.is_some() && !has_times, "--time-unit without times", "say --within, --between or --keep"),
            (self.zone.is_some() && !has_times, "--zone without times", "say --within, --between or --keep"),
            (
                self.late.late.is_some() && bound == Bound::Unbounded,
                "--late without a bound",
                "no line is late without one",
            ),
            (
                single && right_members,
                "--right-fields, --prefix-right or --merge with a semi or anti join",
                "only left lines are written",
            ),
            (
                single && self.unique.is_some(),
                "--unique with a semi or anti join",
                "left lines go with their first partner there anyway",
            ),
            (
                self.merge && (self.prefix_left.is_some() || self.prefix_right.is_some()),
                "--merge and a prefix",
                "with a prefix names do not clash",
            ),
        ];
        Error::of_broken_rule(rules)
    }

    /// Limits, what becomes of late and other lines, and the delay of marks may change from run to run.
    fn state_flags(&self, job: &Job) -> StateFlags {
        let list = |expressions: &[Expression]| {
            expressions.iter().map(|one| format!("{}={one}", one.name())).collect::<Vec<_>>().join(",")
        };
        let on: Vec<String> = self.on.0.iter().map(|(left, right)| format!("{left}={right}")).collect();
        let kind = self.kind.to_possible_value();
        let flags = StateFlags::new()
            .quoted("--left", &self.left)
            .quoted("--right", &self.right)
            .quoted("--on", on.join(","))
            .with("--kind", kind.as_ref().map_or("", |kind| kind.get_name()));
        let mut flags = match job.bound {
            Bound::Unbounded => flags,
            Bound::Keep(ms) => flags.with("--keep", DurationMs(ms)),
            Bound::Within { from_ms, to_ms } => {
                let [from, to] = [from_ms, to_ms].map(units::SignedDurationMs);
                flags.with("--within", format_args!("{from}..{to}"))
            }
            Bound::Between(side) => flags.with("--between", side),
            Bound::Window => flags.text("--window"),
        };
        for side in Side::BOTH {
            let of_side = job.side(side);
            let times: Vec<String> = of_side.times.iter().map(ToString::to_string).collect();
            if !times.is_empty() && job.bound != Bound::Window {
                flags = flags.with(&format!("--{side}-time"), times.join(".."));
            }
            if let Some(fields) = &of_side.fields {
                flags = flags.quoted(&format!("--{side}-fields"), list(fields));
            }
            if let Some(prefix) = &of_side.prefix {
                flags = flags.quoted(&format!("--prefix-{side}"), prefix);
            }
        }
        flags
            .maybe("--time-unit", self.time_unit)
            .maybe("--zone", self.zone.as_ref())
            .maybe("--unique", self.unique.map(Unique::name))
    }
}

fn parse_memory(text: &str) -> Result<ByteSize, QuantityError> {
    ByteSize::parse_at_least(text, MEMORY_MIN)
}

fn wrong<T>(message: &str, hint: &str) -> Result<T, Error> {
    Err(Error::usage(message).hint(hint))
}
