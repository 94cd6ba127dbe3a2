//! Bytes that were read and are not given yet.

/// What is read at once, when there is so much.
const READ_BYTES: usize = 128 * 1024;
/// A buffer that one giant line has made larger than this is not kept.
const KEPT_BYTES: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The first so many bytes are given.
    pub fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.bytes.len() > KEPT_BYTES {
                self.bytes = Vec::new();
            }
        }
    }

    /// Room to read into, behind the data; `filled` says how much was.
    pub fn room(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.bytes.len() < READ_BYTES {
            self.bytes.resize(READ_BYTES, 0);
        } else if self.end > self.bytes.len() / 2 {
            // Doubled, so that a line of any length is looked through a few times only.
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        &mut self.bytes[self.end..]
    }

    pub fn filled(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Keeps no more memory than its data needs: nothing is read for a while.
    pub fn shrink(&mut self) {
        self.bytes = self.data().to_vec();
        (self.start, self.end) = (0, self.bytes.len());
    }

    /// Takes these bytes for what was read.
    pub fn fill(&mut self, bytes: &[u8]) {
        *self = Self { bytes: bytes.to_vec(), start: 0, end: bytes.len() };
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
