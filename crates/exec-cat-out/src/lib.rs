//! `exec-cat-out`: each epoch of lines to a command.
//!
//! Lines are spooled into a file; nothing comes out. At a barrier the file is made durable, the ledger says that this
//! epoch is committed and not yet given, CMD is run with the file as its input, and the ledger says that it is given.
//! A run that finds an epoch that is committed and not known to be given gives it again before all else, under the
//! same id and with the same bytes. A plain stream is one epoch, given at its end. Kept: a block of lines; the rest of
//! an epoch, up to `--max-epoch`, is on the disk. A line that is no JSON is a bad line.
//!
//! ```text
//! STATE/exec-cat-out/ledger             the id of the last commit, and whether CMD has had it
//! STATE/exec-cat-out/RUN.SEQ.epoch      its lines, until CMD has had them
//! STATE/exec-cat-out/next.epoch         those that come in
//! STATE/exec-cat-out/lock               one writer at a time
//! STATE/exec-cat-out/running            held by CMD: one at a time, also when the tool was killed
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod ledger;
mod program;
mod sink;
mod spool;

pub use program::Program;
pub use sink::{ExecSink, Limits, Target};
