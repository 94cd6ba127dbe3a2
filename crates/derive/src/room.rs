//! How much may be kept.

use values::KeyText;

/// Bytes of a value of a window, with what its digests and its order take.
pub const ENTRY_BYTES: usize = 48;

/// What is kept of the values of all keys, and how many a function may keep of one.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub lines_max: usize,
    pub bytes: usize,
}

/// More lines of a key than may be kept.
#[derive(Clone, Copy, Debug)]
pub struct TooManyLines;

/// What a kept value takes.
pub trait Kept {
    fn bytes(&self) -> usize;
}

impl Kept for values::Number {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Kept for f64 {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Kept for KeyText {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.heap_bytes()
    }
}
