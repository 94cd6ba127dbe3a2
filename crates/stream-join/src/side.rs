//! The two sides of a join.

use std::fmt;

/// Which lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Side {
    Left,
    Right,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Left, Side::Right];

    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }

    /// Returns what belongs to this side and what belongs to the other as (left, right).
    #[inline]
    #[must_use]
    pub fn in_order<T>(self, own: T, other: T) -> (T, T) {
        match self {
            Side::Left => (own, other),
            Side::Right => (other, own),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Left => "left",
            Side::Right => "right",
        })
    }
}
