//! All partitions, which take turns, and the writer of their lines.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use millpipe::{Error, Fault, Out};

use crate::cli::{Cli, Parts};
use crate::file_lines::{Ending, Gave};
use crate::found::{FileId, Found};
use crate::last_lines::Counted;
use crate::line_writer::LineWriter;
use crate::part::{Idle, Part};
use crate::piece::Piece;
use crate::position::Position;
use crate::settings::Settings;

/// This many files are named in a message.
const NAMED_MAX: usize = 3;

/// Place of a piece in the list.
#[derive(Clone, Copy, Debug)]
pub struct PieceIndex {
    pub part: usize,
    pub piece: usize,
}

pub struct PartList {
    settings: Settings,
    parts: Vec<Part>,
    /// The part that is read next.
    turn: usize,
    writer: LineWriter,
    /// They go on from a position.
    is_restored: bool,
}

impl PartList {
    /// Those that the flags name; no file is in them yet.
    pub fn new(cli: &Cli) -> Self {
        let parts = match (cli.parts(), &cli.files[..]) {
            (Parts::Files, _) => Vec::new(),
            (Parts::One, [file]) => vec![Part::new(file)],
            (Parts::One, _) => vec![Part::new("files")],
            (Parts::Arguments, files) => files.iter().map(|file| Part::new(file)).collect(),
        };
        Self { settings: Settings::new(cli), parts, turn: 0, writer: LineWriter::new(cli), is_restored: false }
    }

    pub fn len(&self) -> usize {
        self.parts.len()
    }

    pub fn part(&self, index: usize) -> &Part {
        &self.parts[index]
    }

    pub fn part_mut(&mut self, index: usize) -> &mut Part {
        &mut self.parts[index]
    }

    pub fn piece(&self, at: PieceIndex) -> &Piece {
        &self.parts[at.part].pieces()[at.piece]
    }

    pub fn piece_mut(&mut self, at: PieceIndex) -> &mut Piece {
        &mut self.parts[at.part].pieces_mut()[at.piece]
    }

    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.parts.iter().flat_map(Part::pieces)
    }

    pub fn pieces_mut(&mut self) -> impl Iterator<Item = &mut Piece> {
        self.parts.iter_mut().flat_map(Part::pieces_mut)
    }

    pub fn writer(&self) -> &LineWriter {
        &self.writer
    }

    /// True if they go on from a position.
    pub fn is_restored(&self) -> bool {
        self.is_restored
    }

    /// True if all lines that are wanted are written.
    pub fn is_done(&self) -> bool {
        self.writer.is_done()
    }

    /// The numbers of all files that are known.
    pub fn ids(&self) -> HashSet<FileId> {
        self.pieces().map(Piece::id).collect()
    }

    /// Places of all pieces by a key; of several with the same key, the last.
    pub fn places<K: Eq + Hash>(&self, key: impl Fn(&Piece) -> K) -> HashMap<K, PieceIndex> {
        let mut places = HashMap::new();
        for (part, pieces) in self.parts.iter().map(Part::pieces).enumerate() {
            places.extend(
                pieces.iter().enumerate().map(|(index, piece)| (key(piece), PieceIndex { part, piece: index })),
            );
        }
        places
    }

    /// Each piece with its place.
    pub fn places_mut(&mut self) -> impl Iterator<Item = (PieceIndex, &mut Piece)> {
        self.parts.iter_mut().enumerate().flat_map(|(part, pieces)| {
            let pieces = pieces.pieces_mut().iter_mut().enumerate();
            pieces.map(move |(piece, it)| (PieceIndex { part, piece }, it))
        })
    }

    /// The part in which a new file of an argument belongs.
    pub fn part_of(&mut self, argument: usize, found: &Found) -> usize {
        match self.settings.parts {
            Parts::One => 0,
            Parts::Arguments => argument,
            Parts::Files => self.part_named(&found.path.to_string_lossy()),
        }
    }

    /// The part of this name, which is made if it is not there.
    fn part_named(&mut self, name: &str) -> usize {
        if let Some(index) = self.index_of(name) {
            return index;
        }
        self.parts.push(Part::new(name));
        self.parts.len() - 1
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.parts.iter().position(|part| part.name() == name)
    }

    /// The part of a position; none if the flags have no such part.
    pub fn part_of_position(&mut self, name: &str) -> Option<usize> {
        if self.settings.parts == Parts::Files { Some(self.part_named(name)) } else { self.index_of(name) }
    }

    /// Takes note that all pieces of a position are there, and which part has the turn.
    pub fn note_restored(&mut self, turn: &str) {
        self.turn = self.index_of(turn).unwrap_or(0);
        self.parts.iter_mut().for_each(Part::note_restored);
        self.is_restored = true;
    }

    /// Returns the position of all files.
    pub fn position(&self) -> Position {
        let entries = |part: &Part| part.pieces().iter().map(|piece| piece.entry(part.name())).collect::<Vec<_>>();
        let turn = self.parts.get(self.turn).map(|part| part.name().to_owned()).unwrap_or_default();
        Position { turn, files: self.parts.iter().flat_map(entries).collect() }
    }

    /// Goes to the last lines of each file.
    ///
    /// # Errors
    /// When one cannot be read so.
    pub fn start_at_last(&mut self, lines: u64) -> Result<(), Error> {
        let Settings { follow, limits, .. } = self.settings;
        let counted = Counted { blank: self.writer.takes_blank_lines() };
        self.pieces_mut().try_for_each(|piece| piece.start_at_last(lines, counted, follow, limits))
    }

    /// Makes partitions known before their first line.
    pub fn announce(&mut self, out: &mut Out) {
        for part in &mut self.parts {
            part.announce(self.settings.follow, &mut self.writer, out);
        }
    }

    /// One turn of each part, until one has lines.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn take_turns(&mut self, out: &mut Out) -> Result<Gave, Fault> {
        let mut gave = Gave::End;
        let ending = self.settings.ending();
        for _ in 0..self.parts.len() {
            let part = &mut self.parts[self.turn];
            self.turn += 1;
            match part.give(&mut self.writer, ending, out)? {
                Gave::Lines => gave = Gave::Lines,
                Gave::NotNow => {
                    part.rest(Idle::Now, &mut self.writer, out);
                    gave = Gave::NotNow;
                }
                Gave::End if self.settings.follow => part.rest(Idle::Now, &mut self.writer, out),
                Gave::End => part.rest(Idle::Finally, &mut self.writer, out),
            }
            if self.turn == self.parts.len() {
                self.turn = 0;
            }
            if gave == Gave::Lines {
                break;
            }
        }
        Ok(gave)
    }

    /// Waits for one of the pipes that are read now.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, wait_ms: u64) -> Result<(), Error> {
        let waiting = self.parts.iter().filter_map(Part::current).find(|piece| piece.is_open());
        waiting.map_or(Ok(()), |piece| piece.wait(wait_ms))
    }

    /// Looks at all files again, the first one of each part first.
    pub fn look_again(&mut self) {
        self.parts.iter_mut().for_each(Part::look_again);
    }

    /// Writes what a file ended with before it was cut, if that can be a line.
    pub fn give_if_whole(&mut self, at: PieceIndex, out: &mut Out) {
        let part = &mut self.parts[at.part];
        self.writer.turn_to(part.name());
        part.pieces_mut()[at.piece].give_if_whole(&mut self.writer, out);
    }

    /// Forgets files from which nothing more will come.
    ///
    /// # Errors
    /// The system's.
    pub fn retire(&mut self, out: &mut Out) -> Result<(), Error> {
        let is_part_a_file = self.settings.parts == Parts::Files;
        for part in &mut self.parts {
            part.retire(&mut self.writer, out)?;
            if part.pieces().is_empty() && is_part_a_file {
                part.rest(Idle::Finally, &mut self.writer, out);
            }
        }
        if is_part_a_file {
            let turn = self.parts.get(self.turn).map(|part| part.name().to_owned());
            self.parts.retain(|part| !part.pieces().is_empty());
            self.turn = turn.and_then(|name| self.index_of(&name)).unwrap_or(0);
        }
        Ok(())
    }

    /// True if a piece was found first by this path.
    pub fn has_named(&self, path: &str) -> bool {
        self.pieces().any(|piece| piece.named().as_os_str() == path)
    }

    /// Names the files whose last line is left for the next run.
    pub fn report_waiting(&self, out: &mut Out) {
        let waits = |piece: &&Piece| piece.lines().is_torn() || piece.lines().waits_open(&self.writer);
        let waiting: Vec<&Piece> = self.pieces().filter(waits).collect();
        if waiting.is_empty() {
            return;
        }
        let mut names: Vec<String> =
            waiting.iter().take(NAMED_MAX).map(|piece| format!("{} (byte {})", piece.name(), piece.offset())).collect();
        if waiting.len() > NAMED_MAX {
            names.push(format!("{} more", waiting.len() - NAMED_MAX));
        }
        let ending = self.settings.ending();
        let what = match (ending, self.settings.exactly_once) {
            (Ending::Wait, false) => "is left out",
            (Ending::Wait, true) => "waits for the next start",
            _ => "waits for the next run",
        };
        out.warn(format_args!(
            "the last line has no newline, or its compressed data is not whole, and {what}: {}\n\
             hint: it is taken with its newline, or when the file is renamed, compressed or deleted{}",
            names.join(", "),
            if ending == Ending::Leave { ", or is still so at the next run and the line is whole" } else { "" }
        ));
    }
}
