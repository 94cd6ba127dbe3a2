//! Going on from a position: each file is found again, under whatever name.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use millpipe::Error;

use crate::bookmark::Bookmark;
use crate::cli::{Missing, Parts};
use crate::content::Limits;
use crate::copies::{self, Likeness};
use crate::failure;
use crate::found::{FileId, Found};
use crate::part::Idle;
use crate::piece::{Opened, Piece};
use crate::position::{Entry, Position};
use crate::rank::{self, Last, Rank};
use crate::rotation;
use crate::source::FileSource;

/// What has become of a file.
enum Fate {
    Here(Box<Piece>),
    /// Its number is another file's now, or it was truncated.
    Replaced,
    Gone,
}

/// All files of a position.
struct Known {
    /// With the times when they were made: numbers are used again.
    ids: HashMap<FileId, Option<i64>>,
    /// Of those that are no copies of others.
    originals: HashMap<FileId, Option<i64>>,
    /// Of what was read of each path, with the line that was left.
    bookmarks: HashMap<PathBuf, Vec<(Bookmark, Vec<u8>)>>,
    /// As the position has them: of one path the older ones first.
    files: Vec<(PathBuf, FileId, Option<i64>)>,
    limits: Limits,
}

fn is_among(found: &Found, numbers: &HashMap<FileId, Option<i64>>) -> bool {
    numbers.get(&found.id).is_some_and(|born| may_be_born(found, *born))
}

/// Not every file system knows when a file was made.
fn may_be_born(found: &Found, born: Option<i64>) -> bool {
    born.is_none() || found.born_ns().is_none() || found.born_ns() == born
}

impl Known {
    fn of(position: &Position, limits: Limits) -> Self {
        let mut bookmarks: HashMap<PathBuf, Vec<_>> = HashMap::new();
        for entry in position.files.iter().filter(|entry| entry.bookmark.offset > 0 || !entry.left.is_empty()) {
            bookmarks.entry(entry.path()).or_default().push((entry.bookmark.clone(), entry.left.bytes()));
        }
        let number = |entry: &Entry| (entry.id(), entry.born);
        let originals = position.files.iter().filter(|entry| !entry.copy).map(number).collect();
        let files = position.files.iter().map(|entry| (entry.path(), entry.id(), entry.born)).collect();
        Self { files, originals, ids: position.files.iter().map(number).collect(), bookmarks, limits }
    }

    /// Old files of a path that were written to since then, behind those that the position has before an entry.
    fn newer(&self, entry: &Entry, changed_ns: i64, siblings: Vec<Found>) -> Vec<Found> {
        let (path, id) = (entry.path(), entry.id());
        let before = self.files.iter().rev().skip_while(|file| file.0 != path || file.1 != id).skip(1);
        let rank = before.filter(|file| file.0 == path).find_map(|(_, id, born)| {
            let found = siblings.iter().find(|found| found.id == *id && may_be_born(found, *born))?;
            Rank::of(&path, &found.path)
        });
        rank::newer(siblings, &path, &Last { rank, ..Last::changed(changed_ns, None) })
    }

    /// Whether an old file of a path is in the position, or a copy of one that is, or may become one.
    fn has(&self, path: &Path, found: &Found) -> bool {
        let is_copy = |(bookmark, left): &(Bookmark, Vec<u8>)| {
            copies::likeness(found, bookmark, left, self.limits) != Likeness::Other
        };
        is_among(found, &self.ids) || self.bookmarks.get(path).is_some_and(|all| all.iter().any(is_copy))
    }
}

impl FileSource {
    pub(crate) fn restore(&mut self, position: Position) -> Result<(), Error> {
        let known = Known::of(&position, self.settings.limits);
        for entry in position.files {
            let fate = self.find_again(&entry, &known).map_err(|error| failure::error(&entry.path(), &error))?;
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
            piece.open(true, self.settings.limits).map_err(|error| failure::error(&piece.path, &error))?;
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
        if let Some(piece) = self.find_by_content(entry, known)? {
            return Ok(Fate::Here(Box::new(piece)));
        }
        if by_id.is_none()
            && let Some(piece) = find_unread(entry, known)?
        {
            return Ok(Fate::Here(Box::new(piece)));
        }
        // Elsewhere it is another file, which was given the number of ours.
        let is_in_place = |found: Found| [entry.last_seen(), entry.path()].contains(&found.path);
        Ok(if by_id.is_some_and(is_in_place) { Fate::Replaced } else { Fate::Gone })
    }

    /// The file at its place, if its content is what was read.
    fn resume(&self, entry: &Entry, found: &Found) -> Option<Piece> {
        let as_left = || {
            let mut piece = Piece::closed(found, &entry.path(), entry.bookmark.clone());
            piece.is_skipping = entry.skipping;
            piece.took_unfinished = entry.unended;
            piece.is_torn = entry.torn;
            piece.leave(entry.left.bytes(), None);
            piece.has_departed = entry.departed;
            piece.is_copy = entry.copy;
            piece.created = piece.created.filter(|_| !entry.remade);
            piece.begun = piece.created;
            piece.written_ns = entry.written_ns();
            piece
        };
        let is_unchanged = entry.finished == Some(found.stamp);
        if entry.copy || (is_unchanged && !entry.torn) {
            let is_same = is_unchanged || rotation::fit(found, &entry.bookmark, self.settings.limits).is_some();
            return is_same.then(as_left);
        }
        let mut piece = as_left();
        // Damaged is not the same.
        if !matches!(piece.open(self.settings.follow, self.settings.limits), Ok(Opened::Here)) {
            return None;
        }
        piece.is_unsure = self.settings.follow;
        piece.leave(entry.left.bytes(), is_unchanged.then_some(found.stamp));
        Some(piece)
    }

    /// A copy, perhaps compressed, or the file brought back from elsewhere.
    fn find_by_content(&self, entry: &Entry, known: &Known) -> io::Result<Option<Piece>> {
        let left = entry.left.bytes();
        if entry.bookmark.offset == 0 && left.is_empty() {
            return Ok(None);
        }
        let fit = |found: &Found| {
            // Half a line tells little.
            let since_ns = entry.finished.map(|stamp| stamp.changed_ns).or(entry.unread_since);
            let may_be =
                entry.bookmark.offset > 0 || since_ns.is_none_or(|since_ns| found.stamp.changed_ns >= since_ns);
            if may_be && found.is_regular && !is_among(found, &known.originals) {
                rotation::fit_with(found, &entry.bookmark, &left, self.settings.limits)
            } else {
                None
            }
        };
        let path = entry.path();
        // In the place of one that is known to have gone is another.
        let in_place = if entry.departed && entry.bookmark.offset == 0 { None } else { Found::at(&path)? };
        let candidates = in_place.into_iter().chain(rotation::siblings(&path)?);
        let copy = candidates.into_iter().find_map(|found| fit(&found).map(|at| (found, at)));
        Ok(copy.map(|(found, (content, trace))| {
            let mut piece = Piece::copied(&found, &path, content, trace);
            piece.is_skipping = entry.skipping;
            piece.took_unfinished = entry.unended;
            (piece.written_ns, piece.begun) = (entry.written_ns(), entry.begun());
            piece
        }))
    }

    fn was_replaced(&mut self, entry: &Entry) -> Result<(), Error> {
        if entry.copy {
            return Ok(());
        }
        let (seen, offset) = (entry.last_seen(), entry.bookmark.offset);
        let path = seen.display();
        let left = entry.left.bytes();
        let is_left = entry.end && self.writer.is_whole(&left) && self.writer.is_line(&left, offset);
        if is_left {
            self.put_remnant(entry, left)?;
        }
        if entry.finished.is_some() && !self.settings.follow {
            // Numbers of deleted files are given to new ones: nobody knows which it was.
            if offset > 0 || !entry.left.is_empty() {
                self.warnings.push(format!(
                    "{path}: truncated or replaced since it was read to its end at byte {offset}: read from its start"
                ));
            }
            return Ok(());
        }
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
        let left = entry.left.bytes();
        let is_remnant = entry.copy && entry.torn;
        let was_finished = entry.finished.is_some() && !self.settings.follow;
        let may_go = entry.copy || was_finished || (entry.departed && entry.end);
        let (seen, offset) = (entry.last_seen(), entry.bookmark.offset);
        let path = seen.display();
        if !may_go && self.settings.missing == Missing::Stop {
            return Err(Error::data(format_args!("{path}: gone: it was read up to byte {offset}, and nobody knows how much came after that"))
                .hint("put it back, also as a copy or compressed, under this name or as NAME.1; --missing skip goes on without it"));
        }
        if !left.is_empty() && (is_remnant || (entry.end && !entry.copy)) {
            // Nobody will finish its last line any more.
            self.put_remnant(entry, left)?;
        } else if entry.torn && !entry.copy {
            self.warnings.push(format!(
                "{path}: gone; its last line, which had no newline, is lost: it was after byte {offset}"
            ));
        }
        if entry.copy || was_finished {
            // Who has read a file may delete it.
        } else if may_go {
            self.warnings
                .push(format!("{path}: renamed earlier, and now gone; it was read to its end at byte {offset}"));
        } else {
            self.warnings.push(format!("{path}: gone; what was written to it after byte {offset} is left out"));
        }
        Ok(())
    }

    fn put_remnant(&mut self, entry: &Entry, left: Vec<u8>) -> Result<(), Error> {
        let part = self.known_part(entry)?;
        let mut piece = Piece::remnant(&entry.path(), entry.bookmark.clone(), left);
        (piece.is_skipping, piece.took_unfinished) = (entry.skipping, entry.unended);
        self.parts[part].pieces.push(piece);
        Ok(())
    }
}

/// Nothing was read of it, so no content tells: it is the oldest of the files with its name that were written to since
/// then, and that nobody knows.
fn find_unread(entry: &Entry, known: &Known) -> io::Result<Option<Piece>> {
    let Some(changed_ns) = entry.unread_since.filter(|_| !(entry.departed && entry.end)) else { return Ok(None) };
    let path = entry.path();
    let siblings = rotation::siblings(&path)?;
    let newer = known.newer(entry, changed_ns, siblings.clone());
    // A line that was left in it would have told.
    if !entry.left.is_empty() {
        return Ok(None);
    }
    let may_be = |found: &Found| !known.has(&path, found) && copies::is_new(found, &siblings, known.limits);
    let found = newer.into_iter().find(|found| may_be(found));
    Ok(found.map(|found| {
        let mut piece = Piece::renamed(&found, &path);
        (piece.written_ns, piece.begun) = (entry.written_ns(), entry.begun());
        piece
    }))
}

/// A file was empty, and still has its name: what was written to it since then may have been copied away and truncated
/// (see [`FileSource::replaced`]), which nothing in the file itself tells.
fn written_meanwhile(entry: &Entry, piece: &Piece, known: &Known) -> io::Result<Vec<Piece>> {
    let Some(changed_ns) = entry.unread_since.filter(|_| entry.end && piece.path == piece.named) else {
        return Ok(Vec::new());
    };
    let siblings = rotation::siblings(&piece.path)?;
    let mut copies = known.newer(entry, changed_ns, siblings.clone());
    copies.retain(|found| !known.has(&piece.named, found) && copies::is_new(found, &siblings, known.limits));
    let now = rotation::start_of(&piece.path, known.limits)?;
    // Those are not truncated yet.
    copies.retain(|found| found.stamp.size > 0 && !rotation::shares_start(&found.path, &now, known.limits));
    Ok(copies.iter().map(|found| Piece::renamed(found, &piece.named)).collect())
}

/// By its number and the time when it was made, as numbers are used again: where it was last, under its first name, or anywhere in the folder. The device's own number may
/// change from boot to boot, so another one is good if the content fits.
fn find_by_id(entry: &Entry) -> io::Result<Option<Found>> {
    let is_it = |found: &Found| found.is_regular && found.id.ino == entry.ino && may_be_born(found, entry.born);
    for path in [entry.last_seen(), entry.path()] {
        if let Some(found) = Found::at(&path)?.filter(is_it) {
            return Ok(Some(found));
        }
    }
    Ok(Found::all_beside(&entry.path())?.into_iter().find(is_it))
}
