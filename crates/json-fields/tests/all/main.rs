//! All integration tests of the crate in one binary, as linking takes longer than most of them.
#![allow(clippy::unwrap_used)]

mod against_serde_json;
mod generator;
mod lines;
mod paths;
