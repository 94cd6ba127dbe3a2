//! Reading lines of a chunk before the stage takes them.

use std::any::Any;

use memchr::memchr_iter;
use stream::is_mark;

use crate::stage::Reader;

/// Reads the whole lines of a chunk. What stands before its first newline and behind its last may be a part of a line.
pub fn read_ahead(reader: &mut dyn Reader, chunk: &[u8]) -> Box<dyn Any + Send> {
    let mut newlines = memchr_iter(b'\n', chunk);
    let mut start = newlines.next().map_or(chunk.len(), |end| end + 1);
    for end in newlines {
        let line = &chunk[start..end];
        if !is_mark(line) {
            reader.line(line);
        }
        start = end + 1;
    }
    reader.take()
}
