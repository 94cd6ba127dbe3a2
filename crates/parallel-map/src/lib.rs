//! `parallel-map`: a jq filter, or a foreign program, over all cores.
//!
//! Each line is worked on by itself, so nothing is kept and the output does not depend on the number of workers:
//! it is in the order of the input, with marks in their place and counts rewritten, as the runtime does for every
//! stage. This crate is the filter as a map, [`Filter`]; what a filter does is in `jq_filters`, batches, workers and
//! processes are the runtime's ([`millpipe::Jobs`], [`millpipe::Command`]).
//!
//! A line gives all its results or, when the filter fails on it, none: then it is a bad line, with jq's message.
//! Memory: two batches for each worker with their output, and the results of one line up to a limit.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod filter;

pub use filter::Filter;
