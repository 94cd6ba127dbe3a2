//! `file-cat-out`: a stream of lines into files.
//!
//! A line is appended to a part, the one of its folder; nothing comes out. Parts grow under hidden names and come to
//! their visible ones by a rename, after the manifest has said so: the manifest is the commit. With `--single` lines
//! are appended to one file, of which the manifest says how much is committed. Kept: lines that are not written yet,
//! at most `--buffer` of them, and a name and a length for each hidden part, at most `--max-parts`. A line that is no
//! JSON, and a `--partition-by` field that can name no folder, are bad lines.
//!
//! ```text
//! DIR/part-RUN-00000012.ndjson          visible: committed, and never changed again
//! DIR/day=2026-01-01/part-….ndjson      with --partition-by day
//! DIR/.millpipe/manifest                what is committed: the id of the checkpoint, parts to be shown, open parts
//! DIR/.millpipe/parts/                  hidden parts
//! DIR/.millpipe/lock                    one writer at a time
//! ```
//!
//! The order that makes it right: parts are durable (sync of the file, then of the folder that it was made in), then
//! the manifest is replaced, then parts are renamed. A crash before the manifest leaves hidden files that it does
//! not know, or more bytes than it says: the next run removes them. A crash behind it leaves renames undone: the
//! next run does them first.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod folders;
mod manifest;
mod names;
mod output;
mod pack;
mod part;
mod parts;
mod single;
mod sink;
mod storage;

pub use pack::Compress;
pub use sink::FileSink;
pub use storage::OutputDisk;
