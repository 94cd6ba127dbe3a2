//! Streams that flow together, and one that is divided.
//!
//! | file | is |
//! |---|---|
//! | `fan_in` | several streams as one: hello, barrier and end are aligned, counts checked |
//! | `merging` | the same around a stage that reads several inputs (`merge`) |
//! | `relay` | the same behind sub-pipes, which are part of a stage (`shard`) |
//! | `fan_out` | lines to one of several, marks to all |
//! | `turns` | the order in which lines come back, where it is to be that of the input |

mod fan_in;
mod fan_out;
mod merging;
mod relay;
mod turns;

pub use fan_in::{Confluence, FanIn, Origin};
pub use fan_out::{FanOut, Port, Route, WAITING_BYTES_MAX};
pub use merging::Merge;
pub use relay::Relay;
pub use turns::{Ordered, Turns};

#[cfg(test)]
mod tests;
