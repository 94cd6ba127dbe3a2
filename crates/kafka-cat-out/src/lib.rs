//! `kafka-cat-out`: a stream of lines as messages of Kafka topics.
//!
//! A line is one message; nothing comes out. Kept: the messages that are not acknowledged yet, at most `--buffer`
//! of them; when that is full the sink waits, and so the pipe does. A line that is no JSON, a field of the wrong
//! kind, a topic or partition that does not exist and a message that the topic is too small for are bad lines.
//! What was sent before an error is still delivered. The run ends well only when all is acknowledged.
//!
//! In a stream with checkpoints each epoch is one transaction instead (`epochs.rs`): what was sent before an error is
//! aborted, and a line is settled when it is committed.
//!
//! [`KafkaSink`] coordinates what these own, each using those below it only:
//!
//! | object | keeps |
//! |---|---|
//! | `Epochs` | the names of a pipe with checkpoints, and where the last one is noted |
//! | `TopicRouter` | the topic of lines that name none |
//! | `Delivery` | the limits of messages, and when they are sent |
//! | `Topics` | the topics that are known, with what they take, and the batches for them |
//! | `InFlight` | what the client says happened to messages; its `DeliveryCounts` say to how many |
//! | `KafkaProducer` | the client, the name of its transactions, and for how long its brokers are silent |

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batch;
pub mod cli;
mod client;
mod context;
mod counts;
mod delivery;
mod epochs;
mod in_flight;
mod letters;
mod message;
mod partitioner;
mod producer;
mod router;
mod rules;
mod sink;
mod topics;
mod verdict;

/// What `pipetest` has in common with this tool, as it stands in for it.
pub use epochs::Names;
pub use letters::letter;
pub use message::{Draft, Reader};
pub use partitioner::partition_of;
pub use rules::{batch_bytes, name_fault};
pub use sink::KafkaSink;
