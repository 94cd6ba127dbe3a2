//! What a reading thread sends.

use stream::Fault;

use crate::pipes::read_buffer::ReadBuffer;

/// A chunk of input, or why there is none.
pub(crate) enum Incoming<B = ReadBuffer> {
    /// The first so many of the buffer.
    Bytes(B, usize),
    End,
    Failed(Fault),
}
