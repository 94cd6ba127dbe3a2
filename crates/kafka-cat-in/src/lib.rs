//! `kafka-cat-in`: Kafka topics as a stream of lines.
//!
//! A line is the value of one message. Lines of one partition keep their order; partitions are read in turns of
//! about 64 KiB, so that there are few `from` marks. What comes out when: whatever a partition has, as soon as
//! the client has fetched it. Kept: one offset and one timestamp per partition; each partition is read ahead by
//! `--buffer` plus one fetch. A value that is not JSON is a bad line, named by topic, partition and offset; a
//! message without a value is left out and counted.
//!
//! Each partition has a queue of its own in the client: so its end is known to be its own, `--align` is leaving
//! a queue alone, and a queue left alone stops its fetches (backpressure).
//!
//! With `--exactly-once` it begins a pipe with checkpoints: it goes on from the offsets of the last one, in partitions
//! assigned by hand, and the sink commits (`exactly_once.rs`).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
pub mod cli;
mod consumer;
mod context;
mod ends;
mod exactly_once;
mod group;
mod instance;
mod makings;
mod open;
mod partition;
mod partition_set;
mod plan;
mod position;
mod queue;
mod read;
mod source;
mod tag;
mod topic_ids;
mod transactions;
mod value;

pub use source::KafkaSource;
