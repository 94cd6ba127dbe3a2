//! Entries that do not fit in memory: sorted runs on disk, merged back in the order of keys.
//!
//! Whoever fills its memory writes all it has as one run, sorted, and begins anew. So a key can have a value in many
//! runs; at the end they are merged in one pass, and the values of a key meet there, oldest first. This is external
//! sorting with aggregation (Knuth, vol. 3, 5.4; Graefe, ACM Computing Surveys 1993): everything is written and read in
//! sequence, once, and once more for each factor of [`FAN_IN_MAX`] in the number of runs. [`Runs`] does that for spans
//! that are merged whole; [`Queue`] gives entries in order while others come.
//!
//! ```text
//! run      one file without a name, gone with the process: segments, one behind the other
//! segment  all entries of one span (a window), in the order of their keys: whole blocks
//! block    u32 length, u64 xxh3 of what follows (its seed is the place in the file), then entries, about 64 KiB
//! entry    varint length of the key, varint length of the value, key, value
//! ```
//!
//! Memory: one block for each run that is read, at most [`CURSORS_MAX`] of them, and a few numbers for each segment.
//! Nothing here knows what a value is, has a clock or a thread; files come from a [`Scratch`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod block;
mod cursor;
mod error;
mod folder;
mod memory;
mod merge;
mod queue;
mod rewrite;
mod run;
mod runs;
mod scratch;
mod segment;

pub use error::Error;
pub use folder::{Folder, SpillArgs};
pub use memory::Memory;
pub use merge::{Fold, Merge, Order};
pub use queue::Queue;
pub use rewrite::Combine;
pub use run::{Run, RunWriter};
pub use runs::{CURSORS_MAX, FAN_IN_MAX, Runs, Written};
pub use scratch::{Scratch, ScratchFile};
