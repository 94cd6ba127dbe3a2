//! States found by key, with what changed since the last checkpoint.
//!
//! [`Keyed`] keeps a value for each key. Keys are canonical texts (see [`values::key`]), and short ones take no
//! memory of their own. Each key has a number while it is there; a number that is free is given out again.
//!
//! A key takes 24 bytes and its value, 6 of the index, and what the columns have in reserve (they double as they
//! grow); a key above 22 bytes takes its length beside that. Nothing is noted for checkpoints before the first one.
//! [`Tracking`] is that note alone, for states that are kept in another way.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod keyed;
mod tracking;

pub use keyed::{Keyed, hash};
pub use tracking::Tracking;
