//! One file of a partition: where we are in it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memchr::memchr;
use millpipe::{BLOCK_BYTES, Error, Fault, Out};

use crate::bookmark::{Bookmark, Fit, Trace};
use crate::buffer::Buffer;
use crate::content::{Change, Content, Got, Limits};
use crate::failure;
use crate::found::{FileId, Found, Stamp};
use crate::line_writer::{LineWriter, Origin};
use crate::rotation;

mod unfinished;

/// A renamed or deleted file may be written to for a while.
pub const QUIET_MS: i64 = 10_000;

/// What one turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gave {
    Lines,
    /// A pipe has nothing now.
    NotNow,
    /// It is read to its end as it is now.
    End,
}

/// What came of opening a file where it was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    Here,
    /// There is another file now, or none.
    Gone,
    /// It has not the content any more that was read.
    Replaced,
}

/// What becomes of a file at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// More may come.
    Wait,
    /// It is finished for this run; an unfinished line is left for the next one, unless nobody will finish it.
    Leave,
    /// It is finished: a last line without newline is a line.
    Take,
}

pub struct Piece {
    /// The path by which it was found first.
    pub named: PathBuf,
    /// Where it was seen last.
    pub path: PathBuf,
    pub id: FileId,
    /// Time of its last change when it was found.
    pub found_changed_ns: i64,
    /// Its content was changed then (nanoseconds of the epoch), or later: of a copy, that of which it is one.
    pub written_ns: Option<i64>,
    /// When its content was begun, as far as that is known.
    pub begun: Option<SystemTime>,
    /// When the file was made.
    pub born_ns: Option<i64>,
    /// The same; none for a copy of what was read before.
    pub created: Option<SystemTime>,
    /// None before it is opened, and when it is not watched for a while.
    content: Option<Content>,
    place: Place,
    buffer: Buffer,
    /// In the middle of a line that is too long, and was told.
    pub is_skipping: bool,
    /// Nothing more is there now.
    pub at_end: bool,
    /// It was opened a while ago, and may have been truncated and written anew since.
    pub is_unsure: bool,
    /// It was closed with an unfinished line after our place.
    pub is_torn: bool,
    /// That line, if it is not too long to be kept.
    left: Vec<u8>,
    /// What the file was like when an earlier run left that line.
    as_left: Option<Stamp>,
    /// What stands before our place is a line that was taken without its newline.
    pub took_unfinished: bool,
    /// Its argument means a file that was written to later.
    pub has_newer: bool,
    /// What it was like when it was closed, read to its end.
    pub closed_as: Option<Stamp>,
    /// What it was like before the last read, which gave nothing.
    stamp: Option<Stamp>,
    /// The same content is read elsewhere.
    pub is_copy: bool,
    /// No argument means it any more: it was renamed or deleted.
    pub has_departed: bool,
    /// When it was last seen to grow.
    pub grown_at_ms: i64,
}

/// Where we are in a file.
#[derive(Clone, Debug)]
enum Place {
    /// In an open file, or one that was open in this run.
    Traced(Trace),
    /// As an earlier run left it.
    Known(Bookmark),
}

impl Piece {
    /// A file that is to be read from its start.
    pub fn new(found: &Found, named: &Path) -> Self {
        Self {
            named: named.to_owned(),
            path: found.path.clone(),
            id: found.id,
            found_changed_ns: found.stamp.changed_ns,
            written_ns: Some(found.stamp.changed_ns),
            begun: found.created,
            born_ns: found.born_ns(),
            created: found.created,
            content: None,
            place: Place::Traced(Trace::default()),
            buffer: Buffer::default(),
            is_skipping: false,
            at_end: false,
            is_unsure: false,
            is_torn: false,
            left: Vec::new(),
            as_left: None,
            took_unfinished: false,
            has_newer: false,
            closed_as: None,
            stamp: None,
            is_copy: false,
            has_departed: false,
            grown_at_ms: 0,
        }
    }

    fn resumed(found: &Found, named: &Path, content: Content, trace: Trace) -> Self {
        Self { content: Some(content), place: Place::Traced(trace), ..Self::new(found, named) }
    }

    /// A file that is to be read from its start, and had another name before.
    pub fn renamed(found: &Found, named: &Path) -> Self {
        // It may be a compressed copy, which was made later.
        Self { created: None, begun: None, written_ns: None, has_departed: true, ..Self::new(found, named) }
    }

    /// A copy of a file, read on from where that one was left.
    pub fn copied(found: &Found, named: &Path, content: Content, trace: Trace) -> Self {
        let resumed = Self::resumed(found, named, content, trace);
        Self { created: None, begun: None, written_ns: None, has_departed: found.path != named, ..resumed }
    }

    /// A file of which nothing is to be read unless it changes.
    pub fn closed(found: &Found, named: &Path, bookmark: Bookmark) -> Self {
        Self { place: Place::Known(bookmark), at_end: true, closed_as: Some(found.stamp), ..Self::new(found, named) }
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

    pub fn is_open(&self) -> bool {
        self.content.is_some()
    }

    /// How messages call it.
    pub fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Opens it where it was left; a closed one is then no longer at its end.
    ///
    /// # Errors
    /// The system's; `InvalidData` for damaged compression.
    pub fn open(&mut self, may_grow: bool, limits: Limits) -> io::Result<Opened> {
        let content = match Content::open(&self.path, may_grow, limits) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Gone),
            content => content?,
        };
        if self.path.as_os_str() != "-" && content.id()? != self.id {
            return Ok(Opened::Gone);
        }
        match self.bookmark().find_in(content)? {
            Fit::Here(content, trace) => {
                self.start_at(*content, trace);
                Ok(if self.has_what_was_left()? { Opened::Here } else { Opened::Replaced })
            }
            Fit::Shorter(_) | Fit::Short(_) | Fit::Other => Ok(Opened::Replaced),
        }
    }

    /// Reads on from where `content` is.
    pub fn start_at(&mut self, content: Content, trace: Trace) {
        self.content = Some(content);
        self.place = Place::Traced(trace);
        self.buffer.clear();
        self.at_end = false;
        self.is_torn = false;
        self.closed_as = None;
    }

    /// Opens it before its first turn, wherever it is by now.
    fn open_first(&mut self, may_grow: bool, limits: Limits) -> Result<(), Error> {
        if self.content.is_some() {
            return Ok(());
        }
        let failed = |piece: &Self, error: &io::Error| failure::error(&piece.path, error);
        let mut opened = self.open(may_grow, limits).map_err(|error| failed(self, &error))?;
        if opened == Opened::Gone
            && let Some(found) = rotation::by_id(&self.named, self.id).map_err(|error| failed(self, &error))?
        {
            self.path = found.path;
            opened = self.open(may_grow, limits).map_err(|error| failed(self, &error))?;
        }
        let what = match opened {
            Opened::Here => return Ok(()),
            Opened::Gone => "it is gone before it was read",
            Opened::Replaced => "it was truncated or replaced before it was read",
        };
        Err(Error::data(format_args!("{}: {what}", self.name())))
    }

    /// Writes lines: as many as fit into 64 KiB, one at least.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn give(&mut self, writer: &mut LineWriter, mut ending: Ending, out: &mut Out) -> Result<Gave, Fault> {
        if self.is_remnant() {
            return Ok(self.give_remnant(writer, out));
        }
        self.open_first(ending == Ending::Wait, writer.limits())?;
        if self.content.as_ref().is_some_and(Content::is_stream) {
            ending = Ending::Take;
        }
        let mut given = 0;
        loop {
            if self.took_unfinished {
                self.pass_rest_of_taken(writer, out);
            }
            if self.took_unfinished {
                // The newline of what was taken has not come.
            } else if given == 0 && (self.is_skipping || self.is_too_long(writer)) {
                self.tell_too_long(writer, out);
                if self.skip() {
                    return Ok(Gave::Lines);
                }
            } else {
                let room = BLOCK_BYTES - given;
                let is_full = self.give_buffered(writer, room, given == 0, &mut given, out);
                if is_full || given >= BLOCK_BYTES || (given > 0 && self.buffer.data().len() >= BLOCK_BYTES - given) {
                    return Ok(Gave::Lines);
                }
            }
            match self.read()? {
                Got::Bytes(_) => {}
                Got::NotNow => return Ok(if given > 0 { Gave::Lines } else { Gave::NotNow }),
                Got::End if given > 0 => return Ok(Gave::Lines),
                Got::End => return self.end(writer, ending, out),
            }
        }
    }

    fn read(&mut self) -> Result<Got, Error> {
        let Some(content) = &mut self.content else { return Ok(Got::End) };
        let failed = |error: io::Error| failure::error(&self.path, &error);
        let mut got = content.read(self.buffer.room()).map_err(failed)?;
        if got == Got::End && !content.is_stream() {
            // What comes from here on changes the stamp.
            self.stamp = Some(content.stamp().map_err(failed)?);
            got = content.read(self.buffer.room()).map_err(failed)?;
        }
        if let Got::Bytes(n) = got {
            self.buffer.filled(n);
        }
        Ok(got)
    }

    fn give_buffered(
        &mut self,
        writer: &mut LineWriter,
        room: usize,
        first: bool,
        given: &mut usize,
        out: &mut Out,
    ) -> bool {
        let file = self.named.to_string_lossy();
        let origin = Origin { file: &file, offset: self.offset() };
        let taken = writer.give(self.buffer.data(), room, first, origin, out);
        *given += taken.bytes;
        self.pass(taken.bytes);
        taken.is_full
    }

    /// So many bytes of the buffer have had their effect.
    fn pass(&mut self, bytes: usize) {
        if let Place::Traced(trace) = &mut self.place {
            trace.pass(&self.buffer.data()[..bytes]);
        }
        self.buffer.consume(bytes);
        if bytes > 0 {
            self.forget_left();
        }
    }

    /// The next line is longer than a line may be, and than a turn: it is not waited for.
    fn is_too_long(&self, writer: &LineWriter) -> bool {
        let data = self.buffer.data();
        let length_max = writer.line_bytes_max().max(BLOCK_BYTES);
        data.len() > length_max && memchr(b'\n', data).is_none_or(|end| end > length_max)
    }

    fn tell_too_long(&mut self, writer: &mut LineWriter, out: &mut Out) {
        if !std::mem::replace(&mut self.is_skipping, true) {
            let file = self.named.to_string_lossy();
            let origin = Origin { file: &file, offset: self.offset() };
            writer.too_long(self.buffer.data(), origin, out);
        }
    }

    /// Leaves out a turn of a line that is too long; false when there is not so much yet.
    fn skip(&mut self) -> bool {
        let data = self.buffer.data();
        let turn = &data[..data.len().min(BLOCK_BYTES)];
        let end = memchr(b'\n', turn);
        if end.is_none() && turn.len() < BLOCK_BYTES {
            return false;
        }
        self.is_skipping = end.is_none();
        self.pass(end.map_or(BLOCK_BYTES, |end| end + 1));
        true
    }

    fn end(&mut self, writer: &mut LineWriter, ending: Ending, out: &mut Out) -> Result<Gave, Fault> {
        self.at_end = true;
        self.grown_at_ms = out.now_ms();
        let is_within = self.content.as_ref().is_some_and(Content::is_within);
        if ending == Ending::Take && is_within {
            return Err(failure::not_whole(&self.path).into());
        }
        if ending == Ending::Take || self.is_final(ending, writer) {
            self.give_torn(writer, out);
        }
        if ending == Ending::Wait {
            self.buffer.shrink();
        } else {
            self.is_torn = is_within || self.waits(writer);
            self.close();
        }
        Ok(Gave::End)
    }

    /// Closes a file that was read to its end. It is opened again when it changes.
    fn close(&mut self) {
        self.keep_left();
        self.content = None;
        self.closed_as = self.stamp.take();
        self.buffer.clear();
    }

    /// Looks whether an open file that is not being read has changed.
    ///
    /// # Errors
    /// The system's.
    pub fn look(&mut self, now_ms: i64) -> io::Result<Change> {
        let (Some(content), Place::Traced(trace)) = (&mut self.content, &self.place) else { return Ok(Change::None) };
        let change = content.look(trace.tail(), trace.offset(), self.buffer.data())?;
        self.is_unsure = false;
        if change == Change::Grown {
            self.at_end = false;
            self.grown_at_ms = now_ms;
        }
        Ok(change)
    }

    /// What a file was like when it was last seen to be empty, and now, if something has happened to it since.
    ///
    /// # Errors
    /// The system's.
    pub fn changed_while_empty(&self) -> io::Result<Option<(Stamp, Stamp)>> {
        let (Some(content), Some(before)) = (&self.content, self.stamp) else { return Ok(None) };
        if !self.at_end || before.size > 0 || self.offset() > 0 {
            return Ok(None);
        }
        let now = content.stamp()?;
        Ok((now != before).then_some((before, now)))
    }

    /// It was looked at as an empty file.
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

    /// The file has new content: it is read from its start.
    pub fn restart(&mut self) {
        if let Some(content) = &mut self.content {
            content.restart();
        }
        self.place = Place::Traced(Trace::default());
        self.buffer.clear();
        self.is_skipping = false;
        self.took_unfinished = false;
        self.forget_left();
        self.at_end = false;
        self.closed_as = None;
    }

    /// It is to be looked at, not read.
    pub fn rests(&self) -> bool {
        self.at_end || self.is_unsure
    }

    /// True when it can never be read on: it has no name any more, or is closed.
    ///
    /// # Errors
    /// The system's.
    pub fn is_unreachable(&self) -> io::Result<bool> {
        self.content.as_ref().map_or(Ok(true), Content::is_deleted)
    }

    /// Time of the last change, as far as it is known.
    ///
    /// # Errors
    /// The system's.
    pub fn changed_ns(&self) -> io::Result<i64> {
        match &self.content {
            Some(content) => Ok(content.stamp()?.changed_ns),
            None => Ok(self.closed_as.map_or(self.found_changed_ns, |stamp| stamp.changed_ns)),
        }
    }
}
