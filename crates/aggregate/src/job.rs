//! What to do, as read from the flags.

use std::fmt;
use std::sync::Arc;

use accumulators::Plan;
use event_time::{TimeUnit, Timezone};
use json_fields::FieldPath;
use line_values::{Condition, Expression, WrongExpression};
use millpipe::StateFlags;
use units::DurationMs;

use crate::keys::KeyMembers;

/// When results of lines without windows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// At the end of the input.
    End,
    /// After each line, those of the line's key.
    Update,
    /// Each so many milliseconds, those of the keys that had lines since.
    Every(i64),
}

/// What happens when there is one key more than allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Overflow {
    /// Stop with an error
    #[default]
    Stop,
    /// Write and forget the key that has had no line for the longest time
    EvictOldest,
}

/// The lines of a key that its results are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// So many.
    Lines(usize),
    /// Those whose time is at most so many milliseconds before the latest one.
    Time(i64),
}

impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Last::Lines(lines) => write!(f, "{lines}"),
            Last::Time(ms) => write!(f, "{}", DurationMs(*ms)),
        }
    }
}

/// Where the time of a line is, and what it says.
#[derive(Clone, Debug)]
pub struct JobTime {
    pub of: Expression,
    pub unit: TimeUnit,
    /// Of times that do not say theirs.
    pub zone: Option<Timezone>,
}

/// What one aggregation does.
#[derive(Clone, Debug)]
pub struct Job {
    pub plan: Arc<Plan>,
    pub by: Vec<Expression>,
    /// Those of the plan.
    pub expressions: Vec<Expression>,
    pub conditions: Vec<Condition>,
    /// The names of `by`.
    pub members: KeyMembers,
    /// How a result without a window begins: `{`, and a space where it would be a mark else.
    pub opening: &'static [u8],
    /// Limit on (window, key) pairs held at once.
    pub groups_max: usize,
    /// About how much memory the process may take; groups beyond it go to disk.
    pub memory_bytes: Option<usize>,
    pub overflow: Overflow,
    pub emit: Emit,
    /// For lines without windows: a key without lines for so long is written and forgotten.
    pub ttl_ms: Option<i64>,
    /// Event time of lines without windows, where no watermarks tell it.
    pub time: Option<JobTime>,
    /// Results are of the last lines of their key, and written after each line.
    pub last: Option<Last>,
    /// Most memory for the lines that `last` needs.
    pub buffer_bytes: usize,
    /// Results say what becomes of those that were written before.
    pub writes_changes: bool,
    /// Lines say so of other lines.
    pub reads_changes: bool,
    /// Lines go on, beside being taken in.
    pub keeps_lines: bool,
    pub keep_marks: bool,
    /// Some lines of the pipe pass: all marks go on with them.
    pub has_other_lines: bool,
    /// A line of a window with so many groups may wait for some others, to be taken in with them. It makes no
    /// difference to what is written.
    pub waits_from: usize,
    /// Say at the end how many lines had a field missing or null.
    pub reports_missing: bool,
}

impl Job {
    /// # Errors
    /// An expression or a condition of the plan that is none.
    pub fn new(plan: Plan, by: Vec<Expression>) -> Result<Job, WrongExpression> {
        let members = KeyMembers::new(by.iter().map(Expression::name));
        let first = by.first().map(Expression::name).or_else(|| plan.names().first().cloned());
        let opening: &[u8] = if first.as_deref() == Some("$") { b"{ " } else { b"{" };
        let waits_from = if plan.takes_batches() { WAITS_FROM } else { usize::MAX };
        Ok(Job {
            expressions: plan.expressions().iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            conditions: plan.conditions().iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            plan: Arc::new(plan),
            by,
            members,
            opening,
            groups_max: GROUPS_MAX,
            memory_bytes: None,
            overflow: Overflow::Stop,
            emit: Emit::End,
            ttl_ms: None,
            time: None,
            last: None,
            buffer_bytes: BUFFER_BYTES,
            writes_changes: false,
            reads_changes: false,
            keeps_lines: false,
            keep_marks: false,
            has_other_lines: false,
            waits_from,
            reports_missing: false,
        })
    }

    /// The keys that are fields.
    pub fn key_paths(&self) -> impl Iterator<Item = &FieldPath> {
        self.by.iter().filter_map(Expression::path)
    }

    /// Whether all that is wanted of a line are fields.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let has_paths = self.by.iter().chain(self.time.iter().map(|time| &time.of)).all(|value| value.path().is_some());
        self.plan.is_plain() && !self.reads_changes && has_paths
    }

    /// Whether keys are ever forgotten in the order of their last line.
    #[must_use]
    pub fn forgets_oldest(&self) -> bool {
        self.ttl_ms.is_some() || self.overflow == Overflow::EvictOldest
    }

    /// The flags that the state depends on. Names of results and other results of the same states may change from run
    /// to run, as may limits, and when results are written.
    #[must_use]
    pub fn flags(&self) -> String {
        let by: Vec<String> = self.by.iter().map(ToString::to_string).collect();
        let mut flags = StateFlags::new();
        if !by.is_empty() {
            flags = flags.with("--by", by.join(","));
        }
        if let Some(JobTime { of, unit, zone }) = &self.time {
            flags = flags.with("--time", of).with("--time-unit", unit).maybe("--zone", zone.as_ref());
        }
        flags = flags.maybe("--last", self.last).switch("--changes", self.writes_changes);
        let states = self.plan.states();
        if states.is_empty() { flags.into() } else { flags.text(states).into() }
    }
}

/// Memory for kept lines, unless said otherwise.
pub const BUFFER_BYTES: usize = 256 << 20;

/// (window, key) pairs held at once, unless said otherwise.
pub const GROUPS_MAX: usize = 1_000_000;

/// The states of so many groups are larger than the cache that a core has for itself; with fewer, all is near anyway.
const WAITS_FROM: usize = 16_384;
