//! The state folder of a pipe.
//!
//! ```text
//! DIR/lock                       held by the source, with its pid
//! DIR/run                        the name of the run that has the folder
//! DIR/sink                       the name of the run whose hello has come to a sink
//! DIR/committed                  a copy of the sink's truth: the last committed checkpoint
//! DIR/3-aggregate/RUN.SEQ.ndjson the snapshot of the third stage at a barrier (.zst when large)
//! DIR/3-aggregate/RUN.SEQ.merged-N.ndjson   entries of several snapshots, which later ones build on
//! ```
//!
//! A snapshot has the entries that changed since the one before it, and names the older files that it builds on, so
//! that it costs what changed, not what there is.
//!
//! Nothing here knows a stage, a pipe or a clock. All files go through a [`Disk`], so that a simulation can lose
//! what was not synced.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod changes;
mod committed;
mod disk;
mod error;
mod file_reader;
mod file_writer;
mod header;
mod id;
mod live_run;
mod lock;
mod merge;
mod names;
mod newest_wins;
mod snapshot_reader;
mod stage_folder;
mod storage;

pub use changes::Changes;
pub use committed::{Committed, SAVEPOINT, read_committed, remove_leftovers, write_committed};
pub use disk::{Disk, DiskFile, RealDisk, publish};
pub use error::{DAMAGED_HINT, Error};
pub use file_reader::{CheckedFile, check_file};
pub use header::Header;
pub use id::CheckpointId;
pub use live_run::{begin_run, live_run, show_sink, sink_run, write_committed_in};
pub use lock::Lock;
pub use merge::{Merge, Merged};
pub use names::{FileKind, SHARD, check_stage_name, has_snapshot, is_folder_name, without_shard};
pub use snapshot_reader::{Entry, Part, SnapshotReader, write_alone};
pub use stage_folder::{Snapshot, StageFolder};
pub use storage::{Storage, TakeLock};
