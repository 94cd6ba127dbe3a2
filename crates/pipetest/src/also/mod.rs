//! A test in all its ways: as it is, and then cut, shuffled, killed.

mod kills;
mod tried;

pub use tried::{Plan, run};
