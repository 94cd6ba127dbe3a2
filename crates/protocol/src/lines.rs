//! Cuts chunks of bytes into lines, whatever the chunks are.

use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter};
use stream::is_mark;

/// What the splitter finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A line without its newline.
    Line(&'a [u8]),
    /// A line above the limit: its first bytes. The rest is skipped, its length is in `Splitter::bytes`.
    TooLong(&'a [u8]),
}

/// Holds the unfinished line between two chunks: at most `line_bytes_max` bytes.
pub struct Splitter {
    carry: Vec<u8>,
    line_bytes_max: usize,
    /// Inside a line that is over the limit, up to its newline.
    skipping: bool,
}

/// How much of an over-long line is kept for the message.
const SHOWN_BYTES: usize = 80;

impl Splitter {
    pub fn new(line_bytes_max: usize) -> Self {
        Self { carry: Vec::new(), line_bytes_max, skipping: false }
    }

    /// Calls `each` with every line that ends in this chunk, and the number of bytes it took with its newline, until
    /// it says `Break`. Returns how much of the chunk was taken.
    ///
    /// # Errors
    /// The first error of `each` stops; the rest of the chunk is lost, as the run is over.
    pub fn feed<E>(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(Piece<'_>, usize) -> Result<ControlFlow<()>, E>,
    ) -> Result<usize, E> {
        let mut taken = 0;
        if !self.carry.is_empty() || self.skipping {
            let Some(end) = memchr(b'\n', chunk) else {
                let _ = self.keep(chunk, &mut each)?;
                return Ok(chunk.len());
            };
            let mut flow = self.keep(&chunk[..end], &mut each)?;
            let carry = std::mem::take(&mut self.carry);
            if !std::mem::take(&mut self.skipping) {
                flow = each(Piece::Line(&carry), carry.len() + 1)?;
            }
            self.reuse(carry);
            taken = end + 1;
            if flow.is_break() {
                return Ok(taken);
            }
        }
        while let Some(end) = memchr(b'\n', &chunk[taken..]) {
            let line = &chunk[taken..taken + end];
            taken += end + 1;
            let flow = if end <= self.line_bytes_max {
                each(Piece::Line(line), end + 1)?
            } else {
                each(Piece::TooLong(&line[..self.shown_bytes()]), end + 1)?
            };
            if flow.is_break() {
                return Ok(taken);
            }
        }
        if taken < chunk.len() {
            let _ = self.keep(&chunk[taken..], &mut each)?;
        }
        Ok(chunk.len())
    }

    /// The next byte begins a line.
    pub fn is_between_lines(&self) -> bool {
        self.carry.is_empty() && !self.skipping
    }

    /// The last line, when the input ended without a newline.
    pub fn torn(&mut self) -> Option<Vec<u8>> {
        if std::mem::take(&mut self.skipping) || self.carry.is_empty() {
            return None;
        }
        Some(std::mem::take(&mut self.carry))
    }

    fn keep<E>(
        &mut self,
        part: &[u8],
        each: &mut impl FnMut(Piece<'_>, usize) -> Result<ControlFlow<()>, E>,
    ) -> Result<ControlFlow<()>, E> {
        if self.skipping {
            return Ok(ControlFlow::Continue(()));
        }
        if self.carry.len() + part.len() <= self.line_bytes_max {
            self.carry.extend_from_slice(part);
            return Ok(ControlFlow::Continue(()));
        }
        self.carry.extend_from_slice(&part[..SHOWN_BYTES.min(part.len())]);
        let carry = std::mem::take(&mut self.carry);
        self.skipping = true;
        each(Piece::TooLong(&carry[..self.shown_bytes()]), carry.len())
    }

    /// A line over the limit has at least as many bytes, however it came.
    fn shown_bytes(&self) -> usize {
        SHOWN_BYTES.min(self.line_bytes_max)
    }

    /// Keeps the buffer for the next line, but not the memory of one giant line for ever.
    fn reuse(&mut self, mut carry: Vec<u8>) {
        if carry.capacity() <= 1024 * 1024 {
            carry.clear();
            self.carry = carry;
        }
    }
}

/// How many lines `chunk` begins with that are whole, data, not blank and within the limit, and how many bytes those are.
pub fn ordinary_lines(chunk: &[u8], line_bytes_max: usize) -> (u64, usize) {
    let (mut lines, mut taken) = (0, 0);
    for end in memchr_iter(b'\n', chunk) {
        let line = &chunk[taken..end];
        // One that begins with a blank is looked at as a whole elsewhere.
        if line.first().is_none_or(u8::is_ascii_whitespace) || is_mark(line) || line.len() > line_bytes_max {
            break;
        }
        lines += 1;
        taken = end + 1;
    }
    (lines, taken)
}

/// A line of which nothing is left when spaces are taken away.
#[inline]
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// The first line of a text without the mark that some editors begin a file with (U+FEFF in UTF-8), as jq takes it.
#[must_use]
pub fn without_byte_order_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// The lines of a block, without the newlines that each of them ends with.
pub fn lines_of(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(chunks: &[&[u8]], max: usize) -> (Vec<String>, Option<Vec<u8>>) {
        let mut splitter = Splitter::new(max);
        let mut lines = Vec::new();
        for chunk in chunks {
            let each = |piece: Piece<'_>, _| {
                lines.push(match piece {
                    Piece::Line(line) => String::from_utf8_lossy(line).into_owned(),
                    Piece::TooLong(shown) => format!("TOO LONG: {}", String::from_utf8_lossy(shown)),
                });
                Ok::<_, ()>(ControlFlow::Continue(()))
            };
            splitter.feed(chunk, each).unwrap();
        }
        (lines, splitter.torn())
    }

    #[test]
    fn a_last_line_without_newline_is_torn() {
        assert_eq!(split(&[b"a\nb"], 10), (vec!["a".to_owned()], Some(b"b".to_vec())));
        assert_eq!(split(&[b"a\n"], 10), (vec!["a".to_owned()], None));
    }

    #[test]
    fn a_line_over_the_limit_is_told_once_and_skipped() {
        let expected = (vec!["a".to_owned(), "TOO LONG: 0123456789".to_owned(), "b".to_owned()], None);
        assert_eq!(split(&[b"a\n0123456789X\nb\n"], 10), expected);
        assert_eq!(split(&[b"a\n01234", b"56789", b"X", b"more", b"\nb\n"], 10), expected);
    }

    #[test]
    fn ordinary_lines_end_before_whatever_needs_a_look() {
        for other in ["{\"$\":\"from\"}\n", "\n", " {}\n", "0123456789X\n", ""] {
            assert_eq!(ordinary_lines(format!("{{}}\n0123456789\n{other}torn").as_bytes(), 10), (2, 14), "{other}");
        }
    }

    #[test]
    fn a_break_leaves_the_rest_of_the_chunk() {
        let mut splitter = Splitter::new(3);
        let mut lines = Vec::new();
        for chunk in [&b"a\nb\nc"[..], b"d\n", b"toolong", b"x\ne\n", b"\nf"] {
            let mut rest = chunk;
            loop {
                let each = |piece: Piece<'_>, _| {
                    lines.push(match piece {
                        Piece::Line(line) => String::from_utf8_lossy(line).into_owned(),
                        Piece::TooLong(_) => "TOO LONG".to_owned(),
                    });
                    Ok::<_, ()>(ControlFlow::Break(()))
                };
                rest = &rest[splitter.feed(rest, each).unwrap()..];
                if rest.is_empty() {
                    break;
                }
            }
        }
        assert_eq!(lines, ["a", "b", "cd", "TOO LONG", "e", ""]);
        assert_eq!(splitter.torn(), Some(b"f".to_vec()));
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(text in "[a-c\n]{0,60}", cuts in proptest::collection::vec(0usize..60, 0..6)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(split(&chunks, 5), split(&[bytes], 5));
        }
    }
}
