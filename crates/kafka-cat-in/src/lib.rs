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
//!
//! [`KafkaSource`] coordinates what these own:
//!
//! | object | keeps |
//! |---|---|
//! | `TopicChoice`, `Wish` | the flags: which partitions, from where and up to where |
//! | `KafkaClient` | the client, and for how long its brokers are silent |
//! | `PartitionList` | the partitions that are read now, how far each is, whose turn it is |
//! | `PartitionReader` | the limits of reading; its `ValueWriter` makes lines |
//! | `EndWait` | what is waited for at ends that do not come |
//! | `OffsetCommits` | when the group is told next what was written |
//! | `Makings` | the ids of topics, then and now |
//! | `ExactlyOnce` | the names of a pipe with checkpoints, and what the group knows of them |

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
pub mod cli;
mod client;
mod commits;
mod context;
mod ends;
mod exactly_once;
mod instance;
mod makings;
mod partition;
mod partition_list;
mod partition_set;
mod plan;
mod position;
mod queue;
mod reader;
mod settings;
mod source;
mod tag;
mod topic_choice;
mod topic_ids;
mod transactions;
mod value;
mod value_writer;

/// What `pipetest` has in common with this tool, as it stands in for it.
pub use partition::{Pace, State, horizon, may_read};
pub use plan::{Bounds, End, Plan, Wish};
pub use source::KafkaSource;
pub use topic_choice::TopicChoice;
pub use value_writer::{Incoming, ValueWriter};
