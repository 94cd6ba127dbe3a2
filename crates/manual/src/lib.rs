//! The project's documentation as a program: pages are made from the tools' own help, and what a page shows is run.
//!
//! `cargo run --release -p manual -- write` renews docs/tools; the tests of this crate check everything.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

pub mod markdown;
pub mod page;
pub mod shell;

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

/// Every tool's command line, in the order of a pipeline.
pub fn tools() -> Vec<Command> {
    vec![
        kafka_cat_in::cli::Cli::command(),
        file_cat_in::cli::Cli::command(),
        filter::cli::Cli::command(),
        window::cli::Cli::command(),
        watermark::cli::Cli::command(),
        reorder::cli::Cli::command(),
        aggregate::cli::Cli::command(),
        top_n::cli::Cli::command(),
        dedup::cli::Cli::command(),
        lookup::cli::Cli::command(),
        stream_join::cli::Cli::command(),
        parallel_map::cli::Cli::command(),
        validate::cli::Cli::command(),
        throttle::cli::Cli::command(),
        merge::cli::Cli::command(),
        shard::cli::Cli::command(),
        kafka_cat_out::cli::Cli::command(),
        file_cat_out::cli::Cli::command(),
        exec_cat_out::cli::Cli::command(),
        generate::cli::Cli::command(),
        state::cli::Cli::command(),
        crash_test::cli::Cli::command(),
    ]
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs `each` for every item, and fails with all that went wrong, not just the first.
pub fn for_all<T>(items: impl IntoIterator<Item = T>, mut each: impl FnMut(T) -> Result<(), String>) {
    let wrong: Vec<String> = items.into_iter().filter_map(|item| each(item).err()).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n\n"));
}
