//! Files that have come: each is put where it is read in its turn, or waits until it can be told what it is.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use millpipe::{Error, Out};

use crate::copies::{Copied, copied};
use crate::failure;
use crate::file_lines::Ending;
use crate::found::{FileId, Found};
use crate::missed::{Elsewhere, Missed, State, missed};
use crate::part_list::{PartList, PieceIndex};
use crate::piece::{Opened, Piece};
use crate::rotation;
use crate::settings::Settings;
use crate::unwhole::Unwhole;

pub struct NewFiles {
    settings: Settings,
    unwhole: Unwhole,
    /// A file was not taken yet, as those before it were not read to their ends.
    looks_again: bool,
}

/// Files that rotation has put between a new file and the last one of its path.
enum Before {
    Files(Vec<Found>),
    /// Those before them must be read to their ends before that can be told.
    NotYetRead,
    /// One of them may become whole.
    NotYetWhole,
}

impl NewFiles {
    pub fn new(settings: Settings) -> Self {
        Self { settings, unwhole: Unwhole::default(), looks_again: false }
    }

    /// Begins a look through the folders.
    pub fn begin_look(&mut self) {
        self.unwhole.begin_look();
    }

    /// Ends a look through the folders.
    pub fn end_look(&mut self) {
        self.unwhole.end_look();
    }

    /// Returns true, once, if there is a file that could not be taken before others were read to their ends.
    pub fn take_looks_again(&mut self) -> bool {
        std::mem::take(&mut self.looks_again)
    }

    /// Names the files that are waited for.
    pub fn report_waiting(&self, out: &mut Out) {
        self.unwhole.report(out);
    }

    /// Adds files in this order, each after what rotation has put between it and the last one of its path. True if a file
    /// of a path waits for what is read now: then it is looked for again as soon as that may be.
    ///
    /// # Errors
    /// When a file cannot be read, or is not whole and nothing more is waited for.
    pub fn add_all(
        &mut self,
        parts: &mut PartList,
        new: Vec<(usize, Found)>,
        mut known: HashSet<FileId>,
        out: &mut Out,
    ) -> Result<bool, Error> {
        let mut is_soon = false;
        let before = known.clone();
        let lasts: HashMap<PathBuf, PieceIndex> = parts.places(|piece| piece.named().to_owned());
        for (argument, found) in new {
            if known.contains(&found.id) {
                continue;
            }
            let part = parts.part_of(argument, &found);
            if let Some(last) = lasts.get(&found.path) {
                let missed = match self.missed_before(parts, &found, *last, &known, out)? {
                    Before::Files(missed) => missed,
                    Before::NotYetRead => {
                        (is_soon, self.looks_again) = (true, true);
                        continue;
                    }
                    Before::NotYetWhole => continue,
                };
                for missed in missed {
                    known.insert(missed.id);
                    self.add(parts, part, Piece::renamed(&missed, &found.path))?;
                }
            }
            if self.add_one(parts, part, &found, &before, out)? {
                known.insert(found.id);
            }
        }
        Ok(is_soon)
    }

    /// Adds a new file; false if it has to wait.
    fn add_one(
        &mut self,
        parts: &mut PartList,
        part: usize,
        found: &Found,
        before: &HashSet<FileId>,
        out: &mut Out,
    ) -> Result<bool, Error> {
        match copied(found, before, parts.pieces(), &self.settings)? {
            Copied::No => self.add(parts, part, Piece::new(found, &found.path))?,
            Copied::From(bookmark) => parts.part_mut(part).push(Piece::unread_copy(found, bookmark)),
            Copied::NotYetKnown => {
                self.looks_again = true;
                return Ok(false);
            }
            Copied::NotYetWhole => {
                self.unwhole.note(found, out.now_ms());
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// With --follow it is opened at once: it may be renamed before its turn. One that was just renamed is left to the
    /// next look.
    fn add(&self, parts: &mut PartList, part: usize, mut piece: Piece) -> Result<(), Error> {
        if self.settings.follow && piece.open(true, self.settings.limits)? != Opened::Here {
            return Ok(());
        }
        let part = parts.part_mut(part);
        part.push(piece);
        part.look_again();
        Ok(())
    }

    fn missed_before(
        &mut self,
        parts: &PartList,
        found: &Found,
        last: PieceIndex,
        known: &HashSet<FileId>,
        out: &mut Out,
    ) -> Result<Before, Error> {
        let pieces = parts.part(last.part).pieces();
        let elsewhere = Elsewhere { there: found.id, known, limits: self.settings.limits };
        let missed = missed(parts.piece(last), pieces, &elsewhere)?;
        let unread = || pieces.iter().filter(|piece| piece.named() == found.path && piece.is_unread());
        // A plain copy is made of one that is deleted then.
        let is_deleted = |piece: &Piece| piece.is_unreachable().unwrap_or(true);
        let may_be_copy = |missed: &Missed| {
            rotation::has_compressed_name(&missed.found.path) && unread().next().is_some() || unread().any(is_deleted)
        };
        if missed.iter().any(may_be_copy) {
            // When those before it are read to their ends, their content tells.
            return Ok(Before::NotYetRead);
        }
        self.without_unwhole(missed, out)
    }

    /// Leaves out those that are not whole, unless one may still become so.
    fn without_unwhole(&mut self, missed: Vec<Missed>, out: &mut Out) -> Result<Before, Error> {
        let mut is_waiting = false;
        let mut taken = Vec::new();
        for Missed { found, state } in missed {
            if state == State::Whole {
                taken.push(found);
                continue;
            }
            if self.settings.ending() == Ending::Take {
                return Err(failure::not_whole(&found.path));
            }
            let is_left = self.unwhole.note(&found, out.now_ms()) && self.settings.follow;
            is_waiting |= !is_left;
            if is_left {
                out.warn(format_args!(
                    "{}: its compressed data is not whole, and nobody has written to it for a while: {}",
                    found.path.display(),
                    if state == State::Untold { "left out" } else { "read as far as it goes" }
                ));
            }
            if state == State::Unwhole {
                taken.push(found);
            }
        }
        Ok(if is_waiting { Before::NotYetWhole } else { Before::Files(taken) })
    }
}
