//! Which lines a stage takes (`--where`): the runtime asks for each, and lets the others pass.

use std::fmt::Debug;

use stream::Fault;

/// A condition on lines, from a flag.
pub trait LineSelection: Debug + Send + Sync {
    /// Makes what a thread asks.
    fn selector(&self) -> Box<dyn LineSelector>;

    /// Returns what a snapshot depends on: the flag after a space.
    fn flag(&self) -> String;
}

/// Answers for line after line. It keeps nothing from one to the next.
pub trait LineSelector {
    /// Returns true if the stage takes this line.
    ///
    /// # Errors
    /// `Fault::Bad` when the condition fails on it: it is a bad line.
    fn takes(&mut self, line: &[u8]) -> Result<bool, Fault>;
}
