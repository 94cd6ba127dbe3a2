//! Whether there is room for more, for a stage with a queue.

use super::{Out, ROOM_BYTES};

impl Out {
    /// For a stage with a queue: false when what it would write could not leave now. It is woken when that is over.
    pub fn has_room(&mut self) -> bool {
        if self.drain.is_some() && self.bytes.len() >= ROOM_BYTES {
            self.flush_some();
            if self.bytes.len() >= ROOM_BYTES {
                self.was_refused = true;
                return false;
            }
        }
        true
    }

    /// True once after `has_room` was false, when there is room.
    pub fn has_room_again(&mut self) -> bool {
        self.bytes.len() < ROOM_BYTES && std::mem::take(&mut self.was_refused)
    }

    /// Something is written that the reader has not taken.
    pub fn is_clogged(&self) -> bool {
        !self.bytes.is_empty()
    }
}
