//! The state folder of a pipe.
//!
//! ```text
//! DIR/lock                       held by the source, with its pid
//! DIR/committed                  a copy of the sink's truth: the last committed checkpoint
//! DIR/3-aggregate/RUN.SEQ.ndjson the snapshot of the third stage at a barrier (.zst when large)
//! ```
//!
//! Nothing here knows a stage, a pipe or a clock. All files go through a [`Disk`], so that a simulation can lose
//! what was not synced.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod changes;
mod committed;
mod disk;
mod error;
mod id;
mod lock;
mod stage_folder;

pub use changes::Changes;
pub use committed::{Committed, read_committed, write_committed};
pub use disk::{Disk, DiskFile, RealDisk, publish};
pub use error::Error;
pub use id::CheckpointId;
pub use lock::Lock;
pub use stage_folder::{Merge, Merged, Part, Snapshot, StageFolder};
