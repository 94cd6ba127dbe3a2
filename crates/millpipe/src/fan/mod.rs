//! Streams that flow together, and one that is divided.
//!
//! | file | is |
//! |---|---|
//! | `fan_in` | several streams as one: hello, barrier and end are aligned, counts checked; a state machine |
//! | `merging` | the same around a stage that reads several inputs (`merge`) |
//! | `relay` | the same behind sub-pipes, which are part of a stage (`shard`) |
//! | `fan_out` | lines to one of several, marks to all; a state machine |
//! | `turns` | the order in which lines come back, where it is to be that of the input; a state machine |
//! | `sub_pipe` | a running shell pipeline with its three pipes |
//! | `run_merge`, `run_shard` | the loops: they alone read and write |

mod fan_in;
mod fan_out;
mod merging;
mod relay;
mod run_merge;
mod run_shard;
mod sub_pipe;
mod turns;

pub use fan_out::Route;
pub use merging::Merge;
pub use run_merge::{MergeInput, run_merge};
pub use run_shard::{Shards, run_shard};

#[cfg(test)]
mod tests;
