//! Running a test's pipeline once: a folder of its own, its input, its processes, what came of it.

mod feeding;
mod process;
mod run;
mod scene;
mod shuffling;

pub use process::{Interrupt, Over, Stop, spawn, wait};
pub use run::{Manner, Observed, bare_command, environment, run_once};
pub use scene::Scene;
