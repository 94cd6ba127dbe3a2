//! Lines that wait for other inputs to come as far.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use event_time::{format_rfc3339, parse_rfc3339};
use millpipe::Changes;

/// A line's place in the output: its time, its input, and its number in that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub time_ms: i64,
    pub input: usize,
    pub number: u64,
}

struct Line {
    place: Place,
    text: Box<[u8]>,
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Line {}

impl PartialOrd for Line {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Line {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }
}

/// What one input has here.
#[derive(Clone, Copy, Default)]
struct Share {
    bytes: usize,
    /// The next line's number.
    next: u64,
    /// Lines before this one are in a snapshot.
    saved: u64,
}

/// The lines, the earliest first.
pub struct Waiting {
    lines: BinaryHeap<Reverse<Line>>,
    shares: Vec<Share>,
    /// Entries of lines that have been written since.
    gone: Vec<Place>,
}

/// What a line takes beside its text.
const LINE_BYTES: usize = 48;

impl Waiting {
    pub fn new(inputs: usize) -> Self {
        Self { lines: BinaryHeap::new(), shares: vec![Share::default(); inputs], gone: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// What the lines of an input take.
    pub fn bytes(&self, input: usize) -> usize {
        self.shares[input].bytes
    }

    pub fn push(&mut self, time_ms: i64, input: usize, text: &[u8]) {
        let share = &mut self.shares[input];
        let place = Place { time_ms, input, number: share.next };
        share.next += 1;
        self.add(place, text);
    }

    fn add(&mut self, place: Place, text: &[u8]) {
        self.shares[place.input].bytes += text.len() + LINE_BYTES;
        self.lines.push(Reverse(Line { place, text: text.into() }));
    }

    /// A line that is written without waiting still has its number.
    pub fn skip(&mut self, input: usize) {
        self.shares[input].next += 1;
    }

    /// Takes the first line, if its time and input are not beyond the bound.
    pub fn pop(&mut self, bound: (i64, usize)) -> Option<(usize, Box<[u8]>)> {
        let Reverse(first) = self.lines.peek()?;
        if (first.place.time_ms, first.place.input) > bound {
            return None;
        }
        let Reverse(line) = self.lines.pop()?;
        let share = &mut self.shares[line.place.input];
        share.bytes -= line.text.len() + LINE_BYTES;
        if line.place.number < share.saved {
            self.gone.push(line.place);
        }
        Some((line.place.input, line.text))
    }

    pub fn changes(&mut self, to: &mut Changes) {
        self.gone.drain(..).for_each(|place| to.remove(&place.name()));
        let is_new = |line: &&Line| line.place.number >= self.shares[line.place.input].saved;
        for line in self.lines.iter().map(|Reverse(line)| line).filter(is_new) {
            to.put(&line.place.name(), |value| value.extend_from_slice(&line.text));
        }
        self.shares.iter_mut().for_each(|share| share.saved = share.next);
    }

    /// The numbers of the next lines.
    pub fn numbers(&self) -> Vec<u64> {
        self.shares.iter().map(|share| share.next).collect()
    }

    pub fn restore_numbers(&mut self, numbers: &[u64]) {
        for (share, number) in self.shares.iter_mut().zip(numbers) {
            (share.next, share.saved) = (*number, *number);
        }
    }

    /// Takes an entry of `changes`; none if it is not one.
    pub fn restore(&mut self, name: &str, text: &[u8]) -> Option<()> {
        let place = Place::parse(name).filter(|place| place.input < self.shares.len())?;
        self.add(place, text);
        Some(())
    }
}

impl Place {
    fn name(&self) -> String {
        format!("{}/{}/{}", format_rfc3339(self.time_ms), self.input, self.number)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('/');
        let time_ms = parse_rfc3339(parts.next()?.as_bytes())?;
        let (input, number) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self { time_ms, input, number })
    }
}
