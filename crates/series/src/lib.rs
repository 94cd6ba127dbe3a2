//! Series of numbers by key: what tools share that look at one series after the other.
//!
//! A series is the numbers of one field with the times of their lines, of one key. [`SeriesReader`] reads a line: its key,
//! its time, its numbers. [`KeyedSeries`] keeps a state for each key. [`Seasons`], [`Step`] and [`Gap`] say how long a season, a
//! step and a gap are. [`FrontMembers`] writes a line with new members in front.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod flags;
mod front_members;
mod gap;
mod keyed_series;
mod reader;
mod seasons;
mod step;

pub use flags::SeriesArgs;
pub use front_members::FrontMembers;
pub use gap::Gap;
pub use keyed_series::{KeyedSeries, LateLine};
pub use reader::{FromNumber, Point, SeriesReader};
pub use seasons::{Season, Seasons};
pub use step::Step;
