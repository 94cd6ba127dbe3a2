//! What a test tells the stand-ins, in their environment.

/// Where the stand-ins find the folder of their broker.
pub const BROKER: &str = "PIPETEST_BROKER";
/// The source tells how far it has read: somebody feeds a partition by that.
pub const TELL_READ: &str = "PIPETEST_TELL_READ";
/// A source that waits for more ends as by SIGTERM when its input has ended.
pub const STOP: &str = "PIPETEST_STOP";
/// The folder of the stand-ins, whose programs are wrapped. Not set: nothing is.
pub const WRAPPED: &str = "PIPETEST_WRAPPED";
/// The seed that cuts are made from, if input is to be cut.
pub const CUT: &str = "PIPETEST_CUT";
/// The folder where outputs are kept, if they are to be.
pub const KEEP: &str = "PIPETEST_KEEP";

/// How many shards `shard` has, whatever its command line says.
pub const SHARDS: &str = "PIPETEST_SHARDS";

/// The tools that are stood in for.
pub const TOOLS: [&str; 2] = ["kafka-cat-in", "kafka-cat-out"];
