//! Where output goes.

use stream::Fault;

/// Where a full buffer goes.
pub trait Drain: Send {
    /// The buffer comes back empty.
    ///
    /// # Errors
    /// `ReaderGone` or `Stop`; the output is over then.
    fn drain(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault>;

    /// The same for the buffer and what stands elsewhere, which comes behind it.
    ///
    /// # Errors
    /// As `drain`.
    fn drain_with(&mut self, bytes: &mut Vec<u8>, more: &[u8]) -> Result<(), Fault> {
        bytes.extend_from_slice(more);
        self.drain(bytes)
    }

    /// Takes what can go on without waiting; the rest stays in the buffer.
    ///
    /// # Errors
    /// As `drain`.
    fn drain_some(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        self.drain(bytes)
    }
}
