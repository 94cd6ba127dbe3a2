//! The project's documentation as a program: pages are made from the tools' own help, and what a page shows is run.
//!
//! `cargo run --release -p manual -- write` renews docs/tools; the tests of this crate check everything.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

pub mod markdown;
pub mod page;
pub mod shell;

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

const SCRIPTS_AT_ONCE: usize = 2;

/// Returns every tool's command line, in the order of a pipeline. The register is this crate's Cargo.toml.
#[must_use]
pub fn tools() -> Vec<Command> {
    include!(concat!(env!("OUT_DIR"), "/tools.rs"))
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs `each` for every item, and fails with all that went wrong, not just the first.
pub fn for_all<T>(items: impl IntoIterator<Item = T>, mut each: impl FnMut(T) -> Result<(), String>) {
    none_failed(&items.into_iter().filter_map(|item| each(item).err()).collect::<Vec<_>>());
}

/// # Panics
/// With all these failures, if there are any.
pub fn none_failed(failures: &[String]) {
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n\n"));
}

/// Runs `each` for every script, several at a time, as they wait more than they work; those that share a broker one after the
/// other. What went wrong.
pub fn try_scripts<T: Send>(
    scripts: Vec<T>,
    wants_broker: impl Fn(&T) -> bool,
    each: impl Fn(T) -> Result<(), String> + Sync,
) -> Vec<String> {
    let (with_broker, others): (Vec<T>, Vec<T>) = scripts.into_iter().partition(wants_broker);
    let turns: Vec<Vec<T>> =
        std::iter::once(with_broker).chain(others.into_iter().map(|script| vec![script])).collect();
    let pool = ThreadPoolBuilder::new().num_threads(SCRIPTS_AT_ONCE).build().unwrap();
    let failures = |scripts: Vec<T>| scripts.into_iter().filter_map(|script| each(script).err());
    // One at a time: what is first takes long.
    pool.install(|| turns.into_par_iter().with_max_len(1).flat_map_iter(failures).collect())
}
