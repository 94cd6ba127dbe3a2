//! The lines that are held to the end of the input.

use json_fields::write_string;
use keyed_state::{ArrivalTracking, BufferLimit};
use millpipe::{Changes, Error};
use series::Point;

/// What a line takes in memory beside its bytes, and what each of its numbers takes, with the parts that it will have.
const LINE_BYTES: usize = 64;
const NUMBER_BYTES: usize = 96;

/// Lines in the order in which they came.
pub struct Held {
    lines: Vec<HeldLine>,
    /// The numbers of all lines, one after the other.
    numbers: Vec<Option<f64>>,
    numbers_of_line: usize,
    bytes: usize,
    limit: BufferLimit,
    tracking: ArrivalTracking<u64>,
    /// The number of the next line.
    next: u64,
}

/// A line, and what was read of it.
#[derive(Debug)]
pub struct HeldLine {
    number: u64,
    pub line: Box<[u8]>,
    pub time_ms: i64,
    /// The number of its key.
    pub key: u32,
    /// The offset after its opening brace.
    pub object: usize,
    pub has_members: bool,
}

impl Held {
    pub fn new(numbers_of_line: usize, limit: BufferLimit) -> Self {
        let (lines, numbers) = (Vec::new(), Vec::new());
        Self { lines, numbers, numbers_of_line, bytes: 0, limit, tracking: ArrivalTracking::default(), next: 0 }
    }

    /// Returns how many lines are held.
    pub fn len(&self) -> u64 {
        self.lines.len() as u64
    }

    /// Returns the number of the next line.
    pub fn next(&self) -> u64 {
        self.next
    }

    pub fn lines(&self) -> &[HeldLine] {
        &self.lines
    }

    /// Returns the numbers of a line.
    pub fn numbers(&self, line: usize) -> &[Option<f64>] {
        &self.numbers[line * self.numbers_of_line..][..self.numbers_of_line]
    }

    /// Keeps a line.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn push(&mut self, line: &[u8], point: &Point<'_>, key: u32) -> Result<(), Error> {
        self.keep(self.next, line, point, key)?;
        self.next += 1;
        Ok(())
    }

    fn keep(&mut self, number: u64, line: &[u8], point: &Point<'_>, key: u32) -> Result<(), Error> {
        let bytes = self.bytes + line.len() + LINE_BYTES + NUMBER_BYTES * self.numbers_of_line;
        self.limit.check(bytes)?;
        self.bytes = bytes;
        let Point { time_ms, object, has_members, .. } = *point;
        self.lines.push(HeldLine { number, line: line.into(), time_ms, key, object, has_members });
        self.numbers.extend_from_slice(point.numbers);
        Ok(())
    }

    /// Lets go of all lines: they are written.
    pub fn clear(&mut self) {
        for line in &self.lines {
            self.tracking.forget(line.number, || line.number);
        }
        self.lines = Vec::new();
        self.numbers = Vec::new();
        self.bytes = 0;
    }

    /// There will be checkpoints.
    pub fn begin_checkpoints(&mut self) {
        self.tracking.begin();
    }

    /// The state is that of a checkpoint with lines below this number, which will be loaded.
    pub fn restored(&mut self, next: u64) {
        self.next = next;
        self.tracking.restored(next);
    }

    /// Gives what changed since the last checkpoint.
    pub fn save(&mut self, to: &mut Changes) {
        let (gone, first_new) = self.tracking.take(self.next);
        gone.into_iter().for_each(|number| to.remove(&name(number)));
        for line in self.lines.iter().filter(|line| line.number >= first_new) {
            to.put(&name(line.number), |out| write_string(&String::from_utf8_lossy(&line.line), out));
        }
    }

    /// Takes an entry of a checkpoint with what was read of its line; entries come in their order.
    ///
    /// # Errors
    /// When the name is none, or there is no room for the line.
    pub fn load(&mut self, name: &str, line: &str, point: &Point<'_>, key: u32) -> Result<(), Error> {
        let number = name.parse().map_err(|_| Error::damaged_entry(name))?;
        self.keep(number, line.as_bytes(), point, key)
    }
}

/// The name of a line's entry in a checkpoint: names sort as lines came.
fn name(number: u64) -> String {
    format!("{number:016}")
}
