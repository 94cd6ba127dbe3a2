//! A batch of lines on its way through a pool of workers, and what a worker made of it.

use protocol::{Done, Out, Place};
use stream::{Error, Fault};

/// A larger buffer for output is not kept.
const OUTPUT_KEPT_BYTES: usize = 4 << 20;

/// Whole lines of the input, without a mark or a blank line between them.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Its number among the batches of this run.
    pub sequence: u64,
    /// The lines, each with its newline.
    pub bytes: Vec<u8>,
    pub lines: usize,
    /// Where each ends: the place of its newline.
    ends: Vec<usize>,
    /// A bad line ends the run: what is behind the first one need not be worked on.
    pub stops_on_error: bool,
    runs: Vec<Run>,
    /// An empty buffer that was used before.
    for_output: Vec<u8>,
}

/// Where lines that follow each other without a gap begin: places are kept by the run, not by the line.
#[derive(Debug)]
struct Run {
    first: usize,
    start: usize,
    place: Place,
}

impl Batch {
    pub fn push(&mut self, line: &[u8], place: Place) {
        if self.end().is_none_or(|end| (end.line, end.byte) != (place.line, place.byte)) {
            self.runs.push(Run { first: self.lines, start: self.bytes.len(), place });
        }
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len());
        self.bytes.push(b'\n');
        self.lines += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// Becomes a batch of these lines, which end there; its old buffer comes back.
    pub fn take_lines(&mut self, lines: Vec<u8>, ends: Vec<usize>, place: Place) -> Vec<u8> {
        self.clear();
        self.runs.push(Run { first: 0, start: 0, place });
        self.lines = ends.len();
        self.ends = ends;
        std::mem::replace(&mut self.bytes, lines)
    }

    /// Of an empty batch, its list of ends.
    pub fn take_ends(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.ends)
    }

    /// A buffer for what comes of the next lines.
    pub fn keep_for_output(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        if buffer.capacity() <= OUTPUT_KEPT_BYTES {
            self.for_output = buffer;
        }
    }

    /// That buffer.
    pub fn take_for_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.for_output)
    }

    /// The lines without their newlines.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.bytes[std::mem::replace(&mut start, end + 1)..end])
    }

    /// A line, counted from 0, and where it was in the input.
    pub fn line(&self, index: usize) -> (&[u8], Place) {
        let run = self.runs.iter().rev().find(|run| run.first <= index);
        let (Some(Run { first, start, place }), Some(&end)) = (run, self.ends.get(index)) else {
            return (&[], Place::default());
        };
        let at = if index == 0 { 0 } else { self.ends[index - 1] + 1 };
        let place = Place { line: place.line + (index - first) as u64, byte: place.byte + (at - start) as u64 };
        (&self.bytes[at..end], place)
    }

    /// `line 7`, `lines 1 to 400`: the first so many of its lines.
    pub fn range(&self, lines: usize) -> String {
        let first = self.line(0).1.line;
        let last = self.line(lines.saturating_sub(1)).1.line;
        if first == last { format!("line {first}") } else { format!("lines {first} to {last}") }
    }

    /// Makes it an empty one, with the buffers kept.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
        self.ends.clear();
        self.lines = 0;
    }

    /// The place behind the last line.
    fn end(&self) -> Option<Place> {
        let run = self.runs.last()?;
        let line = run.place.line + (self.lines - run.first) as u64;
        Some(Place { line, byte: run.place.byte + (self.bytes.len() - run.start) as u64 })
    }
}

/// What came of a batch.
#[derive(Debug, Default)]
pub(crate) struct Product {
    /// Whole lines.
    pub out: Vec<u8>,
    pub done: Done,
    /// In the order of their lines.
    pub bad: Vec<BadLine>,
    pub failure: Option<Failure>,
}

/// A line that the worker could not take, and how far the output was when it came.
#[derive(Debug)]
pub(crate) struct BadLine {
    pub index: usize,
    pub why: String,
    pub out_bytes: usize,
    pub done: Done,
}

#[derive(Debug)]
pub(crate) enum Failure {
    /// So many lines from the first were tried together and not taken, for this reason. `--on-error` decides.
    Lines(usize, String),
    /// The run cannot go on.
    Stop(Fault),
}

impl Product {
    /// Writes it, and sends its bad lines their way.
    ///
    /// # Errors
    /// What ends the run.
    pub fn write(&mut self, batch: &Batch, out: &mut Out) -> Result<(), Fault> {
        write_product(batch, self, out)
    }

    /// This line is bad, and has added nothing to the output, which has this length.
    pub fn bad(&mut self, index: usize, why: String, out_bytes: usize) {
        self.bad.push(BadLine { index, why, out_bytes, done: self.done });
    }
}

/// Writes what came of a batch: output, bad lines at their place in it, and the failure.
fn write_product(batch: &Batch, product: &mut Product, out: &mut Out) -> Result<(), Fault> {
    if let Some(Failure::Lines(lines, why)) = &product.failure {
        return write_failure(batch, *lines, why, product, out);
    }
    let (mut bytes, mut done) = (0, Done::default());
    for bad in &product.bad {
        out.take_over(&product.out[bytes..bad.out_bytes], bad.done - done);
        (bytes, done) = (bad.out_bytes, bad.done);
        write_bad(batch, bad.index, &bad.why, out)?;
    }
    out.take_over(&product.out[bytes..], product.done - done);
    match product.failure.take() {
        Some(Failure::Stop(fault)) => Err(fault),
        _ => out.check(),
    }
}

fn write_bad(batch: &Batch, index: usize, why: &str, out: &mut Out) -> Result<(), Fault> {
    let (line, place) = batch.line(index);
    out.at(place.line, place.byte);
    out.bad_here(why, line);
    out.check()
}

/// Nobody knows which of the lines it was: all go the way of bad lines.
fn write_failure(batch: &Batch, lines: usize, why: &str, product: &Product, out: &mut Out) -> Result<(), Fault> {
    let range = batch.range(lines);
    if out.stops_on_error() {
        let hint = "--on-error reject keeps the lines of a failed batch aside and goes on, --retries N tries again";
        return Err(Error::data(format_args!("{range}: {why}")).hint(hint).into());
    }
    let why = format!("{why} (with {range})");
    let mut bad = product.bad.iter().peekable();
    for index in 0..batch.lines {
        let own = bad.next_if(|bad| bad.index == index);
        write_bad(batch, index, own.map_or(&why, |bad| &bad.why), out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_places_over_gaps() {
        let mut batch = Batch::default();
        batch.push(b"ab", Place { line: 3, byte: 10 });
        batch.push(b"", Place { line: 4, byte: 13 });
        batch.push(b"cde", Place { line: 5, byte: 14 });
        batch.push(b"f", Place { line: 9, byte: 22 });
        batch.push(b"g", Place { line: 10, byte: 24 });
        assert_eq!(batch.runs.len(), 2);
        let seen: Vec<_> = (0..5).map(|i| batch.line(i)).map(|(l, p)| (l, p.line, p.byte)).collect();
        let expected: [(&[u8], u64, u64); 5] =
            [(b"ab", 3, 10), (b"", 4, 13), (b"cde", 5, 14), (b"f", 9, 22), (b"g", 10, 24)];
        assert_eq!(seen, expected);
        assert_eq!(batch.iter().collect::<Vec<_>>(), expected.map(|e| e.0));
        assert_eq!((batch.range(5), batch.range(1)), ("lines 3 to 10".to_owned(), "line 3".to_owned()));
    }
}
