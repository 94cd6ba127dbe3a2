//! What both Kafka ends share: the client's properties, its errors as exit codes, topics, and the envelope.
//!
//! Nothing here reads or writes a stream. The properties come from flags, the environment and a file
//! ([`KafkaArgs`]); secrets among them are never part of a message. Errors of the client become one line
//! for people and one exit code ([`failure`]). The envelope ([`envelope`]) is one message of a topic as
//! one JSON line, from which the same bytes can be made again.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;
mod brokers;
mod context;
pub mod envelope;
pub mod failure;
pub mod group_offsets;
mod header;
mod patience;
mod properties;
mod topics;

pub use args::KafkaArgs;
pub use context::EndContext;
pub use header::{Headers, HeadersError};
pub use patience::{ATTEMPT, Patience};
pub use properties::{Properties, Reserved};
pub use topics::{CreateSpec, TopicAdmin, partition_count, wait_for};
