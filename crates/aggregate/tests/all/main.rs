//! All integration tests of the crate in one binary, as linking takes longer than most of them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod changes;
mod cli;
mod conditions;
mod conformance;
mod operator;
mod pipeline;
mod spill;
mod statistics;
mod values;
