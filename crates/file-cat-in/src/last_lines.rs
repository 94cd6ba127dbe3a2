//! Where the last lines of a file begin.

use std::collections::VecDeque;
use std::io;

use memchr::{memchr_iter, memrchr};

use crate::content::{Content, Got};

const CHUNK_BYTES: usize = 64 * 1024;

/// What is counted as a line.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// A blank line is one too.
    pub blank: bool,
}

/// Finds the offset of the last so many lines, the unfinished one at the end among them: for none, that behind the last
/// newline. A plain file is read from its end, a compressed one all.
///
/// # Errors
/// As [`Content::read`].
pub fn last_lines(content: &mut Content, lines: u64, counted: Counted) -> io::Result<u64> {
    match content.plain_size()? {
        Some(size) => from_the_end(content, size, lines, counted),
        None => from_the_start(content, lines, counted),
    }
}

/// A line of which some bytes were seen.
#[derive(Default)]
struct Seen {
    has_bytes: bool,
    has_text: bool,
    /// It ends with a newline.
    is_finished: bool,
}

impl Seen {
    fn take(&mut self, bytes: &[u8]) {
        self.has_bytes |= !bytes.is_empty();
        self.has_text = self.has_text || bytes.iter().any(|byte| !byte.is_ascii_whitespace());
    }

    fn counts(&self, counted: Counted) -> bool {
        self.has_text || counted.blank && (self.has_bytes || self.is_finished)
    }
}

fn from_the_end(content: &Content, size: u64, lines: u64, counted: Counted) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut end, mut found, mut line) = (size, 0, Seen::default());
    while end > 0 {
        let start = end.saturating_sub(CHUNK_BYTES as u64);
        let wanted = usize::try_from(end - start).unwrap_or(CHUNK_BYTES);
        let mut behind = content.read_at(&mut chunk[..wanted], start)?;
        while let Some(newline) = memrchr(b'\n', &chunk[..behind]) {
            line.take(&chunk[newline + 1..behind]);
            found += u64::from(line.counts(counted));
            if found >= lines {
                return Ok(start + newline as u64 + 1);
            }
            line = Seen { is_finished: true, ..Seen::default() };
            behind = newline;
        }
        line.take(&chunk[..behind]);
        end = start;
    }
    Ok(0)
}

fn from_the_start(content: &mut Content, lines: u64, counted: Counted) -> io::Result<u64> {
    let kept = usize::try_from(lines).unwrap_or(usize::MAX);
    // Where lines begin, of the last ones.
    let mut starts = VecDeque::new();
    let (mut offset, mut start, mut line) = (0, 0, Seen::default());
    let mut keep = |line: &Seen, start: u64| {
        if line.counts(counted) {
            starts.push_back(start);
            if starts.len() > kept {
                starts.pop_front();
            }
        }
        starts.front().copied()
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Got::Bytes(n) = content.read(&mut chunk)? {
        let mut taken = 0;
        for newline in memchr_iter(b'\n', &chunk[..n]) {
            line.take(&chunk[taken..newline]);
            line.is_finished = true;
            keep(&line, start);
            taken = newline + 1;
            (start, line) = (offset + taken as u64, Seen::default());
        }
        line.take(&chunk[taken..n]);
        offset += n as u64;
    }
    let first = keep(&line, start);
    Ok(if lines == 0 { start } else { first.unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Limits;

    #[test]
    fn the_unfinished_line_at_the_end_is_one_of_the_last_and_a_blank_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let long = format!("{}\n{}\n", "x".repeat(100_000), "y".repeat(200_000));
        let gap = format!("a\n{}\nb{}", " ".repeat(100_000), "\n".repeat(70_000));
        let limits = Limits { window_bytes: 2 << 30 };
        for compressed in [false, true] {
            let write = |text: &str| {
                let bytes = text.as_bytes();
                std::fs::write(&path, if compressed { zstd::encode_all(bytes, 1).unwrap() } else { bytes.to_vec() })
            };
            let count = |lines, blank| {
                last_lines(&mut Content::open(&path, true, limits).unwrap(), lines, Counted { blank }).unwrap()
            };
            let from = |lines| count(lines, false);
            write("a\nbb\nccc\ntorn").unwrap();
            assert_eq!([from(0), from(1), from(2), from(3), from(4), from(9), from(u64::MAX)], [9, 9, 5, 2, 0, 0, 0]);
            write("a\n\nbb\n \r\n\n  ").unwrap();
            assert_eq!([from(0), from(1), from(2)], [10, 3, 0]);
            assert_eq!([count(0, true), count(1, true), count(2, true), count(3, true)], [10, 10, 9, 6]);
            write("a\n\n").unwrap();
            assert_eq!([from(1), count(1, true), count(2, true)], [0, 2, 0]);
            write(&long).unwrap();
            assert_eq!([from(0), from(1), from(2)], [300_002, 100_001, 0]);
            write(&gap).unwrap();
            assert_eq!([from(0), from(1), from(2)], [gap.len() as u64, 100_003, 0]);
            write("").unwrap();
            assert_eq!(from(3), 0);
        }
    }
}
