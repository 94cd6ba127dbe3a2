//! A place in one file: the bytes before it are given, those that were read after it wait in a buffer.

use std::io;

use crate::bookmark::{Bookmark, Trace};
use crate::buffer::Buffer;
use crate::content::{Change, Content, Got};
use crate::found::Stamp;

#[derive(Default)]
pub struct FileCursor {
    /// None before it is opened, and when it is not watched for a while.
    content: Option<Content>,
    place: Place,
    buffer: Buffer,
    /// State of the file before the last read, which gave nothing.
    stamp: Option<Stamp>,
}

#[derive(Clone, Debug)]
enum Place {
    /// In an open file, or one that was open in this run.
    Traced(Trace),
    /// As an earlier run left it.
    Known(Bookmark),
}

impl Default for Place {
    fn default() -> Self {
        Self::Traced(Trace::default())
    }
}

impl FileCursor {
    /// A place in an open file, up to which `content` was read.
    pub fn at(content: Content, trace: Trace) -> Self {
        Self { content: Some(content), place: Place::Traced(trace), ..Self::default() }
    }

    /// A place in a file that is not open.
    pub fn at_bookmark(bookmark: Bookmark) -> Self {
        Self { place: Place::Known(bookmark), ..Self::default() }
    }

    pub fn offset(&self) -> u64 {
        match &self.place {
            Place::Traced(trace) => trace.offset(),
            Place::Known(bookmark) => bookmark.offset,
        }
    }

    pub fn bookmark(&self) -> Bookmark {
        match &self.place {
            Place::Traced(trace) => trace.bookmark(),
            Place::Known(bookmark) => bookmark.clone(),
        }
    }

    /// Bytes that were read and are not given yet.
    pub fn data(&self) -> &[u8] {
        self.buffer.data()
    }

    pub fn is_open(&self) -> bool {
        self.content.is_some()
    }

    /// True for an open pipe, terminal or the like.
    pub fn is_stream(&self) -> bool {
        self.content.as_ref().is_some_and(Content::is_stream)
    }

    pub fn is_compressed(&self) -> bool {
        self.content.as_ref().is_some_and(Content::is_compressed)
    }

    /// True in the middle of compressed data: a file that ends here is not whole.
    pub fn is_within(&self) -> bool {
        self.content.as_ref().is_some_and(Content::is_within)
    }

    /// State of the file before the last read, which gave nothing.
    pub fn last_stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// Reads on from where `content` is.
    pub fn start_at(&mut self, content: Content, trace: Trace) {
        self.content = Some(content);
        self.place = Place::Traced(trace);
        self.buffer.clear();
    }

    /// Goes to the start of a file that has new content.
    pub fn restart(&mut self) {
        if let Some(content) = &mut self.content {
            content.restart();
        }
        self.place = Place::default();
        self.buffer.clear();
    }

    /// Closes the file, and returns its state before the last read.
    pub fn close(&mut self) -> Option<Stamp> {
        self.content = None;
        self.buffer.clear();
        self.stamp.take()
    }

    /// Reads more bytes after those that wait.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub fn read(&mut self) -> io::Result<Got> {
        let Some(content) = &mut self.content else { return Ok(Got::End) };
        let mut got = content.read(self.buffer.room())?;
        if got == Got::End && !content.is_stream() {
            // What comes from here on changes the stamp.
            self.stamp = Some(content.stamp()?);
            got = content.read(self.buffer.room())?;
        }
        if let Got::Bytes(n) = got {
            self.buffer.filled(n);
        }
        Ok(got)
    }

    /// True if the bytes after the place begin so. What is read for that waits.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub fn goes_on_with(&mut self, start: &[u8]) -> io::Result<bool> {
        let Some(content) = &mut self.content else { return Ok(true) };
        while self.buffer.data().len() < start.len() {
            match content.read(self.buffer.room())? {
                Got::Bytes(n) => self.buffer.filled(n),
                Got::End | Got::NotNow => break,
            }
        }
        Ok(self.buffer.data().starts_with(start))
    }

    /// Moves the place after the first `bytes` of those that wait.
    pub fn pass(&mut self, bytes: usize) {
        if let Place::Traced(trace) = &mut self.place {
            trace.pass(&self.buffer.data()[..bytes]);
        }
        self.buffer.consume(bytes);
    }

    /// Takes these bytes for what was read.
    pub fn fill(&mut self, bytes: &[u8]) {
        self.buffer.fill(bytes);
    }

    /// Keeps no more memory than what waits needs.
    pub fn shrink(&mut self) {
        self.buffer.shrink();
    }

    /// Says what has happened to an open file since it was read to its end.
    ///
    /// # Errors
    /// The system's.
    pub fn look(&mut self) -> io::Result<Change> {
        let (Some(content), Place::Traced(trace)) = (&mut self.content, &self.place) else { return Ok(Change::None) };
        content.look(trace.tail(), trace.offset(), self.buffer.data())
    }

    /// States of a file when it was last seen to be empty, and now, if something has happened to it since.
    ///
    /// # Errors
    /// The system's.
    pub fn changed_while_empty(&self) -> io::Result<Option<(Stamp, Stamp)>> {
        let (Some(content), Some(before)) = (&self.content, self.stamp) else { return Ok(None) };
        if before.size > 0 || self.offset() > 0 {
            return Ok(None);
        }
        let now = content.stamp()?;
        Ok((now != before).then_some((before, now)))
    }

    /// Takes note that the file was looked at, and was empty.
    pub fn seen_empty(&mut self, stamp: Stamp) {
        self.stamp = Some(stamp);
    }

    /// Waits until a pipe has something.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, wait_ms: u64) -> io::Result<bool> {
        self.content.as_ref().map_or(Ok(true), |content| content.wait(wait_ms))
    }

    /// True when it can never be read on: the file has no name any more, or is closed.
    ///
    /// # Errors
    /// The system's.
    pub fn is_unreachable(&self) -> io::Result<bool> {
        self.content.as_ref().map_or(Ok(true), Content::is_deleted)
    }

    /// Time of the last change of an open file.
    ///
    /// # Errors
    /// The system's.
    pub fn changed_ns(&self) -> io::Result<Option<i64>> {
        self.content.as_ref().map(|content| Ok(content.stamp()?.changed_ns)).transpose()
    }
}
