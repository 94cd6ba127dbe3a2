//! Chunks that become batches as they are.

use protocol::{Out, Place};
use stream::Fault;

use super::Pool;
use crate::pool::batch::Batch;

impl Pool {
    /// A chunk so large is a batch by itself.
    pub fn wants_chunk(&self, bytes: usize) -> bool {
        2 * bytes >= self.jobs.batch_bytes
    }

    /// A list to note the ends of lines in.
    pub fn take_spare_ends(&mut self) -> Vec<usize> {
        self.spare.last_mut().map(Batch::take_ends).unwrap_or_default()
    }

    /// Takes whole data lines, which end there, as one batch. A buffer for others comes back.
    ///
    /// # Errors
    /// What ends the run.
    pub fn chunk(&mut self, lines: Vec<u8>, ends: Vec<usize>, place: Place, out: &mut Out) -> Result<Vec<u8>, Fault> {
        let last = out.place();
        self.close_batch(out)?;
        while !self.has_room() {
            self.wait(out)?;
        }
        out.at(last.line, last.byte);
        self.held += ends.len() as u64;
        let mut batch = self.spare.pop().unwrap_or_default();
        let buffer = batch.take_lines(lines, ends, place);
        self.give(batch, out);
        Ok(buffer)
    }
}
