//! The runtime of millpipe: everything that touches a pipe, a thread or a clock.
//!
//! A tool implements one of four traits and hands it to a `run_*` function:
//!
//! | trait | is | run by |
//! |---|---|---|
//! | [`Source`] | the first in a pipe | [`run_source`] |
//! | [`Stage`] | an operator with state | [`run_stage`] |
//! | [`Map`] | an operator without state, on many threads; or a foreign program, in many processes | [`run_map`], [`run_command`] |
//! | [`Merge`] | a stage that reads several inputs | [`run_merge`] |
//! | [`Route`] and [`Merge`] | a stage around copies of a sub-pipe | [`run_shard`] |
//! | [`Sink`] | the last in a pipe | [`run_sink`] |
//!
//! The contract of the stream (marks among lines, counts, checked and plain streams, what an end of file
//! means) is kept by [`Driver`], which does no input or output itself; `docs/contract.md` tells it.
#![cfg_attr(test, allow(clippy::unwrap_used))]
// This crate is the one that clippy.toml sends everybody to.
#![allow(clippy::disallowed_methods)]

mod accounting;
mod ahead;
mod args;
mod batch;
mod child;
mod command;
mod drain;
mod driver;
mod fan;
mod fit;
mod flood;
mod hello;
mod help;
mod input;
mod keeper;
mod last_words;
mod line_count;
mod lines;
mod loss;
mod monitor;
mod no_hello;
mod other_format;
mod out;
mod outside;
mod pool;
mod processes;
mod protocol;
mod read_buffer;
mod recovery;
mod rejects;
mod run;
mod run_map;
mod run_source;
mod saving;
mod select;
mod signals;
mod sink;
mod sink_station;
mod source;
mod source_driver;
mod stage;
mod station;
mod stderr_tail;
mod stdio;
pub mod tool;
mod waits;
mod whole_lines;

pub use accounting::Counts;
pub use ahead::read_ahead;
pub use args::{CheckedArgs, ExactlyOnceArgs, InputArgs, RunArgs, StageArgs};
pub use checkpoint::{Changes, CheckpointId};
pub use command::Command;
pub use drain::Drain;
pub use driver::{Config, Driver};
pub use fan::{Merge, MergeInput, Route, Shards, run_merge, run_shard};
pub use hello::{Barrier, Hello, Positions, Truth};
pub use input::CHUNK_BYTES;
pub use keeper::Keeper;
pub use lines::{lines_of, without_byte_order_mark};
pub use out::{BLOCK_BYTES, Out, ROOM_BYTES};
pub use outside::must_be_outside;
pub use pool::Jobs;
pub use rejects::{Late, OnError, Policy, Rejects, warn};
pub use run::{CHANNEL_CHUNKS, run_sink, run_stage};
pub use run_map::{MAP_STACK_USABLE_BYTES, run_command, run_map};
pub use run_source::run_source;
pub use saving::{Job, Jobs as SaveJobs};
pub use select::{LineSelection, LineSelector};
pub use signals::Hangup;
pub use sink::{Sink, no_dead_letter};
pub use sink_station::SinkStation;
pub use source::{Polled, Source};
pub use source_driver::{Checkpoints, SourceDriver, Turn};
pub use stage::{Map, Queue, ReadAhead, Reader, Stage, Stateful};
pub use station::Station;
pub use stdio::must_have_input;
pub use stream::{Error, Exit, Fault, Mark, MarkKind, PREFIX, push_as_data};
pub use waits::{Doing, Waited, Waits};
