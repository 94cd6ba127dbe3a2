//! One file of a partition: which one it is, and where we are in it.

use std::io;
use std::path::{Path, PathBuf};

use millpipe::{Error, Fault, Out};

use crate::bookmark::{Bookmark, Fit, Trace, trace_at};
use crate::content::{Change, Content, Limits};
use crate::failure;
use crate::file_lines::{Ending, FileLines, Gave};
use crate::file_times::FileTimes;
use crate::found::{FileId, Found, Stamp};
use crate::last_lines::{Counted, last_lines};
use crate::line_writer::LineWriter;
use crate::position::{Entry, Left, path_text};
use crate::rotation;
use crate::unfinished_line::LineState;

/// A renamed or deleted file may be written to for a while.
pub const QUIET_MS: i64 = 10_000;

/// Number of what is no file any more.
const NO_FILE: FileId = FileId { dev: 0, ino: 0 };

/// Result of opening a file where it was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    Here,
    /// There is another file now, or none.
    Gone,
    /// It has not the content any more that was read.
    Replaced,
}

pub struct Piece {
    /// The path by which it was found first.
    named: PathBuf,
    /// The path by which it was seen last.
    path: PathBuf,
    id: FileId,
    times: FileTimes,
    /// Its argument means a file that was written to later.
    has_newer: bool,
    /// The same content is read elsewhere.
    is_copy: bool,
    /// No argument means it any more: it was renamed or deleted.
    has_departed: bool,
    lines: FileLines,
}

impl Piece {
    /// A file that is to be read from its start.
    pub fn new(found: &Found, named: &Path) -> Self {
        Self {
            named: named.to_owned(),
            path: found.path.clone(),
            id: found.id,
            times: FileTimes::of(found),
            has_newer: false,
            is_copy: false,
            has_departed: false,
            lines: FileLines::default(),
        }
    }

    /// A file that is to be read from its start, and had another name before.
    pub fn renamed(found: &Found, named: &Path) -> Self {
        // It may be a compressed copy, which was made later.
        Self { times: FileTimes::of_copy(found), has_departed: true, ..Self::new(found, named) }
    }

    /// A copy of a file, read on from where that one was left, in a line of this state.
    pub fn copied(found: &Found, named: &Path, content: Content, trace: Trace, line: LineState) -> Self {
        let (times, lines) = (FileTimes::of_copy(found), FileLines::at(content, trace, line));
        Self { times, has_departed: found.path != named, lines, ..Self::new(found, named) }
    }

    /// A copy of a file that is read elsewhere: nothing is to be read of it.
    pub fn unread_copy(found: &Found, bookmark: Bookmark) -> Self {
        Self { is_copy: true, lines: FileLines::closed(bookmark, found.stamp), ..Self::new(found, &found.path) }
    }

    /// A file of a position, as it was left there: nothing is to be read unless it changes.
    pub fn restored(found: &Found, entry: &Entry) -> Self {
        let (bookmark, left) = (entry.bookmark.clone(), entry.left.bytes());
        Self {
            times: FileTimes::restored(found, entry),
            is_copy: entry.copy,
            has_departed: entry.departed,
            lines: FileLines::restored(bookmark, found.stamp, entry.line_state(), entry.torn, left),
            ..Self::new(found, &entry.path())
        }
    }

    /// The line that an earlier run left in a file that is not there any more.
    pub fn remnant(entry: &Entry) -> Self {
        let stamp = Stamp { size: 0, changed_ns: 0 };
        let found = Found { path: entry.path(), id: NO_FILE, stamp, created: None, is_regular: true };
        let lines = FileLines::remnant(entry.bookmark.clone(), stamp, entry.line_state(), entry.left.bytes());
        Self { is_copy: true, has_departed: true, lines, ..Self::new(&found, &found.path) }
    }

    /// Returns it with the times of its content from a position.
    pub fn with_times_of(self, entry: &Entry) -> Self {
        Self { times: self.times.with_content_of(entry), ..self }
    }

    /// Path by which it was found first.
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// Path by which it was seen last.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn id(&self) -> FileId {
        self.id
    }

    pub fn times(&self) -> &FileTimes {
        &self.times
    }

    /// True if the same content is read elsewhere.
    pub fn is_copy(&self) -> bool {
        self.is_copy
    }

    /// True if no argument means it any more: it was renamed or deleted.
    pub fn has_departed(&self) -> bool {
        self.has_departed
    }

    /// Lines of the file from our place on.
    pub fn lines(&self) -> &FileLines {
        &self.lines
    }

    pub fn offset(&self) -> u64 {
        self.lines.cursor().offset()
    }

    pub fn bookmark(&self) -> Bookmark {
        self.lines.cursor().bookmark()
    }

    pub fn is_open(&self) -> bool {
        self.lines.cursor().is_open()
    }

    /// True if it is open and not read to its end.
    pub fn is_unread(&self) -> bool {
        self.is_open() && !self.lines.at_end()
    }

    /// Its path as messages have it.
    pub fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Returns what a position keeps of it.
    pub fn entry(&self, part: &str) -> Entry {
        let (lines, line) = (&self.lines, self.lines.line_state());
        let finished = lines.closed_as().or(lines.as_left());
        let is_started = self.offset() > 0;
        let finished_ns = finished.map(|stamp| stamp.changed_ns);
        Entry {
            part: part.to_owned(),
            path: path_text(&self.named),
            now: (self.path != self.named).then(|| path_text(&self.path)),
            dev: self.id.dev,
            ino: self.id.ino,
            born: self.times.born_ns,
            bookmark: self.bookmark(),
            unread_since: (!is_started).then_some(self.times.found_changed_ns),
            written: self.times.written_ns.filter(|_| is_started && finished_ns != self.times.written_ns),
            skipping: line.is_skipping,
            end: lines.at_end() || lines.as_left().is_some(),
            torn: lines.is_torn() || lines.as_left().is_some(),
            left: Left::of(lines.unfinished()),
            unended: line.took_unfinished,
            departed: self.has_departed,
            remade: self.times.created.is_none(),
            copy: self.is_copy,
            finished,
        }
    }

    fn failed(&self, error: &io::Error) -> Error {
        failure::error(&self.path, error)
    }

    /// Opens it where it was left; a closed one is then no longer at its end.
    ///
    /// # Errors
    /// The system's; data for damaged compression.
    pub fn open(&mut self, may_grow: bool, limits: Limits) -> Result<Opened, Error> {
        self.try_open(may_grow, limits).map_err(|error| self.failed(&error))
    }

    fn try_open(&mut self, may_grow: bool, limits: Limits) -> io::Result<Opened> {
        let content = match Content::open(&self.path, may_grow, limits) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Gone),
            content => content?,
        };
        if self.path.as_os_str() != "-" && content.id()? != self.id {
            return Ok(Opened::Gone);
        }
        match self.bookmark().find_in(content)? {
            Fit::Here(content, trace) => {
                self.lines.start_at(*content, trace);
                Ok(if self.lines.has_what_was_left()? { Opened::Here } else { Opened::Replaced })
            }
            Fit::Shorter(_) | Fit::Short(_) | Fit::Other => Ok(Opened::Replaced),
        }
    }

    /// Opens a file of a position; false if it cannot be read on. `as_left` if it has not changed since then.
    pub fn reopen(&mut self, follow: bool, limits: Limits, as_left: Option<Stamp>) -> bool {
        // Damaged is not the same.
        let is_here = matches!(self.try_open(follow, limits), Ok(Opened::Here));
        if is_here {
            self.lines.note_reopened(follow, as_left);
        }
        is_here
    }

    /// Opens it before its first turn, wherever it is by now.
    fn open_first(&mut self, may_grow: bool, limits: Limits) -> Result<(), Error> {
        if self.is_open() {
            return Ok(());
        }
        let mut opened = self.open(may_grow, limits)?;
        if opened == Opened::Gone
            && let Some(found) = rotation::by_id(&self.named, self.id).map_err(|error| self.failed(&error))?
        {
            self.path = found.path;
            opened = self.open(may_grow, limits)?;
        }
        let what = match opened {
            Opened::Here => return Ok(()),
            Opened::Gone => "it is gone before it was read",
            Opened::Replaced => "it was truncated or replaced before it was read",
        };
        Err(Error::data(format_args!("{}: {what}", self.name())))
    }

    /// Opens it at its last lines.
    ///
    /// # Errors
    /// The system's; usage for what is read from its beginning only.
    pub fn start_at_last(&mut self, lines: u64, counted: Counted, may_grow: bool, limits: Limits) -> Result<(), Error> {
        let failed = |error: io::Error| failure::error(&self.path, &error);
        let mut content = Content::open(&self.path, may_grow, limits).map_err(failed)?;
        if content.is_stream() {
            return Err(Error::usage(format_args!("{}: is read from its beginning only", self.name())));
        }
        let offset = last_lines(&mut content, lines, counted).map_err(failed)?;
        content.restart();
        let trace = trace_at(&mut content, offset).map_err(failed)?;
        // Truncated in this very moment: it is read from its start.
        if let Some(trace) = trace {
            self.lines.start_at(content, trace);
        }
        Ok(())
    }

    /// Writes lines: as many as fit into 64 KiB, one at least.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn give(&mut self, writer: &mut LineWriter, mut ending: Ending, out: &mut Out) -> Result<Gave, Fault> {
        if self.is_remnant() {
            self.lines.give_remnant(&self.named.to_string_lossy(), writer, out);
            return Ok(Gave::Lines);
        }
        self.open_first(ending == Ending::Wait, writer.limits())?;
        if self.lines.cursor().is_stream() {
            ending = Ending::Take;
        }
        let given = self.lines.give(&self.named.to_string_lossy(), writer, out);
        let gave = given.map_err(|error| self.failed(&error))?;
        if gave == Gave::End {
            self.end(writer, ending, out)?;
        }
        Ok(gave)
    }

    /// True if it is no file, only what is left of one.
    fn is_remnant(&self) -> bool {
        self.is_copy && self.id == NO_FILE
    }

    fn end(&mut self, writer: &mut LineWriter, ending: Ending, out: &mut Out) -> Result<(), Error> {
        self.lines.reach_end(out.now_ms());
        if ending == Ending::Take && self.lines.cursor().is_within() {
            return Err(failure::not_whole(&self.path));
        }
        let is_renamed = self.path != self.named;
        if ending == Ending::Take || self.lines.is_final(ending, is_renamed, self.has_newer, writer) {
            self.give_torn(writer, out);
        }
        if ending == Ending::Wait {
            self.lines.shrink();
        } else {
            self.lines.close(writer);
        }
        Ok(())
    }

    /// Writes what is left as a line: its newline will never come.
    pub fn give_torn(&mut self, writer: &mut LineWriter, out: &mut Out) {
        self.lines.give_torn(&self.named.to_string_lossy(), writer, out);
    }

    /// Writes what the file ended with before it was cut, if that can be a line.
    pub fn give_if_whole(&mut self, writer: &mut LineWriter, out: &mut Out) {
        self.lines.give_if_whole(&self.named.to_string_lossy(), writer, out);
    }

    /// True if it was renamed, and ends in a whole object, list or text: its newline alone can be missing.
    pub fn ends_closed(&self, writer: &LineWriter) -> bool {
        self.has_departed && self.lines.ends_closed(writer)
    }

    /// Takes note of the path by which an argument means it now.
    pub fn note_path(&mut self, path: &Path) {
        path.clone_into(&mut self.path);
        self.has_departed = false;
    }

    /// Takes note that no argument means it any more.
    pub fn depart(&mut self) {
        self.has_departed = true;
    }

    /// Takes note whether its argument means a file that was written to later.
    pub fn set_has_newer(&mut self, has_newer: bool) {
        self.has_newer = has_newer;
    }

    /// Takes a change of a closed file for one that gives nothing to read.
    pub fn stays_closed_as(&mut self, stamp: Stamp) {
        self.lines.stays_closed_as(stamp);
    }

    /// Begins anew at the start of a file that has new content.
    pub fn restart(&mut self) {
        self.lines.restart();
    }

    /// Says whether an open file that is not being read has changed.
    ///
    /// # Errors
    /// The system's.
    pub fn look(&mut self, now_ms: i64) -> Result<Change, Error> {
        self.lines.look(now_ms).map_err(|error| failure::error(&self.path, &error))
    }

    /// Takes note that the file was looked at, and was empty.
    pub fn seen_empty(&mut self, stamp: Stamp) {
        self.lines.seen_empty(stamp);
    }

    /// Waits until a pipe has something.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, wait_ms: u64) -> Result<(), Error> {
        self.lines.cursor().wait(wait_ms).map(|_| ()).map_err(|error| self.failed(&error))
    }

    /// True when it can never be read on: it has no name any more, or is closed.
    ///
    /// # Errors
    /// The system's.
    pub fn is_unreachable(&self) -> io::Result<bool> {
        self.lines.cursor().is_unreachable()
    }

    /// Time of the last change, as far as it is known.
    ///
    /// # Errors
    /// The system's.
    pub fn changed_ns(&self) -> io::Result<i64> {
        Ok(self.lines.changed_ns()?.unwrap_or(self.times.found_changed_ns))
    }

    /// True if nobody has written to a renamed or deleted file for a while.
    pub fn is_quiet(&self, now_ms: i64) -> bool {
        now_ms - self.lines.grown_at_ms() >= QUIET_MS
    }
}
