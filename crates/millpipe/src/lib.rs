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
//! The contract of the stream is kept by the crate `protocol`, which does no input or output itself; this one feeds it. Its rooms,
//! each standing on those before it:
//!
//! | room | is |
//! |---|---|
//! | `clock`, `messages` | the clocks; what people read on stderr |
//! | `pipes` | the ends of pipes: reading, writing, waiting |
//! | `pool` | worker threads that keep the order of their input |
//! | `programs` | foreign programs: processes and their pipes |
//! | `running` | the loops around a stage, a map, a sink, a source |
//! | `fan` | the loops around several inputs, and around sub-pipes |
//! | `tool` | the frame of every `main` |
#![cfg_attr(test, allow(clippy::unwrap_used))]
// This crate is the one that clippy.toml sends everybody to.
#![allow(clippy::disallowed_methods)]

mod clock;
mod fan;
mod messages;
mod pipes;
mod pool;
mod programs;
mod running;
mod signals;
pub mod tool;

pub use checkpoint::{Changes, CheckpointId};
pub use fan::{MergeInput, Shards, run_merge, run_shard};
pub use messages::warn;
pub use pipes::sizes::{CHANNEL_CHUNKS, CHUNK_BYTES};
pub use pipes::stdio::must_have_input;
pub use pool::Jobs;
pub use programs::command::Command;
pub use protocol::{
    BLOCK_BYTES, Barrier, Config, Counts, Divides, Doing, Drain, Driver, Facts, Figures, Goal, Head, Hello, Keeper,
    Late, LineKeys, LineSelection, LineSelector, Map, Merge, OnError, Out, Policy, Polled, Positions, Queue,
    ROOM_BYTES, ReadAhead, ReadKey, Reader, Rejects, Route, Sink, Source, Stage, StateFlags, Stateful, Truth, Waited,
    Waits, lines_of, must_be_outside, no_dead_letter, without_byte_order_mark,
};
pub use running::args::{CheckedArgs, ExactlyOnceArgs, InputArgs, LateArgs, RunArgs, StageArgs};
pub use running::run::{run_sink, run_stage};
pub use running::run_map::{MAP_STACK_USABLE_BYTES, run_command, run_map};
pub use running::run_source::run_source;
pub use signals::Hangup;
pub use stream::{Error, Exit, Fault, Mark, MarkKind, PREFIX, push_as_data};
