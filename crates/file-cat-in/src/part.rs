//! The files that are one partition: read one after the other.

use millpipe::{Fault, Out};

use crate::line_writer::LineWriter;
use crate::piece::{Ending, Gave, Piece};

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
    pub name: String,
    /// In the order in which they are read.
    pub pieces: Vec<Piece>,
    pub idle: Idle,
    /// Those before it are at their end.
    next: usize,
}

impl Part {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), pieces: Vec::new(), idle: Idle::No, next: 0 }
    }

    /// One turn.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn give(&mut self, writer: &mut LineWriter, ending: Ending, out: &mut Out) -> Result<Gave, Fault> {
        writer.turn_to(&self.name);
        while let Some(piece) = self.pieces.get_mut(self.next) {
            if !piece.rests() {
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

    /// A piece was added, or has grown: all are looked at again, the first one first.
    pub fn look_again(&mut self) {
        self.next = 0;
    }

    /// Where the piece is that is read now.
    pub fn next_index(&self) -> usize {
        self.next.min(self.pieces.len())
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

    /// True when all that is known was read.
    pub fn is_at_end(&self) -> bool {
        self.pieces.iter().all(|piece| piece.at_end)
    }
}
