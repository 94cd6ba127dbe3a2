//! All integration tests of the crate in one binary, as linking takes longer than most of them.
#![allow(clippy::panic, clippy::unwrap_used)]

mod crashes;
mod damage;
mod folder;
mod stage_folder;
