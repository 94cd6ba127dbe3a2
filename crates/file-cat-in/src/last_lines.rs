//! Where the last lines of a file begin.

use std::collections::VecDeque;
use std::io;

use memchr::{memchr_iter, memrchr_iter};

use crate::content::{Content, Got};

const CHUNK_BYTES: usize = 64 * 1024;

/// The offset of the last so many whole lines: for none, that behind the last newline. A plain file is read from its
/// end, a compressed one all.
///
/// # Errors
/// As [`Content::read`].
pub fn last_lines(content: &mut Content, lines: u64) -> io::Result<u64> {
    match content.plain_size()? {
        Some(size) => from_the_end(content, size, lines),
        None => from_the_start(content, lines),
    }
}

fn from_the_end(content: &Content, size: u64, lines: u64) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut end, mut newlines) = (size, 0);
    while end > 0 {
        let start = end.saturating_sub(CHUNK_BYTES as u64);
        let wanted = usize::try_from(end - start).unwrap_or(CHUNK_BYTES);
        let n = content.read_at(&mut chunk[..wanted], start)?;
        for newline in memrchr_iter(b'\n', &chunk[..n]) {
            if newlines == lines {
                return Ok(start + newline as u64 + 1);
            }
            newlines += 1;
        }
        end = start;
    }
    Ok(0)
}

fn from_the_start(content: &mut Content, lines: u64) -> io::Result<u64> {
    let kept = usize::try_from(lines).unwrap_or(usize::MAX).saturating_add(1);
    // Where lines begin, of the last ones.
    let mut starts = VecDeque::from([0]);
    let mut offset = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Got::Bytes(n) = content.read(&mut chunk)? {
        for newline in memchr_iter(b'\n', &chunk[..n]) {
            if starts.len() == kept {
                starts.pop_front();
            }
            starts.push_back(offset + newline as u64 + 1);
        }
        offset += n as u64;
    }
    Ok(starts.front().copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Limits;

    #[test]
    fn the_last_lines_are_whole_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let text = "a\nbb\nccc\ntorn";
        let long = format!("{}\n{}\n", "x".repeat(100_000), "y".repeat(200_000));
        let limits = Limits { window_bytes: 2 << 30 };
        for compressed in [false, true] {
            let write = |text: &str| {
                let bytes = text.as_bytes();
                std::fs::write(&path, if compressed { zstd::encode_all(bytes, 1).unwrap() } else { bytes.to_vec() })
            };
            let from = |lines| last_lines(&mut Content::open(&path, true, limits).unwrap(), lines).unwrap();
            write(text).unwrap();
            assert_eq!([from(0), from(1), from(2), from(3), from(9), from(u64::MAX)], [9, 5, 2, 0, 0, 0]);
            write(&long).unwrap();
            assert_eq!([from(0), from(1), from(2)], [300_002, 100_001, 0]);
            write("").unwrap();
            assert_eq!(from(3), 0);
        }
    }
}
