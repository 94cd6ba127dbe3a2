//! An empty log that was written to, copied away and truncated between two looks (logrotate's copytruncate): nothing in
//! itself tells but its time.

use std::collections::HashSet;

use millpipe::{Fault, Out};

use crate::failure;
use crate::found::{FileId, Found};
use crate::look::Place;
use crate::missed::{Elsewhere, State, rank_before, unknown};
use crate::piece::Piece;
use crate::rank::{self, Last};
use crate::rotation;
use crate::source::FileSource;

impl FileSource {
    /// Of a file of which nothing was read: puts the copies in front of it that hold what was in it meanwhile, and
    /// returns how many.
    pub(crate) fn copied_away(&mut self, (part, index): Place, out: &mut Out) -> Result<usize, Fault> {
        let limits = self.settings.limits;
        let piece = &self.parts[part].pieces[index];
        let failed = |error: std::io::Error| failure::error(&piece.path, &error);
        let Some((before, now)) = piece.changed_while_empty().map_err(failed)? else { return Ok(0) };
        // A renamed one was not copied away.
        if Found::at(&piece.path).map_err(failed)?.is_none_or(|found| found.id != piece.id) {
            return Ok(0);
        }
        let siblings = rotation::siblings(&piece.named).map_err(failed)?;
        let rank = rank_before(piece, &self.parts[part].pieces, &siblings);
        let last = Last { rank, ..Last::changed(before.changed_ns, piece.created) };
        let newer = rank::newer(siblings.clone(), &piece.named, &last);
        let mut copies: Vec<Found> = Vec::new();
        if !newer.is_empty() {
            let known: HashSet<FileId> = self.places(|piece| piece.id).into_keys().collect();
            let elsewhere = Elsewhere { there: piece.id, known: &known, limits };
            let missed = unknown(newer, &siblings, piece, &self.parts[part].pieces, &elsewhere);
            copies =
                missed.into_iter().filter(|missed| missed.state != State::Untold).map(|missed| missed.found).collect();
            let start = rotation::start_of(&piece.path, limits).map_err(failed)?;
            copies.retain(|found| found.stamp.size > 0 && !rotation::shares_start(&found.path, &start, limits));
        }
        let named = piece.named.clone();
        for copy in &copies {
            let (name, copy) = (named.display(), copy.path.display());
            out.warn(format_args!("{name}: truncated: what was in it is read from {copy}, then it from its start"));
        }
        let part = &mut self.parts[part];
        part.pieces[index].seen_empty(now);
        if !copies.is_empty() {
            part.look_again();
        }
        let count = copies.len();
        part.pieces.splice(index..index, copies.iter().map(|found| Piece::renamed(found, &named)));
        Ok(count)
    }
}
