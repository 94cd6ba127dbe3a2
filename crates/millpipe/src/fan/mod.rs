//! The loops around streams that flow together, and one that is divided: they alone read and write.
//!
//! | file | is |
//! |---|---|
//! | `run_merge` | several inputs, one output |
//! | `run_shard` | one input, several sub-pipes, one output |

mod run_merge;
mod run_shard;

pub use run_merge::{MergeInput, run_merge};
pub use run_shard::{Shards, run_shard};
