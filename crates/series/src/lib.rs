//! Series of numbers by key: what tools share that look at one series after the other.
//!
//! A series is the numbers of one field with the times of their lines, of one key. [`SeriesReader`] reads a line: its key,
//! its time, its numbers. [`FrontMembers`] writes a line with new members in front.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod flags;
mod front_members;
mod reader;

pub use flags::SeriesArgs;
pub use front_members::FrontMembers;
pub use reader::{FromNumber, Point, SeriesReader};
