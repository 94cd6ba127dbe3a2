//! Chunks of whole lines on their way to a pool, without a copy: the reading thread cuts its input behind the last newline, and
//! what it read becomes a batch as it is.

use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use memchr::{memchr_iter, memrchr};
use protocol::{Driver, Waits};
use stream::{Fault, is_mark};

use crate::pipes::incoming::Incoming;
use crate::pipes::input::{Input, Read};
use crate::pipes::sizes::CHANNEL_CHUNKS;
use crate::pool::Pool;

/// Reads standard input in a thread of its own, and ends each chunk with a newline, but for pieces of long lines and at
/// the end of the input. Buffers that were worked off go back to it.
pub fn spawn_line_reader(chunk_bytes: usize) -> (Receiver<Incoming<Vec<u8>>>, Sender<Vec<u8>>) {
    // What this thread waits for is not what the loop waits for.
    let mut input = Input::new(true, chunk_bytes, Waits::default());
    let (full, chunks) = bounded(CHANNEL_CHUNKS);
    let (spent, empty) = bounded::<Vec<u8>>(CHANNEL_CHUNKS + 2);
    // Not joined: it may sit in a read for ever, and the process ends without it.
    thread::spawn(move || {
        let mut cut = Cut::default();
        let mut buffer = Vec::new();
        loop {
            let chunk = input.chunk_bytes();
            let kept = cut.begin(&mut buffer, chunk);
            let read = input.read(&mut buffer[kept..], None);
            let (send, last) = match read {
                Ok(Read::Bytes(n)) => (cut.end(&buffer, kept, n, chunk), None),
                Ok(Read::TimedOut) => (cut.end(&buffer, kept, 0, chunk), None),
                Ok(Read::End) => (kept, Some(Incoming::End)),
                Err(fault) => (kept, Some(Incoming::Failed(fault))),
            };
            if send > 0 {
                let next = empty.try_recv().unwrap_or_default();
                if full.send(Incoming::Bytes(std::mem::replace(&mut buffer, next), send)).is_err() {
                    return;
                }
            }
            if let Some(last) = last {
                let _ = full.send(last);
                return;
            }
        }
    });
    (chunks, spent)
}

/// The begin of a line whose end has not been read.
#[derive(Default)]
struct Cut {
    rest: Vec<u8>,
}

impl Cut {
    /// Puts it in front of a buffer with room for a chunk behind it.
    fn begin(&mut self, buffer: &mut Vec<u8>, chunk: usize) -> usize {
        let kept = self.rest.len();
        buffer.resize(kept + chunk, 0);
        buffer[..kept].copy_from_slice(&self.rest);
        self.rest.clear();
        kept
    }

    /// How much of the buffer may go on, with so much read behind what was kept; the rest stays. A long line goes in pieces.
    fn end(&mut self, buffer: &[u8], kept: usize, read: usize, chunk: usize) -> usize {
        let filled = &buffer[..kept + read];
        let send = match memrchr(b'\n', &filled[kept..]) {
            Some(at) => kept + at + 1,
            None if filled.len() >= chunk => filled.len(),
            None => 0,
        };
        self.rest.extend_from_slice(&filled[send..]);
        send
    }
}

/// Where the lines end, if all are data lines; none where the protocol has something to do.
fn ends_of_data(bytes: &[u8], ends: &mut Vec<usize>) -> bool {
    ends.clear();
    let mut start = 0;
    for end in memchr_iter(b'\n', bytes) {
        // A line that begins with a space, or has nothing in it, may be a blank one.
        if bytes[start] <= b' ' || (bytes[start] == b'{' && is_mark(&bytes[start..end])) {
            return false;
        }
        ends.push(end);
        start = end + 1;
    }
    start == bytes.len() && start > 0
}

/// Takes the first bytes of a buffer as one chunk, as [`Driver::feed`] does, and gives a buffer back for others. Where
/// nothing but data lines is in it, they are not looked at one by one.
///
/// # Errors
/// What ends the run.
pub fn feed_buffer(driver: &mut Driver<Pool>, mut buffer: Vec<u8>, filled: usize) -> Result<Vec<u8>, Fault> {
    let mut ends = driver.stage.take_spare_ends();
    let whole = driver.stage.wants_chunk(filled)
        && driver.takes_whole_lines(filled)
        && ends_of_data(&buffer[..filled], &mut ends);
    if !whole {
        driver.feed(&buffer[..filled])?;
        return Ok(buffer);
    }
    buffer.truncate(filled);
    let place = driver.count_whole_lines(&ends, filled);
    let buffer = driver.stage.chunk(buffer, ends, place, &mut driver.out)?;
    driver.out.check()?;
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_are_the_input_and_end_with_newlines(text in "[a-c\n]{0,80}", reads in proptest::collection::vec(1_usize..20, 1..40), chunk in 1_usize..20) {
            let mut cut = Cut::default();
            let mut input = text.as_bytes();
            let mut all = Vec::new();
            let mut buffer = Vec::new();
            for read in reads {
                let kept = cut.begin(&mut buffer, chunk);
                let n = read.min(chunk).min(input.len());
                buffer[kept..kept + n].copy_from_slice(&input[..n]);
                input = &input[n..];
                let send = cut.end(&buffer, kept, n, chunk);
                let line_is_long = all.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len) + send >= chunk;
                prop_assert!(send == 0 || buffer[send - 1] == b'\n' || line_is_long);
                all.extend_from_slice(&buffer[..send]);
                prop_assert!(cut.rest.len() < chunk.max(1));
            }
            let kept = cut.begin(&mut buffer, chunk);
            all.extend_from_slice(&buffer[..kept]);
            prop_assert_eq!(&all[..], &text.as_bytes()[..text.len() - input.len()]);
        }
    }

    #[test]
    fn marks_and_blank_lines_are_not_for_the_pool() {
        let mut ends = Vec::new();
        assert!(ends_of_data(b"{\"a\":1}\n7\n{ \"$\":1}\n", &mut ends));
        assert_eq!(ends, [7, 9, 18]);
        for bytes in
            [&b"1\n\n2\n"[..], b"\n1\n", b"1\n  \n", b"1\n{\"$\":\"x\"}\n", b"{\"$\":\"x\"}\n1\n", b"1\n2", b""]
        {
            assert!(!ends_of_data(bytes, &mut ends), "{bytes:?}");
        }
    }
}
