//! Files that were rotated away before they were looked at.

use std::collections::HashSet;

use millpipe::{Error, Out};

use crate::content::Limits;
use crate::copies::{self, Likeness};
use crate::failure;
use crate::found::{FileId, Found};
use crate::look::Place;
use crate::piece::{Ending, Piece};
use crate::rank::{self, Last, Rank};
use crate::rotation;
use crate::source::FileSource;

/// What is read elsewhere, and need not be read again.
#[derive(Clone, Copy)]
pub(crate) struct Elsewhere<'k> {
    /// The file that is there now.
    pub there: FileId,
    pub known: &'k HashSet<FileId>,
    pub limits: Limits,
}

/// A file that nobody has read.
pub(crate) struct Missed {
    pub found: Found,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Whole,
    /// It is compressed, its end is not there, and its start is of no file that is known.
    Unwhole,
    /// The same, and there is so little that it may be a copy of one that is known.
    Untold,
}

/// Files that had a path between the last one of it that we know, which is among `pieces`, and the one that is there
/// now.
pub(crate) fn missed(last: &Piece, pieces: &[Piece], elsewhere: &Elsewhere<'_>) -> Result<Vec<Missed>, Error> {
    let failed = |error: std::io::Error| failure::error(&last.named, &error);
    let siblings = rotation::siblings(&last.named).map_err(failed)?;
    let own = rank_of(last, &siblings, elsewhere.limits);
    let is_own_rank = own.is_some();
    let after = Last {
        changed_ns: last.changed_ns().map_err(failed)?,
        written_ns: last.written_ns,
        created: last.created,
        begun: last.begun,
        rank: own.or_else(|| rank_before(last, pieces, &siblings)),
        is_own_rank,
    };
    let newer = rank::newer(siblings.clone(), &last.named, &after);
    Ok(unknown(newer, &siblings, last, pieces, elsewhere))
}

/// What the name says of a piece that is under a rotated one now, also as a copy.
fn rank_of(piece: &Piece, siblings: &[Found], limits: Limits) -> Option<Rank> {
    let is_copy = |found: &&Found| {
        let bookmark = piece.bookmark();
        piece.written_ns.is_none_or(|written_ns| found.stamp.changed_ns >= written_ns)
            && copies::likeness(found, &bookmark, piece.unfinished(), limits) == Likeness::Copy
    };
    let by_id = siblings.iter().find(|found| found.id == piece.id);
    let found = by_id.or_else(|| siblings.iter().find(|found| piece.is_begun() && is_copy(found)))?;
    Rank::of(&piece.named, &found.path)
}

/// What the names say of those of the same path that were read before a piece.
pub(crate) fn rank_before(piece: &Piece, pieces: &[Piece], siblings: &[Found]) -> Option<Rank> {
    let before = pieces.iter().rev().skip_while(|other| other.id != piece.id);
    before.filter(|other| other.named == piece.named && other.id != piece.id).find_map(|other| {
        let found = siblings.iter().find(|found| found.id == other.id)?;
        Rank::of(&piece.named, &found.path)
    })
}

/// Those of these files that are neither known nor a copy of what was read of a piece, nor of another file that is there.
pub(crate) fn unknown(
    files: Vec<Found>,
    siblings: &[Found],
    last: &Piece,
    pieces: &[Piece],
    elsewhere: &Elsewhere<'_>,
) -> Vec<Missed> {
    let is_known =
        |found: &Found| [last.id, elsewhere.there].contains(&found.id) || elsewhere.known.contains(&found.id);
    let begun: Vec<&Piece> = std::iter::once(last)
        .chain(pieces.iter().filter(|piece| piece.named == last.named))
        .filter(|piece| piece.is_begun())
        .collect();
    let state = |found: &Found| -> Option<State> {
        let mut is_told = true;
        for piece in &begun {
            match copies::likeness(found, &piece.bookmark(), piece.unfinished(), elsewhere.limits) {
                Likeness::Copy | Likeness::Begun => return None,
                Likeness::Unknown => is_told = false,
                Likeness::Other => {}
            }
        }
        let extent = rotation::has_compressed_name(&found.path).then(|| copies::extent(&found.path, elsewhere.limits));
        // Damaged ones are told when they are read.
        let Some(Ok(extent)) = extent else { return Some(State::Whole) };
        match extent.is_whole {
            _ if copies::is_of_one_there(found, extent, siblings, elsewhere.limits) => None,
            true => Some(State::Whole),
            false if is_told => Some(State::Unwhole),
            false => Some(State::Untold),
        }
    };
    let files = files.into_iter().filter(|found| !is_known(found));
    files.filter_map(|found| state(&found).map(|state| Missed { found, state })).collect()
}

impl FileSource {
    /// What rotation has put between a new file and the last one of its path; none if that cannot be told yet.
    pub(crate) fn missed_before(
        &mut self,
        found: &Found,
        last: Place,
        known: &HashSet<FileId>,
        out: &mut Out,
    ) -> Result<Option<Vec<Found>>, Error> {
        let pieces = &self.parts[last.0].pieces;
        let elsewhere = Elsewhere { there: found.id, known, limits: self.settings.limits };
        let missed = missed(&pieces[last.1], pieces, &elsewhere)?;
        let unread = || pieces.iter().filter(|piece| piece.named == found.path && piece.is_open() && !piece.at_end);
        // A plain copy is made of one that is deleted then.
        let is_deleted = |piece: &Piece| piece.is_unreachable().unwrap_or(true);
        let may_be_copy = |missed: &Missed| {
            rotation::has_compressed_name(&missed.found.path) && unread().next().is_some() || unread().any(is_deleted)
        };
        if missed.iter().any(may_be_copy) {
            // When those before it are read to their ends, their content tells.
            self.look_at_ms = self.watch_at_ms;
            self.looks_again = true;
            return Ok(None);
        }
        self.without_unwhole(missed, out)
    }

    /// None if there is one that may become whole.
    fn without_unwhole(&mut self, missed: Vec<Missed>, out: &mut Out) -> Result<Option<Vec<Found>>, Error> {
        let mut is_waiting = false;
        let mut taken = Vec::new();
        for Missed { found, state } in missed {
            if state == State::Whole {
                taken.push(found);
                continue;
            }
            if self.ending() == Ending::Take {
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
        Ok(if is_waiting { None } else { Some(taken) })
    }
}
