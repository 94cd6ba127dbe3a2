//! The ways of running a stage, a map, a sink or a source: the loops, threads and clocks.

pub mod accounting;
pub mod ahead;
pub mod args;
pub mod monitor;
pub mod process;
pub mod progress;
pub mod publisher;
pub mod run;
pub mod run_map;
pub mod run_source;
pub mod samples;
pub mod save_thread;
pub mod sheet;
pub mod whole_lines;
