//! The ways of running a stage, a map, a sink or a source: the loops, threads and clocks.

pub mod accounting;
pub mod ahead;
pub mod args;
pub mod clock;
pub mod monitor;
pub mod run;
pub mod run_map;
pub mod run_source;
pub mod save_thread;
pub mod whole_lines;
