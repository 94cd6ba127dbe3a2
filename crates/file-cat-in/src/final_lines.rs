//! Last lines without newline that are taken while files are followed, and what is said about those that wait.

use millpipe::Out;

use crate::line_writer::LineWriter;
use crate::part::Part;
use crate::piece::{Ending, Piece, QUIET_MS};
use crate::source::FileSource;

/// So many files are named in a message.
const NAMED_MAX: usize = 3;

impl Part {
    /// A file is about to be read that has come in the place of a renamed one: what that ends with comes first, if it is
    /// whole. True if there was such a line.
    pub(crate) fn give_closed_before(&mut self, writer: &mut LineWriter, out: &mut Out) -> bool {
        let mut gave = false;
        let next = self.next_index();
        let (before, from) = self.pieces.split_at_mut(next);
        let Some(named) = from.first().map(|piece| &piece.named) else { return false };
        for piece in before {
            if piece.has_departed && piece.named == *named && piece.ends_closed(writer) {
                piece.give_torn(writer, out);
                gave = true;
            }
        }
        gave
    }

    /// A renamed file to which nobody has written for a while: what it ends with is a line.
    pub(crate) fn give_if_quiet(&mut self, index: usize, writer: &mut LineWriter, out: &mut Out) {
        let piece = &mut self.pieces[index];
        let is_quiet = piece.has_departed && piece.at_end && out.now_ms() - piece.grown_at_ms >= QUIET_MS;
        if is_quiet && piece.is_open() && piece.waits(writer) {
            let (name, offset) = (piece.name(), piece.offset());
            out.warn(format_args!(
                "{name}: its last line, from byte {offset}, has no newline: taken as a line, as the file was renamed or deleted"
            ));
            writer.turn_to(&self.name);
            piece.give_torn(writer, out);
            self.idle = crate::part::Idle::No;
        }
    }
}

impl FileSource {
    /// Names the files whose last line is left for the next run.
    pub(crate) fn say_what_waits(&self, out: &mut Out) {
        let pieces = self.parts.iter().flat_map(|part| &part.pieces);
        let waiting: Vec<&Piece> = pieces.filter(|piece| piece.is_torn || self.waits(piece)).collect();
        if waiting.is_empty() {
            return;
        }
        let mut names: Vec<String> =
            waiting.iter().take(NAMED_MAX).map(|piece| format!("{} (byte {})", piece.name(), piece.offset())).collect();
        if waiting.len() > NAMED_MAX {
            names.push(format!("{} more", waiting.len() - NAMED_MAX));
        }
        let what = match (self.ending(), self.settings.exactly_once) {
            (Ending::Wait, false) => "is left out",
            (Ending::Wait, true) => "waits for the next start",
            _ => "waits for the next run",
        };
        out.warn(format_args!(
            "the last line has no newline, or its compressed data is not whole, and {what}: {}\n\
             hint: it is taken with its newline, or when the file is renamed, compressed or deleted{}",
            names.join(", "),
            if self.ending() == Ending::Leave { ", or is still so at the next run and the line is whole" } else { "" }
        ));
    }

    fn waits(&self, piece: &Piece) -> bool {
        piece.at_end && piece.is_open() && piece.waits(&self.writer)
    }
}
