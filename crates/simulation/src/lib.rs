//! Whole pipes in one process: the real runtime and the real operators, under a seeded scheduler.
//!
//! Every process of a pipe is a coroutine, so it can be left, stopped or killed at any byte that it reads or writes, at
//! any operation on the disk, and while it waits for the target. Pipes split anywhere, and the disk forgets in a crash
//! of the machine what was not synced. A schedule starts a pipe again and again under such faults, then lets it end in
//! peace; what was committed must be what an undisturbed run gives, at each commit and at the end, and no run may
//! ever end in another way than one that a restart mends.
//!
//! All chance comes from the schedule's seed, so a failure can be played again, with each step told.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod arguments;
mod broken;
mod broker;
mod broker_sink;
mod coroutine;
mod dice;
mod disk_view;
mod faults;
mod files;
mod foreign_program;
mod judge;
mod line_models;
mod model;
mod pipe;
mod pipeline;
mod pipelines;
mod process;
mod program;
mod run;
mod schedule;
mod script;
mod script_source;
mod slot;
mod soak;
mod stage_loop;
mod tally;
mod target;

pub use broken::Broken;
pub use pipelines::PIPELINES;
pub use schedule::{End, Outcome, Settings, play};
pub use soak::{Failure, Limits, Report, soak};
pub use tally::Tally;
pub use target::{TARGETS, TargetKind};
