//! The files that are one partition: read one after the other.

use millpipe::{Error, Fault, Out};

use crate::failure;
use crate::file_lines::{Ending, Gave};
use crate::line_writer::LineWriter;
use crate::piece::Piece;

/// This many renamed files of one path are still watched: a program may keep writing to one.
const RENAMED_MAX: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    No,
    /// There is nothing to read now, and it was said.
    Now,
    /// There will never be anything again, and it was said.
    Finally,
}

pub struct Part {
    /// As marks have it.
    name: String,
    /// In the order in which they are read.
    pieces: Vec<Piece>,
    idle: Idle,
    /// Those before it are at their end.
    next: usize,
}

impl Part {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), pieces: Vec::new(), idle: Idle::No, next: 0 }
    }

    /// Name as marks have it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Pieces in the order in which they are read.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub fn pieces_mut(&mut self) -> &mut [Piece] {
        &mut self.pieces
    }

    /// Adds a piece after the others.
    pub fn push(&mut self, piece: Piece) {
        self.pieces.push(piece);
    }

    /// Puts pieces before another one.
    pub fn insert(&mut self, index: usize, pieces: Vec<Piece>) {
        self.pieces.splice(index..index, pieces);
    }

    /// Makes it known before its first line. One that an earlier run has finished need not be, if nothing can `follow`.
    pub fn announce(&mut self, follow: bool, writer: &mut LineWriter, out: &mut Out) {
        if self.idle == Idle::Finally && self.is_at_end() && !follow {
            return;
        }
        self.idle = Idle::No;
        writer.announce(&self.name, out);
    }

    /// One turn.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn give(&mut self, writer: &mut LineWriter, ending: Ending, out: &mut Out) -> Result<Gave, Fault> {
        writer.turn_to(&self.name);
        while let Some(piece) = self.pieces.get_mut(self.next) {
            if !piece.lines().rests() {
                if piece.offset() == 0 && self.give_closed_before(writer, out) {
                    return Ok(Gave::Lines);
                }
                let Some(piece) = self.pieces.get_mut(self.next) else { break };
                match piece.give(writer, ending, out)? {
                    Gave::End => {}
                    Gave::NotNow => return Ok(Gave::NotNow),
                    Gave::Lines => {
                        self.idle = Idle::No;
                        return Ok(Gave::Lines);
                    }
                }
            }
            self.next += 1;
        }
        Ok(Gave::End)
    }

    /// A file is about to be read that has come in the place of a renamed one: what that ends with comes first, if it is
    /// whole. True if there was such a line.
    fn give_closed_before(&mut self, writer: &mut LineWriter, out: &mut Out) -> bool {
        let mut gave = false;
        let (before, from) = self.pieces.split_at_mut(self.next);
        let Some(named) = from.first().map(Piece::named) else { return false };
        for piece in before {
            if piece.named() == named && piece.ends_closed(writer) {
                piece.give_torn(writer, out);
                gave = true;
            }
        }
        gave
    }

    /// A piece was added, or has grown: all are looked at again, the first one first.
    pub fn look_again(&mut self) {
        self.next = 0;
    }

    /// The piece that is read now.
    pub fn current(&self) -> Option<&Piece> {
        self.pieces.get(self.next)
    }

    /// Says, once, that there is nothing to read.
    pub fn rest(&mut self, idle: Idle, writer: &mut LineWriter, out: &mut Out) {
        if self.idle == Idle::No || (self.idle == Idle::Now && idle == Idle::Finally) {
            self.idle = idle;
            writer.idle(&self.name, idle == Idle::Finally, out);
        }
    }

    /// Takes note that its pieces are those of a position.
    pub fn note_restored(&mut self) {
        if self.is_at_end() {
            // Its end was said before the position was taken.
            self.idle = Idle::Finally;
        }
    }

    /// True when all that is known was read.
    fn is_at_end(&self) -> bool {
        self.pieces.iter().all(|piece| piece.lines().at_end())
    }

    /// Forgets files from which nothing more will come.
    ///
    /// # Errors
    /// The system's.
    pub fn retire(&mut self, writer: &mut LineWriter, out: &mut Out) -> Result<(), Error> {
        let mut index = 0;
        while index < self.pieces.len() {
            self.give_if_quiet(index, writer, out);
            if !self.is_over(index, out.now_ms())? {
                index += 1;
                continue;
            }
            let mut piece = self.pieces.remove(index);
            writer.turn_to(&self.name);
            piece.give_torn(writer, out);
            self.idle = Idle::No;
            self.look_again();
        }
        Ok(())
    }

    /// A renamed file to which nobody has written for a while: what it ends with is a line.
    fn give_if_quiet(&mut self, index: usize, writer: &mut LineWriter, out: &mut Out) {
        let piece = &mut self.pieces[index];
        if piece.has_departed() && piece.is_quiet(out.now_ms()) && piece.lines().waits_open(writer) {
            let (name, offset) = (piece.name(), piece.offset());
            out.warn(format_args!(
                "{name}: its last line, from byte {offset}, has no newline: taken as a line, as the file was renamed or deleted"
            ));
            writer.turn_to(&self.name);
            piece.give_torn(writer, out);
            self.idle = Idle::No;
        }
    }

    /// True if nothing more will come from a piece.
    fn is_over(&self, index: usize, now_ms: i64) -> Result<bool, Error> {
        let piece = &self.pieces[index];
        if !piece.has_departed() || !piece.lines().at_end() {
            return Ok(false);
        }
        let is_deleted = piece.is_unreachable().map_err(|error| failure::error(piece.path(), &error))?;
        let later = self.pieces[index + 1..].iter().filter(|other| other.named() == piece.named()).count();
        Ok((is_deleted && piece.is_quiet(now_ms)) || later > RENAMED_MAX)
    }
}
