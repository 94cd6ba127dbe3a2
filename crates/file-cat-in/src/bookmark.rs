//! By which bytes a place in a file is known again: the first ones that were read, and the last ones.
//!
//! A device and a number tell a file, as long as it is there; but numbers are given to new files again, and a file can be
//! copied, compressed or truncated. The bytes are counted behind the decompression, so a compressed copy fits too.

use std::io;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::content::Content;

/// So many bytes are compared at either end, or as many as were read.
const KEPT_BYTES: usize = 256;

/// A place in a file that is being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    offset: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// The same, to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// How many bytes were given.
    pub offset: u64,
    /// XXH3 of the first 256 of them.
    head: String,
    /// XXH3 of the last 256 of them.
    tail: String,
}

/// Whether a bookmark is of this file.
pub enum Fit {
    /// It is, and the content is read up to there.
    Here(Box<Content>, Trace),
    /// The file is shorter, and so far it is the same.
    Shorter(Box<Content>),
    /// The file is so short that nothing tells.
    Short(Box<Content>),
    Other,
}

impl Trace {
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The last bytes in front of the offset.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// These were given.
    pub fn pass(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        let missing = KEPT_BYTES - self.head.len();
        self.head.extend_from_slice(&bytes[..missing.min(bytes.len())]);
        if bytes.len() >= KEPT_BYTES {
            self.tail.clear();
        } else {
            let surplus = (self.tail.len() + bytes.len()).saturating_sub(KEPT_BYTES);
            self.tail.drain(..surplus);
        }
        self.tail.extend_from_slice(&bytes[bytes.len() - bytes.len().min(KEPT_BYTES)..]);
    }

    pub fn bookmark(&self) -> Bookmark {
        Bookmark { offset: self.offset, head: hash(&self.head), tail: hash(&self.tail) }
    }
}

impl Bookmark {
    /// Reads a file from its start up to the bookmark, and compares.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub fn find_in(&self, mut content: Content) -> io::Result<Fit> {
        let mut trace = Trace::default();
        if !self.read_head(&mut content, &mut trace)? {
            return Ok(Fit::Short(Box::new(content)));
        }
        if self.offset > 0 && hash(&trace.head) != self.head {
            return Ok(Fit::Other);
        }
        if !read_on(&mut content, &mut trace, self.offset)? {
            return Ok(Fit::Shorter(Box::new(content)));
        }
        let is_same = self.offset == 0 || hash(&trace.tail) == self.tail;
        Ok(if is_same { Fit::Here(Box::new(content), trace) } else { Fit::Other })
    }

    fn read_head(&self, content: &mut Content, trace: &mut Trace) -> io::Result<bool> {
        let length = usize::try_from(self.offset).unwrap_or(usize::MAX).min(KEPT_BYTES);
        let mut head = vec![0; length];
        let n = content.read_full(&mut head)?;
        trace.pass(&head[..n]);
        Ok(n == length)
    }
}

/// Goes on to an offset; false when the file ends before it.
fn read_on(content: &mut Content, trace: &mut Trace, offset: u64) -> io::Result<bool> {
    let far = (offset - trace.offset).saturating_sub(KEPT_BYTES as u64);
    if !content.skip(far)? {
        return Ok(false);
    }
    trace.offset += far;
    let length = usize::try_from(offset - trace.offset).unwrap_or(usize::MAX);
    let mut tail = vec![0; length];
    let n = content.read_full(&mut tail)?;
    trace.pass(&tail[..n]);
    Ok(n == length)
}

/// The trace at an offset of a file that is read for the first time; none when the file is shorter.
///
/// # Errors
/// As [`Content::read`].
pub fn trace_at(content: &mut Content, offset: u64) -> io::Result<Option<Trace>> {
    let mut trace = Trace::default();
    let target = Bookmark { offset, ..Bookmark::default() };
    let is_there = target.read_head(content, &mut trace)? && read_on(content, &mut trace, offset)?;
    Ok(is_there.then_some(trace))
}

fn hash(bytes: &[u8]) -> String {
    format!("{:016x}", xxh3_64(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Limits;
    use proptest::prelude::*;
    use std::fs;
    use std::path::Path;

    fn trace(pieces: &[&[u8]]) -> Trace {
        let mut trace = Trace::default();
        pieces.iter().for_each(|piece| trace.pass(piece));
        trace
    }

    fn open(path: &Path) -> Content {
        Content::open(path, false, Limits { window_bytes: 2 << 30 }).unwrap()
    }

    proptest! {
        #[test]
        fn a_trace_does_not_depend_on_the_pieces(cuts in proptest::collection::vec(0usize..2000, 0..6), length in 0usize..2000) {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(length)).collect();
            cuts.extend([0, length]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(trace(&pieces), trace(&[&bytes]));
            // And is the same when it is read again from a file.
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("f");
            fs::write(&path, [&bytes[..], b"more"].concat()).unwrap();
            let bookmark = trace(&[&bytes]).bookmark();
            let Fit::Here(mut content, found) = bookmark.find_in(open(&path)).unwrap() else { panic!("not found") };
            prop_assert_eq!(found, trace(&[&bytes]));
            let mut rest = [0; 10];
            prop_assert_eq!(content.read_full(&mut rest).unwrap(), 4);
            prop_assert_eq!(&rest[..4], b"more");
        }
    }

    #[test]
    fn a_bookmark_fits_no_other_and_no_shorter_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let bytes: Vec<u8> = (0..1000).map(|n| (n % 251) as u8).collect();
        let bookmark = trace(&[&bytes]).bookmark();
        let fit = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut changed = bytes.clone();
            change(&mut changed);
            fs::write(&path, changed).unwrap();
            bookmark.find_in(open(&path)).unwrap()
        };
        assert!(matches!(fit(&|_| ()), Fit::Here(..)));
        assert!(matches!(fit(&|bytes| bytes.truncate(999)), Fit::Shorter(_)));
        assert!(matches!(fit(&|bytes| bytes.truncate(100)), Fit::Short(_)));
        assert!(matches!(fit(&|bytes| bytes[0] ^= 1), Fit::Other));
        assert!(matches!(fit(&|bytes| bytes[999] ^= 1), Fit::Other));
        assert!(matches!(fit(&|bytes| bytes[500] ^= 1), Fit::Here(..)), "the middle is not compared");
    }
}
