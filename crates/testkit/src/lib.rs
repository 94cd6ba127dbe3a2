//! For the project's tests: scripts on a state machine, every way of running it, fresh binaries, a real broker,
//! and what every tool must do.
//!
//! Everything here panics when something is not as it should be: it is called by tests only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

mod broker;
pub mod conformance;
mod play;
mod process;
mod shared;
mod sim_disk;
mod waiting;

pub use broker::Broker;
pub use play::{Played, every_way, every_way_with, play, play_with};
pub use process::{Ran, bash, bin, path_with, run, run_bytes, run_until_it_says};
pub use shared::shared;
pub use sim_disk::{INPUT_OUTPUT_ERROR, NO_SPACE, READ_ONLY, SimDisk};
pub use waiting::{HANGS_AFTER, Rest, wait_for_rest, wait_until, wait_until_or_tell};
