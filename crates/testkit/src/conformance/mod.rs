//! What every tool must do: the contract of the stream, tried on the binary.

mod every_tool;
mod sink;
mod source;
mod stage;

pub use sink::{Sink, sink};
pub use source::{Source, source};
pub use stage::{Stage, stage};
