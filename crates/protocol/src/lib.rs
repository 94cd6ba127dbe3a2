//! The protocol of the stream, as state machines: no pipe, no thread and no clock in sight.
//!
//! | room | is |
//! |---|---|
//! | `stage`, `source`, `sink`, `select` | the traits that tools implement |
//! | `out`, `rejects`, `drain`, `counts`, `waits`, `figures`, `hot_keys` | what they write to, and what is counted |
//! | `lines`, `line_count`, `hello`, `last_words`, `cut_short`, `loss` | what the stream itself says |
//! | `stage_checkpoints`, `keeper`, `saving`, `fit`, `recovery`, `head`, `state_flags` | the state folder and what goes there |
//! | `driver`, `protocol`, `station`, `source_driver` | the contract around a stage, a sink, a source |
//! | `fan` | several streams as one, and one divided |
//!
//! The contract (marks among lines, counts, checked and plain streams, what an end of file means) is told in
//! `docs/contract.md`. This crate depends on nothing that could read or write a pipe, and the lints forbid clocks and threads;
//! so a whole pipeline can run in one process (`simulation`), cut and crashed anywhere.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bad_line;
mod config;
mod counts;
mod cut_short;
mod drain;
mod driver;
mod fan;
mod figures;
mod fit;
mod head;
mod hello;
mod hot_keys;
mod keeper;
mod last_words;
mod line_count;
mod lines;
mod loss;
mod no_hello;
mod other_format;
mod out;
mod outside;
mod protocol;
mod read_ahead;
mod recovery;
mod rejects;
mod saving;
mod select;
mod sink;
mod sink_station;
mod source;
mod source_driver;
mod stage;
mod stage_checkpoints;
mod state_flags;
mod station;
mod waits;

pub use bad_line::Place;
pub use config::Config;
pub use counts::{Counts, Done};
pub use drain::Drain;
pub use driver::Driver;
pub use fan::{Confluence, FanIn, FanOut, Merge, Ordered, Origin, Port, Relay, Route, Turns, WAITING_BYTES_MAX};
pub use figures::{Facts, Figures, Passed, Saved, Seldom};
pub use head::{DIVIDES, Divides, Head};
pub use hello::{Barrier, Hello, Positions, Truth};
pub use hot_keys::{LineKeys, ReadKey};
pub use keeper::{Keeper, LOCK};
pub use lines::{is_blank, lines_of, ordinary_lines, without_byte_order_mark};
pub use out::{BLOCK_BYTES, Out, ROOM_BYTES};
pub use outside::must_be_outside;
pub use read_ahead::read_ahead;
pub use rejects::{Audience, Late, OnError, Policy, Rejects};
pub use saving::{Executor, Job, SaveJobs};
pub use select::{LineSelection, LineSelector};
pub use sink::{Sink, no_dead_letter};
pub use sink_station::SinkStation;
pub use source::{Goal, Polled, Source};
pub use source_driver::{Checkpoints, SourceDriver, Turn};
pub use stage::{Map, Queue, ReadAhead, Reader, Stage, Stateful};
pub use state_flags::StateFlags;
pub use station::{Station, Target};
pub use waits::{Doing, Waited, Waits};
