//! What is told of the tests: to people, to programs, to CI servers.

mod junit;
mod people;
mod programs;

pub use junit::junit;
pub use people::{summary, told};
pub use programs::{json, tap, tap_head};
