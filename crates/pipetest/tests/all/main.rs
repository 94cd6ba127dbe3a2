//! The binary, as users run it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod agrees;
mod examples;
mod files;
mod mutants;
mod passes;
mod reports;
mod scene;
mod stand_ins;
mod ways;
