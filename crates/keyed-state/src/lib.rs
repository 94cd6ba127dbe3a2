//! What a tool with state by key is made of.
//!
//! [`Keyed`] keeps a value for each key. Keys are canonical texts (see [`values::key`]), and short ones take no
//! memory of their own. Each key has a number while it is there; a number that is free is given out again.
//!
//! A key takes 24 bytes and its value, 6 of the index, and what the tables have in reserve (they double as they
//! grow); a key above 22 bytes takes its length beside that. Nothing is noted for checkpoints before the first one.
//! [`Slots`], [`KeyIndex`] and [`Tracking`] are its parts, for states that are kept in another way. [`ArrivalTracking`] is for
//! lines that wait: they do not change, and are numbered as they arrive. [`Expiry`] says which keys are to be forgotten.
//!
//! [`SpillingKeyed`] keeps values of which those without a line for the longest time go to disk when memory is short; [`MemoryArgs`]
//! are its flags.
//!
//! [`KeyArgs`] is the flag of a limit of keys, [`KeyLimit`] and [`BufferLimit`] say it when they are reached.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arrival_tracking;
mod expiry;
mod keyed;
mod limit;
mod memory_args;
mod slots;
mod spill;
mod spilling;
mod tracking;

pub use arrival_tracking::ArrivalTracking;
pub use expiry::Expiry;
pub use keyed::Keyed;
pub use limit::{BufferLimit, KeyArgs, KeyLimit};
pub use memory_args::MemoryArgs;
pub use slots::{KeyIndex, Slots, hash};
pub use spilling::{Footprint, SpillingKeyed};
pub use tracking::Tracking;
