//! The lines of one file from a place on: whole ones, those that are too long, and the last one without its newline.
//!
//! That one is a line once nobody will finish it: the file was renamed, compressed, deleted or cut, or is as the last run
//! left it. Somebody may do so all the same; then what comes up to the newline is no line of its own.

use std::io;

use memchr::memchr;
use millpipe::{BLOCK_BYTES, Out};

use crate::bookmark::{Bookmark, Trace};
use crate::content::{Change, Content, Got};
use crate::file_cursor::FileCursor;
use crate::found::Stamp;
use crate::line_writer::{LineWriter, Origin, Taken};
use crate::unfinished_line::{LeftLine, LineState};

/// Result of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gave {
    Lines,
    /// A pipe has nothing now.
    NotNow,
    /// It is read to its end as it is now.
    End,
}

/// Says what happens to a file at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// More may come.
    Wait,
    /// It is finished for this run; an unfinished line is left for the next one, unless nobody will finish it.
    Leave,
    /// It is finished: a last line without newline is a line.
    Take,
}

#[derive(Default)]
pub struct FileLines {
    cursor: FileCursor,
    line: LineState,
    left: LeftLine,
    /// It was closed with an unfinished line after the place.
    is_torn: bool,
    /// Nothing more is there now.
    at_end: bool,
    /// It was opened a while ago, and may have been truncated and written anew since.
    is_unsure: bool,
    /// State of the file when it was closed, read to its end.
    closed_as: Option<Stamp>,
    /// When it was last seen to grow.
    grown_at_ms: i64,
}

impl FileLines {
    /// The rest of an open file.
    pub fn at(content: Content, trace: Trace, line: LineState) -> Self {
        Self { cursor: FileCursor::at(content, trace), line, ..Self::default() }
    }

    /// Those of a file of which nothing is to be read unless it changes.
    pub fn closed(bookmark: Bookmark, closed_as: Stamp) -> Self {
        let cursor = FileCursor::at_bookmark(bookmark);
        Self { cursor, at_end: true, closed_as: Some(closed_as), ..Self::default() }
    }

    /// The same, with the line that an earlier run left.
    pub fn restored(bookmark: Bookmark, closed_as: Stamp, line: LineState, is_torn: bool, left: Vec<u8>) -> Self {
        Self { line, is_torn, left: LeftLine::new(left), ..Self::closed(bookmark, closed_as) }
    }

    /// No more than the line that an earlier run left: its file is gone.
    pub fn remnant(bookmark: Bookmark, closed_as: Stamp, line: LineState, left: Vec<u8>) -> Self {
        Self { at_end: false, ..Self::restored(bookmark, closed_as, line, true, left) }
    }

    /// Place in the file, and what is known of the open file.
    pub fn cursor(&self) -> &FileCursor {
        &self.cursor
    }

    pub fn line_state(&self) -> LineState {
        self.line
    }

    /// True if the file was closed with an unfinished line after the place.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// True if nothing more is there now.
    pub fn at_end(&self) -> bool {
        self.at_end
    }

    /// True if the file was opened a while ago, and may have been truncated and written anew since.
    pub fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    /// True if the file is to be looked at, not read.
    pub fn rests(&self) -> bool {
        self.at_end || self.is_unsure
    }

    /// State of the file when it was closed, read to its end.
    pub fn closed_as(&self) -> Option<Stamp> {
        self.closed_as
    }

    /// State of the file if it has not changed since an earlier run left an unfinished line in it, and was not looked at
    /// yet.
    pub fn as_left(&self) -> Option<Stamp> {
        self.left.as_left()
    }

    /// Time when the file was last seen to grow.
    pub fn grown_at_ms(&self) -> i64 {
        self.grown_at_ms
    }

    /// The unfinished line of a file that was read to its end.
    pub fn unfinished(&self) -> &[u8] {
        let data = self.cursor.data();
        if self.at_end && self.cursor.is_open() && LeftLine::can_be(data) { data } else { self.left.bytes() }
    }

    /// True if something is known of the content.
    pub fn is_begun(&self) -> bool {
        self.cursor.offset() > 0 || !self.unfinished().is_empty()
    }

    /// Reads on from where `content` is.
    pub fn start_at(&mut self, content: Content, trace: Trace) {
        self.cursor.start_at(content, trace);
        self.at_end = false;
        self.is_torn = false;
        self.closed_as = None;
    }

    /// Takes note that an earlier run left the file that was just opened; `as_left` if it has not changed since.
    pub fn note_reopened(&mut self, is_unsure: bool, as_left: Option<Stamp>) {
        self.is_unsure = is_unsure;
        self.left.set_as_left(as_left);
    }

    /// Begins anew at the start of a file that has new content.
    pub fn restart(&mut self) {
        self.cursor.restart();
        self.line = LineState::default();
        self.left.forget();
        self.at_end = false;
        self.closed_as = None;
    }

    /// Takes a change of a closed file for one that gives nothing to read.
    pub fn stays_closed_as(&mut self, stamp: Stamp) {
        self.closed_as = Some(stamp);
    }

    /// True if the open file has the line that was left. Where no line was given that line alone tells whether it is the
    /// same file.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub fn has_what_was_left(&mut self) -> io::Result<bool> {
        if self.cursor.offset() > 0 {
            return Ok(true);
        }
        self.cursor.goes_on_with(self.left.bytes())
    }

    /// Writes lines: as many as fit into 64 KiB, one at least.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub fn give(&mut self, file: &str, writer: &mut LineWriter, out: &mut Out) -> io::Result<Gave> {
        let mut given = 0;
        loop {
            if self.line.took_unfinished {
                self.pass_rest_of_taken(file, writer, out);
            }
            if self.line.took_unfinished {
                // The newline of what was taken has not come.
            } else if given == 0 && (self.line.is_skipping || self.is_too_long(writer)) {
                self.report_too_long(file, writer, out);
                if self.skip() {
                    return Ok(Gave::Lines);
                }
            } else {
                let taken = self.give_buffered(file, writer, BLOCK_BYTES - given, given == 0, out);
                given += taken.bytes;
                let is_enough = given > 0 && self.cursor.data().len() >= BLOCK_BYTES.saturating_sub(given);
                if taken.is_full || is_enough {
                    return Ok(Gave::Lines);
                }
            }
            match self.cursor.read()? {
                Got::Bytes(_) => {}
                Got::NotNow => return Ok(if given > 0 { Gave::Lines } else { Gave::NotNow }),
                Got::End => return Ok(if given > 0 { Gave::Lines } else { Gave::End }),
            }
        }
    }

    fn origin<'a>(&self, file: &'a str) -> Origin<'a> {
        Origin { file, offset: self.cursor.offset() }
    }

    fn give_buffered(&mut self, file: &str, writer: &mut LineWriter, room: usize, first: bool, out: &mut Out) -> Taken {
        let taken = writer.give(self.cursor.data(), room, first, self.origin(file), out);
        self.pass(taken.bytes);
        taken
    }

    /// Moves the place after bytes that have had their effect.
    fn pass(&mut self, bytes: usize) {
        self.cursor.pass(bytes);
        if bytes > 0 {
            self.left.forget();
        }
    }

    /// True if the next line is longer than a line may be, and than a turn: it is not waited for.
    fn is_too_long(&self, writer: &LineWriter) -> bool {
        let data = self.cursor.data();
        let length_max = writer.line_bytes_max().max(BLOCK_BYTES);
        data.len() > length_max && memchr(b'\n', data).is_none_or(|end| end > length_max)
    }

    fn report_too_long(&mut self, file: &str, writer: &mut LineWriter, out: &mut Out) {
        if !std::mem::replace(&mut self.line.is_skipping, true) {
            writer.too_long(self.cursor.data(), self.origin(file), out);
        }
    }

    /// Leaves out a turn of a line that is too long; false when there is less than that yet.
    fn skip(&mut self) -> bool {
        let data = self.cursor.data();
        let turn = &data[..data.len().min(BLOCK_BYTES)];
        let end = memchr(b'\n', turn);
        if end.is_none() && turn.len() < BLOCK_BYTES {
            return false;
        }
        self.line.is_skipping = end.is_none();
        self.pass(end.map_or(BLOCK_BYTES, |end| end + 1));
        true
    }

    /// Takes note that all that is there now was read.
    pub fn reach_end(&mut self, now_ms: i64) {
        self.at_end = true;
        self.grown_at_ms = now_ms;
    }

    /// Keeps no more memory than needed, as nothing is read for a while.
    pub fn shrink(&mut self) {
        self.cursor.shrink();
    }

    /// Closes a file that was read to its end. It is opened again when it changes.
    pub fn close(&mut self, writer: &LineWriter) {
        self.is_torn = self.cursor.is_within() || self.waits(writer);
        let data = self.cursor.data();
        let is_kept = self.is_torn && !self.cursor.is_within() && LeftLine::can_be(data);
        self.left = LeftLine::new(if is_kept { data.to_vec() } else { Vec::new() });
        self.closed_as = self.cursor.close();
    }

    /// True if there is an unfinished line, not only blanks.
    pub fn waits(&self, writer: &LineWriter) -> bool {
        let data = self.cursor.data();
        let is_begun = self.line.is_skipping || self.line.took_unfinished;
        !data.is_empty() && (is_begun || writer.is_line(data, self.cursor.offset()))
    }

    /// True if the file is open and was read to its end, where an unfinished line waits.
    pub fn waits_open(&self, writer: &LineWriter) -> bool {
        self.at_end && self.cursor.is_open() && self.waits(writer)
    }

    /// True if nobody will finish the line that an open file ends with: what is known of the file says so (`is_renamed`,
    /// `has_newer`), or the line itself.
    pub fn is_final(&self, ending: Ending, is_renamed: bool, has_newer: bool, writer: &LineWriter) -> bool {
        if self.cursor.is_compressed() {
            // A member or frame is written as a whole.
            return !self.cursor.is_within();
        }
        if ending == Ending::Wait || !self.cursor.is_open() {
            return false;
        }
        let (line, took_unfinished) = (self.cursor.data(), self.line.took_unfinished);
        let is_as_left = self.as_left().is_some() && self.as_left() == self.cursor.last_stamp();
        is_renamed
            || (is_as_left && (took_unfinished || writer.is_whole(line)))
            || (has_newer && !took_unfinished && writer.is_closed(line))
    }

    /// True if the file ends in a whole object, list or text: its newline alone can be missing.
    pub fn ends_closed(&self, writer: &LineWriter) -> bool {
        let is_free = !self.line.took_unfinished && !self.line.is_skipping;
        self.at_end && self.cursor.is_open() && is_free && writer.is_closed(self.cursor.data())
    }

    /// Writes what the file ended with before it was cut, if that can be a line.
    pub fn give_if_whole(&mut self, file: &str, writer: &mut LineWriter, out: &mut Out) {
        if self.at_end && !self.line.took_unfinished && writer.is_whole(self.cursor.data()) {
            self.give_torn(file, writer, out);
        }
    }

    /// Writes what is left as a line: its newline will never come.
    pub fn give_torn(&mut self, file: &str, writer: &mut LineWriter, out: &mut Out) {
        let (line, origin) = (self.cursor.data(), self.origin(file));
        if self.line.took_unfinished {
            writer.rest_of_taken(line, origin, out);
        } else if !self.line.is_skipping && writer.is_line(line, origin.offset) {
            writer.line(line, origin, out);
            self.line.took_unfinished = true;
        }
        self.pass(self.cursor.data().len());
    }

    /// Writes the line that an earlier run left.
    pub fn give_remnant(&mut self, file: &str, writer: &mut LineWriter, out: &mut Out) {
        self.cursor.fill(self.left.bytes());
        self.left.forget();
        self.give_torn(file, writer, out);
        (self.at_end, self.is_torn) = (true, false);
    }

    /// Passes what comes up to the newline of a line that was taken without it. As long as that is not there, nothing
    /// happens.
    fn pass_rest_of_taken(&mut self, file: &str, writer: &mut LineWriter, out: &mut Out) {
        let (data, origin) = (self.cursor.data(), self.origin(file));
        match memchr(b'\n', data) {
            Some(end) => {
                writer.rest_of_taken(&data[..end], origin, out);
                self.pass(end + 1);
            }
            None if data.len() > BLOCK_BYTES => {
                writer.rest_of_taken(data, origin, out);
                self.line.is_skipping = true;
            }
            None => return,
        }
        self.line.took_unfinished = false;
    }

    /// Says whether an open file that is not being read has changed.
    ///
    /// # Errors
    /// The system's.
    pub fn look(&mut self, now_ms: i64) -> io::Result<Change> {
        let change = self.cursor.look()?;
        if self.cursor.is_open() {
            self.is_unsure = false;
        }
        if change == Change::Grown {
            self.at_end = false;
            self.grown_at_ms = now_ms;
        }
        Ok(change)
    }

    /// States of a file of which nothing was read when it was last seen to be empty, and now, if something has happened
    /// to it since.
    ///
    /// # Errors
    /// The system's.
    pub fn changed_while_empty(&self) -> io::Result<Option<(Stamp, Stamp)>> {
        if self.at_end { self.cursor.changed_while_empty() } else { Ok(None) }
    }

    /// Takes note that the file was looked at, and was empty.
    pub fn seen_empty(&mut self, stamp: Stamp) {
        self.cursor.seen_empty(stamp);
    }

    /// Time of the last change, as far as it is known here.
    ///
    /// # Errors
    /// The system's.
    pub fn changed_ns(&self) -> io::Result<Option<i64>> {
        Ok(self.cursor.changed_ns()?.or(self.closed_as.map(|stamp| stamp.changed_ns)))
    }
}
