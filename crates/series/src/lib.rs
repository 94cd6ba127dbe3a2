//! Series of numbers by key: what tools share that look at one series after the other.
//!
//! A series is the numbers of one field with the times of their lines, of one key. [`SeriesReader`] reads a line: its key,
//! its time, its numbers; [`LineReader`] does the same for values of any kind. [`SeriesStore`] keeps a state for each key, and
//! knows which lines are late. [`Seasons`], [`Step`] and [`Gap`] say how long a season, a step and a gap are. [`FrontMembers`]
//! writes a line with new members in front.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod flags;
mod front_members;
mod gap;
mod line_reader;
mod number;
mod reader;
mod seasons;
mod step;
mod store;

pub use flags::{KeyTimeArgs, SeriesArgs};
pub use front_members::FrontMembers;
pub use gap::Gap;
pub use line_reader::{LineReader, Reading};
pub use number::number;
pub use reader::{Point, SeriesReader};
pub use seasons::{Season, Seasons};
pub use step::Step;
pub use store::{Late, SeriesStore, Taken};
