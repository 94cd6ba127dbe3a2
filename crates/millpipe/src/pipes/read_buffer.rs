//! Memory for the kernel to copy input into.

use std::ops::{Deref, DerefMut};

/// Where a copy may begin: a line of the cache.
const ALIGNMENT: usize = 64;

/// Bytes that begin at a line of the cache.
///
/// Linux copies with `rep movsb` where the processor is said to be good at it. On AMD's Zen 3 such a copy of a page takes three to five
/// times as long when its destination begins 1 to 31 bytes behind the begin of a page; and malloc puts what is large 16 bytes
/// behind one.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
}

impl ReadBuffer {
    pub fn new(len: usize) -> Self {
        let mut bytes = vec![0; len + ALIGNMENT - 1];
        // A machine that cannot tell would be as right with any.
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT - 1);
        bytes.truncate(start + len);
        Self { bytes, start }
    }

    /// Makes room for reads of so many bytes; what was in it is lost.
    pub fn grow(&mut self, len: usize) {
        if self.len() < len {
            *self = Self::new(len);
        }
    }
}

impl Deref for ReadBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl DerefMut for ReadBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_any_length_begins_at_a_line_of_the_cache() {
        let mut kept = Vec::new();
        for len in [0, 1, 63, 64, 65, 4096, 65_536, 131_072, 1 << 20] {
            let mut buffer = ReadBuffer::new(len);
            assert_eq!((buffer.len(), buffer.as_ptr().addr() % ALIGNMENT), (len, 0));
            buffer.fill(7);
            buffer.grow(len);
            assert!(buffer.iter().all(|byte| *byte == 7), "grown where there was room");
            buffer.grow(len + 1);
            assert_eq!((buffer.len(), buffer.as_ptr().addr() % ALIGNMENT), (len + 1, 0));
            kept.push(buffer);
        }
    }
}
