//! All integration tests of the crate in one binary, as linking takes longer than most of them.
#![allow(clippy::unwrap_used)]

mod against_jaq;
mod against_jq;
mod both;
mod lines;
mod raw_against_jaq;
