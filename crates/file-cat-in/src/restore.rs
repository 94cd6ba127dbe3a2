//! Going on from a position: each file is found again, under whatever name.

use std::io;
use std::path::Path;

use millpipe::Error;

use crate::cli::{Missing, Parts};
use crate::failure;
use crate::found::Found;
use crate::part::Idle;
use crate::piece::{Ending, Opened, Piece};
use crate::position::{Entry, Position};
use crate::rotation;
use crate::source::FileSource;

/// What has become of a file.
enum Fate {
    Here(Box<Piece>),
    /// Its number is another file's now, or it was truncated.
    Replaced,
    Gone,
}

impl FileSource {
    pub(crate) fn restore(&mut self, position: Position) -> Result<(), Error> {
        for entry in position.files {
            let fate = self.find_again(&entry).map_err(|error| failure::error(Path::new(&entry.path), &error))?;
            match fate {
                Fate::Here(piece) => {
                    let part = self.known_part(&entry)?;
                    self.parts[part].pieces.push(*piece);
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

    fn known_part(&mut self, entry: &Entry) -> Result<usize, Error> {
        if self.settings.parts == Parts::Files {
            return Ok(self.part_named(&entry.part));
        }
        let index = self.parts.iter().position(|part| part.name == entry.part);
        index.ok_or_else(|| {
            Error::data(format_args!("the position has a partition \"{}\", the flags have not", entry.part))
        })
    }

    fn find_again(&self, entry: &Entry) -> io::Result<Fate> {
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
            let mut piece = Piece::resumed(&found, path, content, trace);
            piece.is_skipping = entry.skipping;
            piece.has_departed = found.path != path;
            piece.created = None;
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
