//! Files that were truncated or written anew. What was in them may be in a copy (as logrotate's copytruncate makes it),
//! which is read first.

use std::collections::HashSet;
use std::io;

use millpipe::{Error, Out};

use crate::bookmark::Trace;
use crate::content::{Content, Limits};
use crate::failure;
use crate::found::{FileId, Found};
use crate::missed::{Elsewhere, State, missed, rank_before, unknown};
use crate::part_list::{PartList, PieceIndex};
use crate::piece::Piece;
use crate::rank::{self, Last};
use crate::rotation;

/// Begins a file anew that was truncated, and puts before it what was left of it. Returns how many pieces that is.
///
/// # Errors
/// The system's.
pub fn replaced(parts: &mut PartList, at: PieceIndex, limits: Limits, out: &mut Out) -> Result<usize, Error> {
    let known = parts.ids();
    let originals = parts.pieces().filter(|piece| !piece.is_copy()).map(Piece::id).collect();
    parts.part_mut(at.part).look_again();
    let piece = parts.piece_mut(at);
    let (named, name, offset) = (piece.named().to_owned(), piece.name(), piece.offset());
    let failed = |error: io::Error| failure::error(&named, &error);
    let copy = copy(piece, &originals, limits).map_err(failed)?;
    let changed_ns = piece.changed_ns().map_err(failed)?;
    let Some((found, content, trace)) = copy else {
        parts.give_if_whole(at, out);
        parts.piece_mut(at).restart();
        out.warn(format_args!(
            "{name}: truncated or replaced after byte {offset}: read from its start; what was written after that byte is lost"
        ));
        return Ok(0);
    };
    let (id, line) = (piece.id(), piece.lines().line_state());
    piece.restart();
    let path = found.path.display();
    out.warn(format_args!(
        "{name}: truncated after byte {offset}: what was left is read from {path}, then it from its start"
    ));
    let mut before = vec![Piece::copied(&found, &named, content, trace, line)];
    let elsewhere = Elsewhere { there: id, known: &known, limits };
    for missed in missed(&before[0], parts.part(at.part).pieces(), &elsewhere)? {
        // What is later is so by renaming.
        if missed.state != State::Untold && missed.found.stamp.changed_ns < changed_ns {
            before.push(Piece::renamed(&missed.found, &named));
        }
    }
    let count = before.len();
    parts.part_mut(at.part).insert(at.piece, before);
    Ok(count)
}

/// The old file of a piece's path that has what was read of the piece: a copy, perhaps compressed, that may go on after it.
fn copy(piece: &Piece, originals: &HashSet<FileId>, limits: Limits) -> io::Result<Option<(Found, Content, Trace)>> {
    if !piece.lines().is_begun() {
        return Ok(None);
    }
    let (bookmark, next) = (piece.bookmark(), piece.lines().unfinished());
    for found in rotation::siblings(piece.named())? {
        // Half a line tells little.
        let may_be = bookmark.offset > 0 || found.stamp.changed_ns >= piece.times().found_changed_ns;
        if may_be
            && !originals.contains(&found.id)
            && let Some((content, trace)) = rotation::fit_with(&found, &bookmark, next, limits)
        {
            return Ok(Some((found, content, trace)));
        }
    }
    Ok(None)
}

/// Puts copies before a file of which nothing was read that hold what was in it meanwhile, and returns how many. An empty
/// log can be written to, copied away and truncated between two looks: nothing in itself tells but its time.
///
/// # Errors
/// The system's.
pub fn copied_away(parts: &mut PartList, at: PieceIndex, limits: Limits, out: &mut Out) -> Result<usize, Error> {
    let piece = parts.piece(at);
    let failed = |error: io::Error| failure::error(piece.path(), &error);
    let Some((before, now)) = piece.lines().changed_while_empty().map_err(failed)? else { return Ok(0) };
    // A renamed one was not copied away.
    if Found::at(piece.path()).map_err(failed)?.is_none_or(|found| found.id != piece.id()) {
        return Ok(0);
    }
    let last = Last::changed(before.changed_ns, piece.times().created);
    let copies = copies_since(parts, at, last, limits).map_err(failed)?;
    let named = piece.named().to_owned();
    for copy in &copies {
        let (name, copy) = (named.display(), copy.path.display());
        out.warn(format_args!("{name}: truncated: what was in it is read from {copy}, then it from its start"));
    }
    let part = parts.part_mut(at.part);
    part.pieces_mut()[at.piece].seen_empty(now);
    if !copies.is_empty() {
        part.look_again();
    }
    let count = copies.len();
    part.insert(at.piece, copies.iter().map(|found| Piece::renamed(found, &named)).collect());
    Ok(count)
}

/// Copies of what was in an empty file since it was last seen.
fn copies_since(parts: &PartList, at: PieceIndex, last: Last, limits: Limits) -> io::Result<Vec<Found>> {
    let (piece, pieces) = (parts.piece(at), parts.part(at.part).pieces());
    let siblings = rotation::siblings(piece.named())?;
    let last = Last { rank: rank_before(piece, pieces, &siblings), ..last };
    let newer = rank::newer(siblings.clone(), piece.named(), &last);
    if newer.is_empty() {
        return Ok(Vec::new());
    }
    let known = parts.ids();
    let elsewhere = Elsewhere { there: piece.id(), known: &known, limits };
    let missed = unknown(newer, &siblings, piece, pieces, &elsewhere);
    let mut copies: Vec<Found> =
        missed.into_iter().filter(|missed| missed.state != State::Untold).map(|missed| missed.found).collect();
    let start = rotation::start_of(piece.path(), limits)?;
    copies.retain(|found| found.stamp.size > 0 && !rotation::shares_start(&found.path, &start, limits));
    Ok(copies)
}
