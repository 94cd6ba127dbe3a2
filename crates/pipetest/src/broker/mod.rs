//! A broker in a folder: what the stand-ins of the Kafka tools read and write, and the test looks at.
//!
//! ```text
//! lock                     held while anything is written
//! topics/TOPIC/0.ndjson    a partition: a message a line, as kafka-cat-in --envelope writes it, its transaction behind it
//! topics/TOPIC/0.end       its input has ended: whoever waits for more need not
//! ledger.ndjson            offsets of groups, names of producers, commits: a line each
//! read/GROUP.lock          held by the member of a group
//! read/TOPIC/0             the offset that a source has come to, for whoever feeds the partition
//! ```
//!
//! A line that has no end was not written: whoever writes next cuts it off. A transaction is committed by one line of the
//! ledger, with the offsets of its group; so a program that is killed at any moment has committed all of it or nothing.
//! Messages of a transaction that the ledger does not know to be committed are not given to readers of committed messages,
//! and none after the first that is still open.

mod folder;
mod ledger;
mod lines;
mod partition;

pub use folder::{Broker, Member, Outgoing};
pub use ledger::{Ledger, Transaction};
pub use partition::{Log, Record};
