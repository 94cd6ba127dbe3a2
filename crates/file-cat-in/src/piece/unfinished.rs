//! The last line of a file, as long as it has no newline: whether it is kept, waits, or is a line.
//!
//! It is a line once nobody will finish it: the file was renamed, compressed, deleted or cut, or is as the last run left
//! it. Somebody may do so all the same; then what comes up to the newline is no line of its own.

use std::io;
use std::path::Path;

use memchr::memchr;
use millpipe::{BLOCK_BYTES, Out};

use super::{Ending, Gave, Piece};
use crate::bookmark::Bookmark;
use crate::content::{Content, Got};
use crate::found::{FileId, Found, Stamp};
use crate::line_writer::{LineWriter, Origin};

/// An unfinished line up to this length is kept in positions: it is there when its file is deleted.
const LEFT_BYTES_MAX: usize = 64 * 1024;

impl Piece {
    /// The line that an earlier run left in a file that is not there any more.
    pub fn remnant(path: &Path, bookmark: Bookmark, left: Vec<u8>) -> Self {
        let found = Found {
            path: path.to_owned(),
            // No file has it.
            id: FileId { dev: 0, ino: 0 },
            stamp: Stamp { size: 0, changed_ns: 0 },
            created: None,
            is_regular: true,
        };
        let mut piece = Self::closed(&found, path, bookmark);
        (piece.is_copy, piece.is_torn, piece.has_departed, piece.at_end) = (true, true, true, false);
        piece.left = left;
        piece
    }

    /// It is no file, only what is left of one.
    pub fn is_remnant(&self) -> bool {
        self.is_copy && self.id == FileId { dev: 0, ino: 0 }
    }

    pub(super) fn give_remnant(&mut self, writer: &mut LineWriter, out: &mut Out) -> Gave {
        let left = std::mem::take(&mut self.left);
        self.buffer.fill(&left);
        self.give_torn(writer, out);
        (self.at_end, self.is_torn) = (true, false);
        Gave::Lines
    }

    /// The unfinished line of a file that was read to its end.
    pub fn unfinished(&self) -> &[u8] {
        let is_open_at_end = self.at_end && self.is_open() && self.buffer.data().len() <= LEFT_BYTES_MAX;
        if is_open_at_end { self.buffer.data() } else { &self.left }
    }

    /// Something is known of its content.
    pub fn is_begun(&self) -> bool {
        self.offset() > 0 || !self.unfinished().is_empty()
    }

    /// As an earlier run left the file: its line, and what the file was like if it has not changed since.
    pub fn leave(&mut self, left: Vec<u8>, as_left: Option<Stamp>) {
        (self.left, self.as_left) = (left, as_left);
    }

    /// Not changed since an earlier run left an unfinished line in it, and not looked at yet.
    pub fn as_left(&self) -> Option<Stamp> {
        self.as_left
    }

    pub(super) fn keep_left(&mut self) {
        let data = self.buffer.data();
        let is_whole_file = !self.content.as_ref().is_some_and(Content::is_within);
        let is_kept = self.is_torn && is_whole_file && data.len() <= LEFT_BYTES_MAX;
        self.left = if is_kept { data.to_vec() } else { Vec::new() };
        self.as_left = None;
    }

    pub(super) fn forget_left(&mut self) {
        self.left.clear();
        self.as_left = None;
    }

    /// Of a file of which no line was given the unfinished one alone tells whether it is the same. What is read for that
    /// stays in the buffer.
    pub(super) fn has_what_was_left(&mut self) -> io::Result<bool> {
        if self.offset() > 0 {
            return Ok(true);
        }
        let Some(content) = &mut self.content else { return Ok(true) };
        while self.buffer.data().len() < self.left.len() {
            match content.read(self.buffer.room())? {
                Got::Bytes(n) => self.buffer.filled(n),
                Got::End | Got::NotNow => break,
            }
        }
        Ok(self.buffer.data().starts_with(&self.left))
    }

    /// There is an unfinished line, not only blanks.
    pub fn waits(&self, writer: &LineWriter) -> bool {
        let data = self.buffer.data();
        !data.is_empty() && (self.is_skipping || self.took_unfinished || writer.is_line(data, self.offset()))
    }

    /// Whether nobody will finish the line that the file ends with.
    pub(super) fn is_final(&self, ending: Ending, writer: &LineWriter) -> bool {
        let Some(content) = &self.content else { return false };
        if content.is_compressed() {
            // A member or frame is written as a whole.
            return !content.is_within();
        }
        if ending == Ending::Wait {
            return false;
        }
        let line = self.buffer.data();
        let is_as_left = self.as_left.is_some() && self.as_left == self.stamp;
        self.path != self.named
            || (is_as_left && (self.took_unfinished || writer.is_whole(line)))
            || (self.has_newer && !self.took_unfinished && writer.is_closed(line))
    }

    /// It was renamed, and ends in a whole object, list or text: its newline alone can be missing.
    pub fn ends_closed(&self, writer: &LineWriter) -> bool {
        let is_at_end = self.has_departed && self.at_end && self.is_open();
        is_at_end && !self.took_unfinished && !self.is_skipping && writer.is_closed(self.buffer.data())
    }

    /// The file was cut: what it ended with is a line, if it can be one.
    pub fn give_if_whole(&mut self, writer: &mut LineWriter, out: &mut Out) {
        if self.at_end && !self.took_unfinished && writer.is_whole(self.buffer.data()) {
            self.give_torn(writer, out);
        }
    }

    /// What is left is a line: its newline will never come.
    pub fn give_torn(&mut self, writer: &mut LineWriter, out: &mut Out) {
        let file = self.named.to_string_lossy();
        let origin = Origin { file: &file, offset: self.offset() };
        let line = self.buffer.data();
        if self.took_unfinished {
            writer.rest_of_taken(line, origin, out);
        } else if !self.is_skipping && writer.is_line(line, origin.offset) {
            writer.line(line, origin, out);
            self.took_unfinished = true;
        }
        self.pass(self.buffer.data().len());
    }

    /// What comes up to the newline of a line that was taken without it. As long as that is not there, nothing happens.
    pub(super) fn pass_rest_of_taken(&mut self, writer: &mut LineWriter, out: &mut Out) {
        let file = self.named.to_string_lossy();
        let origin = Origin { file: &file, offset: self.offset() };
        let data = self.buffer.data();
        match memchr(b'\n', data) {
            Some(end) => {
                writer.rest_of_taken(&data[..end], origin, out);
                self.pass(end + 1);
            }
            None if data.len() > BLOCK_BYTES => {
                writer.rest_of_taken(data, origin, out);
                self.is_skipping = true;
            }
            None => return,
        }
        self.took_unfinished = false;
    }
}
