//! Whether a file is a copy of another one, also one that is still being written: its compressed data ends early. What
//! such a one has may be known, so it is not read as new before that can be told.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use millpipe::Error;

use crate::bookmark::{Bookmark, Fit};
use crate::content::{Content, Got, Limits};
use crate::failure;
use crate::file_lines::Ending;
use crate::found::{FileId, Found};
use crate::piece::Piece;
use crate::rotation;
use crate::settings::Settings;

/// A compressed copy of less than this is believed by its name only.
const SURE_BYTES: u64 = 256;

/// Says how much a file has of the content that was read of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// All of it.
    Copy,
    /// It is compressed and not whole, and has its start.
    Begun,
    /// It is compressed and not whole, and too short to tell.
    Unknown,
    Other,
}

/// Length of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// After the decompression.
    bytes: u64,
    pub is_whole: bool,
}

/// Compares a file with what was read of another one, and what came after that.
pub fn likeness(found: &Found, bookmark: &Bookmark, next: &[u8], limits: Limits) -> Likeness {
    let fit = Content::open(&found.path, true, limits).and_then(|content| bookmark.find_in(content));
    match fit {
        Ok(Fit::Here(content, _)) if bookmark.offset == 0 => likeness_at_start(found, *content, next),
        Ok(Fit::Here(..)) => Likeness::Copy,
        Ok(Fit::Shorter(content)) if is_cut(found, &content) => Likeness::Begun,
        Ok(Fit::Short(content)) if is_cut(found, &content) => Likeness::Unknown,
        // Damaged ones are told when they are read.
        Ok(_) | Err(_) => Likeness::Other,
    }
}

fn likeness_at_start(found: &Found, mut content: Content, next: &[u8]) -> Likeness {
    let mut start = vec![0; next.len()];
    match content.read_full(&mut start) {
        Ok(length) if start[..length] != next[..length] => Likeness::Other,
        Ok(length) if length == next.len() => Likeness::Copy,
        Ok(_) if is_cut(found, &content) => Likeness::Unknown,
        Ok(_) | Err(_) => Likeness::Other,
    }
}

/// A compressed file that was read to its end, and goes on there.
fn is_cut(found: &Found, content: &Content) -> bool {
    rotation::has_compressed_name(&found.path) && !content.is_whole()
}

/// Reads a file to its end.
///
/// # Errors
/// The system's; `InvalidData` for damaged compression.
pub fn extent(path: &Path, limits: Limits) -> io::Result<Extent> {
    let mut content = Content::open(path, true, limits)?;
    let mut block = vec![0; 64 * 1024];
    let mut bytes = 0;
    while let Got::Bytes(n) = content.read(&mut block)? {
        bytes += n as u64;
    }
    Ok(Extent { bytes, is_whole: content.is_whole() })
}

/// True if a file has what no other one that is there has: it is whole, and no copy.
pub fn is_new(found: &Found, beside: &[Found], limits: Limits) -> bool {
    if !rotation::has_compressed_name(&found.path) {
        return true;
    }
    // Damaged ones are told when they are read.
    let Ok(extent) = extent(&found.path, limits) else { return true };
    extent.is_whole && !is_of_one_there(found, extent, beside, limits)
}

/// True if a compressed file is made of one that is still there, which is read in its place. That may be under another
/// name: then the content tells.
pub fn is_of_one_there(found: &Found, extent: Extent, beside: &[Found], limits: Limits) -> bool {
    let start = rotation::start_of(&found.path, limits).unwrap_or_default();
    let stem = rotation::uncompressed(&found.path).and_then(|stem| Found::at(&stem).ok().flatten());
    if stem.is_some() && !extent.is_whole {
        return true;
    }
    let plain = beside.iter().filter(|other| !rotation::has_compressed_name(&other.path)).chain(&stem);
    !start.is_empty()
        && plain.filter(|other| other.id != found.id).any(|other| {
            let may_be =
                if extent.is_whole { other.stamp.size == extent.bytes } else { other.stamp.size >= extent.bytes };
            may_be && rotation::start_of(&other.path, limits).is_ok_and(|theirs| theirs.starts_with(&start))
        })
}

/// Says whether a new file has content that is known.
pub enum Copied {
    No,
    /// It has what was read up to there, and what comes after is read from the original.
    From(Bookmark),
    /// That must be read to its end before it tells.
    NotYetKnown,
    /// It is still being written, and so far it has.
    NotYetWhole,
}

fn may_be_copied(piece: &Piece, found: &Found) -> bool {
    let is_sure = piece.offset() >= SURE_BYTES || rotation::is_compressed_name(&found.path, piece.path());
    let is_beside = piece.path().parent() == found.path.parent();
    (piece.is_unread() || (is_sure && piece.lines().is_begun()))
        && is_beside
        && !piece.is_copy()
        && !rotation::has_compressed_name(piece.path())
}

/// Says whether a new file is a compressed copy of one of these pieces, if that was known before.
///
/// # Errors
/// When it cannot be read, or is not whole and nothing more is waited for.
pub fn copied<'p>(
    found: &Found,
    known: &HashSet<FileId>,
    pieces: impl Iterator<Item = &'p Piece>,
    settings: &Settings,
) -> Result<Copied, Error> {
    let Some(stem) = rotation::uncompressed(&found.path) else { return Ok(Copied::No) };
    for piece in pieces.filter(|piece| known.contains(&piece.id()) && may_be_copied(piece, found)) {
        if piece.offset() < SURE_BYTES && piece.is_unread() {
            return Ok(Copied::NotYetKnown);
        }
        let failed = |error: io::Error| failure::error(&found.path, &error);
        let content = Content::open(&found.path, settings.follow, settings.limits).map_err(failed)?;
        match piece.bookmark().find_in(content) {
            Ok(Fit::Here(mut content, _)) => {
                if rotation::goes_on_with(&mut content, &piece.bookmark(), piece.lines().unfinished()) {
                    return Ok(Copied::From(piece.bookmark()));
                }
            }
            Ok(Fit::Shorter(content) | Fit::Short(content)) if !content.is_whole() => {
                return not_yet_whole(found, settings);
            }
            // Damaged ones are told when they are read.
            Ok(_) | Err(_) => {}
        }
    }
    // What it is made of came at the same moment: when that is known, its content tells.
    let is_new = |stem: &Found| !known.contains(&stem.id) && stem.is_regular;
    if settings.follow
        && Found::at(&stem).is_ok_and(|stem| stem.is_some_and(|stem| is_new(&stem)))
        && extent(&found.path, settings.limits).is_ok_and(|extent| !extent.is_whole)
    {
        return Ok(Copied::NotYetWhole);
    }
    Ok(Copied::No)
}

fn not_yet_whole(found: &Found, settings: &Settings) -> Result<Copied, Error> {
    match settings.ending() {
        Ending::Take => Err(failure::not_whole(&found.path)),
        Ending::Wait | Ending::Leave => Ok(Copied::NotYetWhole),
    }
}
