//! Going on from a position: each of its files is read on, or what is lost is said.

use millpipe::Error;

use crate::cli::Missing;
use crate::failure;
use crate::find_again::{Fate, KnownFiles};
use crate::part_list::PartList;
use crate::piece::Piece;
use crate::position::{Entry, Position};
use crate::settings::Settings;

/// Puts the files of a position into their parts, and returns warnings.
///
/// # Errors
/// A part that the flags do not have; a file that is gone or replaced, and was not read to its end.
pub fn restore(position: &Position, settings: Settings, parts: &mut PartList) -> Result<Vec<String>, Error> {
    let known = KnownFiles::new(position, settings.follow, settings.limits);
    let mut restorer = Restorer { settings, known, parts, warnings: Vec::new() };
    for entry in &position.files {
        restorer.restore(entry)?;
    }
    restorer.parts.note_restored(&position.turn);
    Ok(restorer.warnings)
}

struct Restorer<'p> {
    settings: Settings,
    known: KnownFiles,
    parts: &'p mut PartList,
    warnings: Vec<String>,
}

impl Restorer<'_> {
    fn restore(&mut self, entry: &Entry) -> Result<(), Error> {
        match self.known.find_again(entry).map_err(|error| failure::error(&entry.path(), &error))? {
            Fate::Here(piece) => self.go_on(entry, *piece),
            Fate::Replaced => self.was_replaced(entry),
            Fate::Gone => self.is_gone(entry),
        }
    }

    fn go_on(&mut self, entry: &Entry, piece: Piece) -> Result<(), Error> {
        let part = self.part_of(entry)?;
        let copies = self.known.written_meanwhile(entry, &piece);
        let copies = copies.map_err(|error| failure::error(piece.path(), &error))?;
        copies.into_iter().chain([piece]).try_for_each(|piece| self.put(part, piece))
    }

    /// With --follow it is opened at once: it may be renamed or deleted before its turn.
    fn put(&mut self, part: usize, mut piece: Piece) -> Result<(), Error> {
        if self.settings.follow && !piece.is_open() && !piece.lines().at_end() {
            piece.open(true, self.settings.limits)?;
        }
        self.parts.part_mut(part).push(piece);
        Ok(())
    }

    fn part_of(&mut self, entry: &Entry) -> Result<usize, Error> {
        self.parts.part_of_position(&entry.part).ok_or_else(|| {
            Error::data(format_args!("the position has a partition \"{}\", the flags have not", entry.part))
        })
    }

    fn was_replaced(&mut self, entry: &Entry) -> Result<(), Error> {
        if entry.copy {
            return Ok(());
        }
        let (seen, offset) = (entry.last_seen(), entry.bookmark.offset);
        let path = seen.display();
        let left = entry.left.bytes();
        let writer = self.parts.writer();
        let is_left = entry.end && writer.is_whole(&left) && writer.is_line(&left, offset);
        if is_left {
            self.put_remnant(entry)?;
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
            self.put_remnant(entry)?;
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

    /// Puts the line that was left in a file in its place: nobody will finish it any more.
    fn put_remnant(&mut self, entry: &Entry) -> Result<(), Error> {
        let part = self.part_of(entry)?;
        self.parts.part_mut(part).push(Piece::remnant(entry));
        Ok(())
    }
}
