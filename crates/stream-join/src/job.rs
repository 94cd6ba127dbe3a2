//! What is to be joined, and how.

use event_time::{TimeUnit, Timezone};
use jq_filters::Program;
use line_values::Expression;

use crate::side::Side;

/// What becomes of lines with and without a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A line for each pair
    Inner,
    /// The same, and left lines without a partner
    Left,
    /// The same, and right lines without a partner
    Right,
    /// The same, and lines of both sides without a partner
    Full,
    /// Left lines with a partner, once
    Semi,
    /// Left lines without a partner
    Anti,
}

impl Kind {
    /// Results are pairs.
    #[must_use]
    pub fn pairs(self) -> bool {
        !matches!(self, Kind::Semi | Kind::Anti)
    }

    /// Lines of this side are written when they have no partner.
    #[must_use]
    pub fn preserves(self, side: Side) -> bool {
        match self {
            Kind::Inner | Kind::Semi => false,
            Kind::Left | Kind::Anti => side == Side::Left,
            Kind::Right => side == Side::Right,
            Kind::Full => true,
        }
    }
}

/// Which lines of the other side are near enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// All that ever come.
    Unbounded,
    /// All that come while the line is kept: until the watermark is this far beyond its time.
    Keep(i64),
    /// Those with `right time - left time` between these, both included.
    Within { from_ms: i64, to_ms: i64 },
    /// Those of which one has a time between two times of the other, which is on this side.
    Between(Side),
    /// Those of the same window.
    Window,
}

impl Bound {
    /// How many times a line of this side has, in front of its own fields.
    #[must_use]
    pub fn times(self, side: Side) -> usize {
        match self {
            Bound::Unbounded => 0,
            Bound::Keep(_) | Bound::Within { .. } => 1,
            Bound::Between(bounds) => 1 + usize::from(bounds == side),
            Bound::Window => 2,
        }
    }

    /// Lines of one key all have the same partners.
    #[must_use]
    pub fn is_by_key_alone(self) -> bool {
        matches!(self, Bound::Unbounded | Bound::Window)
    }
}

/// What one side's lines have.
#[derive(Clone, Debug)]
pub struct SideJob {
    pub on: Vec<Expression>,
    /// [`Bound::times`] of them.
    pub times: Vec<Expression>,
    /// Only these members; none: all that the line has.
    pub fields: Option<Vec<Expression>>,
    pub prefix: Option<String>,
    /// Each key comes once.
    pub is_unique: bool,
}

/// A join.
#[derive(Clone)]
pub struct Job {
    /// Gives 1 for left lines, 2 for right ones, and both for lines that are both.
    pub sides_of: Program,
    pub kind: Kind,
    pub bound: Bound,
    /// Left and right.
    pub sides: [SideJob; 2],
    /// Of members that both sides have, the left one counts.
    pub merge: bool,
    pub drops_others: bool,
    pub time_unit: TimeUnit,
    /// Of times that do not say theirs.
    pub zone: Option<Timezone>,
    pub keys_max: usize,
    pub memory_bytes_max: usize,
    /// Beyond the memory lines go to disk.
    pub spills: bool,
    /// Marks about time end here.
    pub is_plain: bool,
    pub marks_delay_ms: i64,
    pub reports: bool,
    /// What a state depends on.
    pub flags: String,
}

impl Job {
    #[must_use]
    pub fn side(&self, side: Side) -> &SideJob {
        &self.sides[side as usize]
    }

    /// For each value of the key, the expressions that give it: that of both sides, or those that `shard` can take for both.
    #[must_use]
    pub fn key_texts(&self) -> Vec<Vec<String>> {
        let [left, right] = &self.sides;
        left.on.iter().zip(&right.on).map(|(left, right)| line_values::texts_of_either(left, right)).collect()
    }

    /// Top-level members that are part of both keys under the same name: a pair has them once.
    #[must_use]
    pub fn shared_keys(&self) -> Vec<String> {
        let [left, right] = &self.sides;
        let shared = |(left_key, right_key): (&Expression, &Expression)| {
            let path = left_key.path().filter(|path| path.is_top_level() && Some(*path) == right_key.path())?;
            let name = path.top_level_key()?;
            (left.writes_as_it_is(name) && right.writes_as_it_is(name)).then(|| name.to_owned())
        };
        left.on.iter().zip(&right.on).filter_map(shared).collect()
    }
}

impl SideJob {
    /// The member that is written under this name, if one is, is that of the line.
    fn writes_as_it_is(&self, name: &str) -> bool {
        let is_it = |field: &Expression| field.path().is_some_and(|path| path.is_top_level() && path.name() == name);
        let fields = self.fields.as_deref().unwrap_or_default();
        self.prefix.is_none() && fields.iter().all(|field| field.name() != name || is_it(field))
    }
}
