//! `--where`: a tool takes the lines that a jq filter selects, and passes the others through.
//!
//! One pipe carries lines of several kinds; each tool works on its own and leaves the rest in place, unchanged to the
//! byte. [`WhereArgs`] is the flag; the runtime asks what it selects, as [`millpipe::Config`] has it. A stage that has to know
//! of the lines that it does not take (their time moves the watermark) implements [`Stage::pass`].
//!
//! A line is selected when one of the filter's results is neither `false` nor `null`. A line on which the filter fails
//! is a bad line. Nothing is kept from line to line.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod flag;

pub use flag::{Selection, Selector, WhereArgs};

#[cfg(doc)]
use millpipe::Stage;

#[cfg(test)]
mod tests;
