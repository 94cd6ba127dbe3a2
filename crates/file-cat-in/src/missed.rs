//! Files that were rotated away before they were looked at.

use std::collections::HashSet;

use millpipe::Error;

use crate::content::Limits;
use crate::copies::{self, Likeness};
use crate::failure;
use crate::found::{FileId, Found};
use crate::piece::Piece;
use crate::rank::{self, Last, Rank};
use crate::rotation;

/// Files that are read elsewhere, and need not be read again.
#[derive(Clone, Copy)]
pub struct Elsewhere<'k> {
    /// The file that is there now.
    pub there: FileId,
    pub known: &'k HashSet<FileId>,
    pub limits: Limits,
}

/// A file that nobody has read.
pub struct Missed {
    pub found: Found,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Whole,
    /// It is compressed, its end is not there, and its start is of no file that is known.
    Unwhole,
    /// The same, and there is so little that it may be a copy of one that is known.
    Untold,
}

/// Files that had a path between the last one of it that we know, which is among `pieces`, and the one that is there
/// now.
///
/// # Errors
/// When the folder cannot be read.
pub fn missed(last: &Piece, pieces: &[Piece], elsewhere: &Elsewhere<'_>) -> Result<Vec<Missed>, Error> {
    let failed = |error: std::io::Error| failure::error(last.named(), &error);
    let siblings = rotation::siblings(last.named()).map_err(failed)?;
    let own = rank_of(last, &siblings, elsewhere.limits);
    let (times, is_own_rank) = (last.times(), own.is_some());
    let after = Last {
        changed_ns: last.changed_ns().map_err(failed)?,
        written_ns: times.written_ns,
        created: times.created,
        begun: times.begun,
        rank: own.or_else(|| rank_before(last, pieces, &siblings)),
        is_own_rank,
    };
    let newer = rank::newer(siblings.clone(), last.named(), &after);
    Ok(unknown(newer, &siblings, last, pieces, elsewhere))
}

/// Rank by the name of a piece that is under a rotated one now, also as a copy.
fn rank_of(piece: &Piece, siblings: &[Found], limits: Limits) -> Option<Rank> {
    let is_copy = |found: &&Found| {
        let bookmark = piece.bookmark();
        piece.times().written_ns.is_none_or(|written_ns| found.stamp.changed_ns >= written_ns)
            && copies::likeness(found, &bookmark, piece.lines().unfinished(), limits) == Likeness::Copy
    };
    let by_id = siblings.iter().find(|found| found.id == piece.id());
    let found = by_id.or_else(|| siblings.iter().find(|found| piece.lines().is_begun() && is_copy(found)))?;
    Rank::of(piece.named(), &found.path)
}

/// Rank by the names of those of the same path that were read before a piece.
pub fn rank_before(piece: &Piece, pieces: &[Piece], siblings: &[Found]) -> Option<Rank> {
    let before = pieces.iter().rev().skip_while(|other| other.id() != piece.id());
    before.filter(|other| other.named() == piece.named() && other.id() != piece.id()).find_map(|other| {
        let found = siblings.iter().find(|found| found.id == other.id())?;
        Rank::of(piece.named(), &found.path)
    })
}

/// Those of these files that are neither known nor a copy of what was read of a piece, nor of another file that is there.
pub fn unknown(
    files: Vec<Found>,
    siblings: &[Found],
    last: &Piece,
    pieces: &[Piece],
    elsewhere: &Elsewhere<'_>,
) -> Vec<Missed> {
    let is_known =
        |found: &Found| [last.id(), elsewhere.there].contains(&found.id) || elsewhere.known.contains(&found.id);
    let begun: Vec<&Piece> = std::iter::once(last)
        .chain(pieces.iter().filter(|piece| piece.named() == last.named()))
        .filter(|piece| piece.lines().is_begun())
        .collect();
    let state = |found: &Found| -> Option<State> {
        let mut is_told = true;
        for piece in &begun {
            match copies::likeness(found, &piece.bookmark(), piece.lines().unfinished(), elsewhere.limits) {
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
