//! The source on real files, with a clock of our own.

mod every_way;
mod following;
mod lives;
mod reading;
mod restarting;
mod rotations;
mod scene;
mod unfinished;
