//! The line at a place in a file, as long as it is not whole.

use crate::found::Stamp;

/// A line up to this length is kept in positions: it is there when its file is deleted.
const LEFT_BYTES_MAX: usize = 64 * 1024;

/// State of the line at a place: part of it may have had its effect already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineState {
    /// In the middle of a line that is too long, and was reported.
    pub is_skipping: bool,
    /// The bytes before the place are a line that was taken without its newline.
    pub took_unfinished: bool,
}

/// The unfinished line that a closed file ends with, or that an earlier run left.
#[derive(Debug, Default)]
pub struct LeftLine {
    bytes: Vec<u8>,
    as_left: Option<Stamp>,
}

impl LeftLine {
    /// A line that an earlier run left.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, as_left: None }
    }

    /// False if the line is too long to be kept.
    pub fn can_be(line: &[u8]) -> bool {
        line.len() <= LEFT_BYTES_MAX
    }

    /// Nothing where nothing was left, or more than is kept.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// State of the file when an earlier run left the line, if it was the same when it was opened again, and nothing was
    /// given since.
    pub fn as_left(&self) -> Option<Stamp> {
        self.as_left
    }

    /// Takes note that the file is as an earlier run left it, if there is a stamp.
    pub fn set_as_left(&mut self, stamp: Option<Stamp>) {
        self.as_left = stamp;
    }

    pub fn forget(&mut self) {
        self.bytes.clear();
        self.as_left = None;
    }
}
