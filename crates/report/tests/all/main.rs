//! All integration tests of the crate in one binary, as linking takes longer than most of them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod browser;
mod cli;
mod conformance;
mod files;
mod page;
mod server;
