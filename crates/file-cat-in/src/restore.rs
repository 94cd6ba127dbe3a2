//! Going on from a position: each file is found again, under whatever name.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use millpipe::Error;

use crate::bookmark::{Bookmark, Trace};
use crate::cli::{Missing, Parts};
use crate::content::Content;
use crate::failure;
use crate::found::{FileId, Found};
use crate::part::Idle;
use crate::piece::{Ending, Opened, Piece};
use crate::position::{Entry, Position};
use crate::rotation;
use crate::source::FileSource;

/// By so many bytes two files are told from each other.
const START_BYTES: usize = 256;

/// What has become of a file.
enum Fate {
    Here(Box<Piece>),
    /// Its number is another file's now, or it was truncated.
    Replaced,
    Gone,
}

/// All files of a position.
struct Known {
    ids: HashSet<FileId>,
    /// Of what was read of each path.
    bookmarks: HashMap<PathBuf, Vec<Bookmark>>,
}

impl Known {
    fn of(position: &Position) -> Self {
        let mut bookmarks: HashMap<PathBuf, Vec<Bookmark>> = HashMap::new();
        for entry in position.files.iter().filter(|entry| entry.bookmark.offset > 0) {
            bookmarks.entry(PathBuf::from(&entry.path)).or_default().push(entry.bookmark.clone());
        }
        Self { ids: position.files.iter().map(Entry::id).collect(), bookmarks }
    }

    /// Whether an old file of a path is in the position, or a copy of one that is.
    fn has(&self, path: &Path, found: &Found) -> bool {
        let is_copy = |bookmark: &Bookmark| rotation::fit(found, bookmark).is_some();
        self.ids.contains(&found.id) || self.bookmarks.get(path).is_some_and(|all| all.iter().any(is_copy))
    }
}

impl FileSource {
    pub(crate) fn restore(&mut self, position: Position) -> Result<(), Error> {
        let known = Known::of(&position);
        for entry in position.files {
            let fate =
                self.find_again(&entry, &known).map_err(|error| failure::error(Path::new(&entry.path), &error))?;
            match fate {
                Fate::Here(piece) => {
                    let part = self.known_part(&entry)?;
                    let copies = written_meanwhile(&entry, &piece, &known);
                    let copies = copies.map_err(|error| failure::error(&piece.path, &error))?;
                    for piece in copies.into_iter().chain([*piece]) {
                        self.put(part, piece)?;
                    }
                }
                Fate::Replaced => self.was_replaced(&entry)?,
                Fate::Gone => self.is_gone(&entry)?,
            }
        }
        self.turn = self.parts.iter().position(|part| part.name == position.turn).unwrap_or(0);
        for part in self.parts.iter_mut().filter(|part| part.is_at_end()) {
            // Its end was said before the position was taken.
            part.idle = Idle::Finally;
        }
        self.was_restored = true;
        Ok(())
    }

    /// With --follow it is opened at once: it may be renamed or deleted before its turn.
    fn put(&mut self, part: usize, mut piece: Piece) -> Result<(), Error> {
        if self.settings.follow && !piece.is_open() && !piece.at_end {
            piece.open(true).map_err(|error| failure::error(&piece.path, &error))?;
        }
        self.parts[part].pieces.push(piece);
        Ok(())
    }

    fn known_part(&mut self, entry: &Entry) -> Result<usize, Error> {
        if self.settings.parts == Parts::Files {
            return Ok(self.part_named(&entry.part));
        }
        let index = self.parts.iter().position(|part| part.name == entry.part);
        index.ok_or_else(|| {
            Error::data(format_args!("the position has a partition \"{}\", the flags have not", entry.part))
        })
    }

    fn find_again(&self, entry: &Entry, known: &Known) -> io::Result<Fate> {
        let by_id = find_by_id(entry)?;
        if let Some(found) = &by_id
            && let Some(piece) = self.resume(entry, found)
        {
            return Ok(Fate::Here(Box::new(piece)));
        }
        if entry.copy {
            return Ok(Fate::Gone);
        }
        if let Some(piece) = self.find_by_content(entry)? {
            return Ok(Fate::Here(Box::new(piece)));
        }
        if by_id.is_none()
            && let Some(piece) = find_unread(entry, known)?
        {
            return Ok(Fate::Here(Box::new(piece)));
        }
        // Elsewhere it is another file, which was given the number of ours.
        let is_in_place =
            |found: Found| [entry.last_seen(), entry.path.as_str()].iter().any(|path| found.path == Path::new(path));
        Ok(if by_id.is_some_and(is_in_place) { Fate::Replaced } else { Fate::Gone })
    }

    /// The file at its place, if its content is what was read.
    fn resume(&self, entry: &Entry, found: &Found) -> Option<Piece> {
        let as_left = || {
            let mut piece = Piece::closed(found, Path::new(&entry.path), entry.bookmark.clone());
            piece.is_skipping = entry.skipping;
            piece.is_torn = entry.torn;
            piece.has_departed = entry.departed;
            piece.is_copy = entry.copy;
            piece.created = piece.created.filter(|_| !entry.remade);
            piece
        };
        let takes_torn = entry.torn && self.ending() == Ending::Take;
        if entry.finished == Some(found.stamp) && !takes_torn {
            return Some(as_left());
        }
        let mut piece = as_left();
        // Damaged is not the same.
        if !matches!(piece.open(self.settings.follow), Ok(Opened::Here)) {
            return None;
        }
        piece.is_unsure = self.settings.follow;
        Some(if entry.copy { as_left() } else { piece })
    }

    /// A copy, perhaps compressed, or the file brought back from elsewhere.
    fn find_by_content(&self, entry: &Entry) -> io::Result<Option<Piece>> {
        if entry.bookmark.offset == 0 {
            return Ok(None);
        }
        let path = Path::new(&entry.path);
        let same_path = Found::at(path)?.filter(|found| found.is_regular && found.id != entry.id());
        let same_path = same_path.and_then(|found| {
            let (content, trace) = rotation::fit(&found, &entry.bookmark)?;
            Some((found, content, trace))
        });
        let copy = match same_path {
            Some(copy) => Some(copy),
            None => rotation::copy(path, &entry.bookmark, entry.id())?,
        };
        Ok(copy.map(|(found, content, trace)| {
            let mut piece = Piece::copied(&found, path, content, trace);
            piece.is_skipping = entry.skipping;
            piece
        }))
    }

    fn was_replaced(&mut self, entry: &Entry) -> Result<(), Error> {
        // Numbers of deleted files are given to new ones.
        if entry.copy || (entry.finished.is_some() && !self.settings.follow) {
            return Ok(());
        }
        let (path, offset) = (entry.last_seen(), entry.bookmark.offset);
        if self.settings.follow || self.settings.missing == Missing::Skip {
            self.warnings.push(format!(
                "{path}: truncated or replaced after byte {offset}: read from its start; what was written after that byte is lost"
            ));
            return Ok(());
        }
        Err(Error::data(format_args!(
            "{path}: truncated or replaced: it is not the file that was read up to byte {offset}"
        ))
        .hint("--missing skip reads it from its start, without what may be lost"))
    }

    fn is_gone(&mut self, entry: &Entry) -> Result<(), Error> {
        // Who has read a file may delete it.
        if entry.copy || (entry.finished.is_some() && !self.settings.follow) {
            return Ok(());
        }
        let (path, offset) = (entry.last_seen(), entry.bookmark.offset);
        if entry.departed && entry.end {
            self.warnings
                .push(format!("{path}: renamed earlier, and now gone; it was read to its end at byte {offset}"));
            return Ok(());
        }
        if self.settings.missing == Missing::Skip {
            self.warnings.push(format!("{path}: gone; what was written to it after byte {offset} is left out"));
            return Ok(());
        }
        Err(Error::data(format_args!("{path}: gone: it was read up to byte {offset}, and nobody knows how much came after that"))
            .hint("put it back, also as a copy or compressed, under this name or as NAME.1; --missing skip goes on without it"))
    }
}

/// Nothing was read of it, so no content tells: it is the oldest of the files with its name that were written to since
/// then, and that nobody knows.
fn find_unread(entry: &Entry, known: &Known) -> io::Result<Option<Piece>> {
    let Some(changed_ns) = entry.unread_since.filter(|_| !(entry.departed && entry.end)) else { return Ok(None) };
    let path = Path::new(&entry.path);
    let newer = rotation::newer(path, changed_ns, None)?;
    let found = newer.into_iter().find(|found| !known.has(path, found));
    Ok(found.map(|found| Piece::renamed(&found, path)))
}

/// A file was empty, and still has its name: what was written to it since then may have been copied away and truncated
/// (see [`FileSource::replaced`]), which nothing in the file itself tells.
fn written_meanwhile(entry: &Entry, piece: &Piece, known: &Known) -> io::Result<Vec<Piece>> {
    let Some(changed_ns) = entry.unread_since.filter(|_| entry.end && piece.path == piece.named) else {
        return Ok(Vec::new());
    };
    let mut copies = rotation::newer(&piece.path, changed_ns, None)?;
    copies.retain(|found| !known.has(&piece.named, found));
    if let Some(now) = start_of(&piece.path)? {
        // Not truncated yet.
        copies.retain(|found| rotation::fit(found, &now).is_none());
    }
    Ok(copies.iter().map(|found| Piece::renamed(found, &piece.named)).collect())
}

/// What a file that is not empty begins with.
fn start_of(path: &Path) -> io::Result<Option<Bookmark>> {
    let mut content = Content::open(path, true)?;
    let mut start = vec![0; START_BYTES];
    let length = content.read_full(&mut start)?;
    let mut trace = Trace::default();
    trace.pass(&start[..length]);
    Ok((length > 0).then(|| trace.bookmark()))
}

/// By its number: where it was last, under its first name, or anywhere in the folder. The device's own number may
/// change from boot to boot, so another one is good if the content fits.
fn find_by_id(entry: &Entry) -> io::Result<Option<Found>> {
    let is_it = |found: &Found| found.is_regular && found.id.ino == entry.ino;
    for path in [entry.last_seen(), entry.path.as_str()] {
        if let Some(found) = Found::at(Path::new(path))?.filter(is_it) {
            return Ok(Some(found));
        }
    }
    Ok(Found::all_beside(Path::new(&entry.path))?.into_iter().find(is_it))
}
