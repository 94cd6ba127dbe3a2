//! Finds the files of a position again, under whatever name.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::bookmark::{Bookmark, Trace};
use crate::content::{Content, Limits};
use crate::copies::{self, Likeness};
use crate::found::{FileId, Found};
use crate::piece::Piece;
use crate::position::{Entry, Position};
use crate::rank::{self, Last, Rank};
use crate::rotation;

/// Result of looking for a file of a position.
pub enum Fate {
    Here(Box<Piece>),
    /// Its number is another file's now, or it was truncated.
    Replaced,
    Gone,
}

/// All files of a position.
pub struct KnownFiles {
    /// With the times when they were made: numbers are used again.
    ids: HashMap<FileId, Option<i64>>,
    /// Of those that are no copies of others.
    originals: HashMap<FileId, Option<i64>>,
    /// Of what was read of each path, with the line that was left.
    bookmarks: HashMap<PathBuf, Vec<(Bookmark, Vec<u8>)>>,
    /// As the position has them: of one path the older ones first.
    files: Vec<(PathBuf, FileId, Option<i64>)>,
    follow: bool,
    limits: Limits,
}

impl KnownFiles {
    pub fn new(position: &Position, follow: bool, limits: Limits) -> Self {
        let mut bookmarks: HashMap<PathBuf, Vec<_>> = HashMap::new();
        for entry in position.files.iter().filter(|entry| entry.bookmark.offset > 0 || !entry.left.is_empty()) {
            bookmarks.entry(entry.path()).or_default().push((entry.bookmark.clone(), entry.left.bytes()));
        }
        let number = |entry: &Entry| (entry.id(), entry.born);
        let originals = position.files.iter().filter(|entry| !entry.copy).map(number).collect();
        let files = position.files.iter().map(|entry| (entry.path(), entry.id(), entry.born)).collect();
        Self { files, originals, ids: position.files.iter().map(number).collect(), bookmarks, follow, limits }
    }

    /// Looks for a file by its number, then by its content, and if nothing was read of it by its name and times.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn find_again(&self, entry: &Entry) -> io::Result<Fate> {
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
            && let Some(piece) = self.find_unread(entry)?
        {
            return Ok(Fate::Here(Box::new(piece)));
        }
        // Elsewhere it is another file, which was given the number of ours.
        let is_in_place = |found: Found| [entry.last_seen(), entry.path()].contains(&found.path);
        Ok(if by_id.is_some_and(is_in_place) { Fate::Replaced } else { Fate::Gone })
    }

    /// The file at its place, if its content is what was read.
    fn resume(&self, entry: &Entry, found: &Found) -> Option<Piece> {
        let mut piece = Piece::restored(found, entry);
        let is_unchanged = entry.finished == Some(found.stamp);
        let is_same = if entry.copy || (is_unchanged && !entry.torn) {
            is_unchanged || rotation::fit(found, &entry.bookmark, self.limits).is_some()
        } else {
            piece.reopen(self.follow, self.limits, is_unchanged.then_some(found.stamp))
        };
        is_same.then_some(piece)
    }

    /// A copy, perhaps compressed, or the file brought back from elsewhere.
    fn find_by_content(&self, entry: &Entry) -> io::Result<Option<Piece>> {
        if entry.bookmark.offset == 0 && entry.left.is_empty() {
            return Ok(None);
        }
        let (path, left) = (entry.path(), entry.left.bytes());
        // In the place of one that is known to have gone is another.
        let in_place = if entry.departed && entry.bookmark.offset == 0 { None } else { Found::at(&path)? };
        let mut candidates = in_place.into_iter().chain(rotation::siblings(&path)?);
        let copy = candidates.find_map(|found| self.fit(entry, &left, &found).map(|at| (found, at)));
        Ok(copy.map(|(found, (content, trace))| {
            Piece::copied(&found, &path, content, trace, entry.line_state()).with_times_of(entry)
        }))
    }

    /// Opens a file at the place of an entry, if it may be a copy of it.
    fn fit(&self, entry: &Entry, left: &[u8], found: &Found) -> Option<(Content, Trace)> {
        // Half a line tells little.
        let since_ns = entry.finished.map(|stamp| stamp.changed_ns).or(entry.unread_since);
        let may_be = entry.bookmark.offset > 0 || since_ns.is_none_or(|since_ns| found.stamp.changed_ns >= since_ns);
        if may_be && found.is_regular && !is_among(found, &self.originals) {
            rotation::fit_with(found, &entry.bookmark, left, self.limits)
        } else {
            None
        }
    }

    /// Nothing was read of it, so no content tells: it is the oldest of the files with its name that were written to since
    /// then, and that nobody knows.
    fn find_unread(&self, entry: &Entry) -> io::Result<Option<Piece>> {
        let Some(changed_ns) = entry.unread_since.filter(|_| !(entry.departed && entry.end)) else { return Ok(None) };
        let path = entry.path();
        let siblings = rotation::siblings(&path)?;
        // A line that was left in it would have told.
        if !entry.left.is_empty() {
            return Ok(None);
        }
        let newer = self.newer(entry, changed_ns, siblings.clone());
        let found = newer.into_iter().find(|found| self.is_new(&path, found, &siblings));
        Ok(found.map(|found| Piece::renamed(&found, &path).with_times_of(entry)))
    }

    /// Files that hold what was written to a file that was empty, and still has its name: it may have been copied away and
    /// truncated since then, which nothing in the file itself tells.
    ///
    /// # Errors
    /// When the file or its folder cannot be read.
    pub fn written_meanwhile(&self, entry: &Entry, piece: &Piece) -> io::Result<Vec<Piece>> {
        let (path, named) = (piece.path(), piece.named());
        let Some(changed_ns) = entry.unread_since.filter(|_| entry.end && path == named) else {
            return Ok(Vec::new());
        };
        let siblings = rotation::siblings(path)?;
        let mut copies = self.newer(entry, changed_ns, siblings.clone());
        copies.retain(|found| self.is_new(named, found, &siblings));
        let now = rotation::start_of(path, self.limits)?;
        // Those are not truncated yet.
        copies.retain(|found| found.stamp.size > 0 && !rotation::shares_start(&found.path, &now, self.limits));
        Ok(copies.iter().map(|found| Piece::renamed(found, named)).collect())
    }

    /// Old files of a path that were written to since then, after those that the position has before an entry.
    fn newer(&self, entry: &Entry, changed_ns: i64, siblings: Vec<Found>) -> Vec<Found> {
        let (path, id) = (entry.path(), entry.id());
        let before = self.files.iter().rev().skip_while(|file| file.0 != path || file.1 != id).skip(1);
        let rank = before.filter(|file| file.0 == path).find_map(|(_, id, born)| {
            let found = siblings.iter().find(|found| found.id == *id && may_be_born(found, *born))?;
            Rank::of(&path, &found.path)
        });
        rank::newer(siblings, &path, &Last { rank, ..Last::changed(changed_ns, None) })
    }

    /// True if an old file of a path has what neither the position nor another file that is there has.
    fn is_new(&self, path: &Path, found: &Found, siblings: &[Found]) -> bool {
        !self.has(path, found) && copies::is_new(found, siblings, self.limits)
    }

    /// True if an old file of a path is in the position, or a copy of one that is, or may become one.
    fn has(&self, path: &Path, found: &Found) -> bool {
        let is_copy = |(bookmark, left): &(Bookmark, Vec<u8>)| {
            copies::likeness(found, bookmark, left, self.limits) != Likeness::Other
        };
        is_among(found, &self.ids) || self.bookmarks.get(path).is_some_and(|all| all.iter().any(is_copy))
    }
}

/// Looks for a file by its number and the time when it was made, as numbers are used again: where it was last, under its
/// first name, then anywhere in the folder. The device's own number may change from boot to boot, so another one is good if
/// the content fits.
fn find_by_id(entry: &Entry) -> io::Result<Option<Found>> {
    let is_it = |found: &Found| found.is_regular && found.id.ino == entry.ino && may_be_born(found, entry.born);
    for path in [entry.last_seen(), entry.path()] {
        if let Some(found) = Found::at(&path)?.filter(is_it) {
            return Ok(Some(found));
        }
    }
    Ok(Found::all_beside(&entry.path())?.into_iter().find(is_it))
}

fn is_among(found: &Found, numbers: &HashMap<FileId, Option<i64>>) -> bool {
    numbers.get(&found.id).is_some_and(|born| may_be_born(found, *born))
}

/// Not every file system knows when a file was made.
fn may_be_born(found: &Found, born: Option<i64>) -> bool {
    born.is_none() || found.born_ns().is_none() || found.born_ns() == born
}
