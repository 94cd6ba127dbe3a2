//! Reads the lines of series of numbers.

use event_time::EventTime;
use line_values::Expression;
use millpipe::Fault;
use values::Number;

use crate::{LineReader, SeriesArgs, number};

/// Reads from each line its key, its time and its numbers: as `f64`, or with all of their digits as [`Number`].
pub struct SeriesReader<N = f64> {
    lines: LineReader,
    values: Vec<Expression>,
    numbers: Vec<Option<N>>,
}

/// What was read of a line.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a, N = f64> {
    /// Empty without `--by`.
    pub key: &'a [u8],
    pub time_ms: i64,
    /// For each `--value` its number; none where it is missing or null.
    pub numbers: &'a [Option<N>],
    /// The offset after the line's opening brace; 0 where it is no object.
    pub object: usize,
    /// The line has a member that the tool writes.
    pub has_members: bool,
}

impl<N: From<Number>> SeriesReader<N> {
    /// Reads what the flags say; `members` are those that the tool writes.
    #[must_use]
    pub fn new(args: &SeriesArgs, members: &[impl AsRef<str>]) -> Self {
        let values = args.value.0.clone();
        Self { lines: LineReader::new(args, true, &values, members), values, numbers: Vec::new() }
    }

    /// Reads the key that `by` makes, the numbers of `values`, and the time. `members` are those that the tool writes.
    #[must_use]
    pub fn of(by: &[Expression], values: &[Expression], time: EventTime, members: &[impl AsRef<str>]) -> Self {
        Self { lines: LineReader::of(by, time, values, members), values: values.to_vec(), numbers: Vec::new() }
    }

    /// Takes lines too that are no objects, for a tool that adds no members to them.
    #[must_use]
    pub fn of_any_json(self) -> Self {
        Self { lines: self.lines.of_any_json(), ..self }
    }

    /// Reads a line. `now_ms` is the clock, for times that are too far ahead of it.
    ///
    /// # Errors
    /// `Bad` when the line is no JSON object where it must be one, has no valid time, or something else than a number or null in the place of one.
    #[inline]
    pub fn read<'a>(&'a mut self, line: &'a [u8], now_ms: i64) -> Result<Point<'a, N>, Fault> {
        let reading = self.lines.read(line, now_ms)?;
        self.numbers.clear();
        for (place, expression) in self.values.iter().enumerate() {
            let number = number(reading.value(place), expression, "--value '")?;
            self.numbers.push(number.map(N::from));
        }
        Ok(Point {
            key: reading.key,
            time_ms: reading.time_ms,
            numbers: &self.numbers,
            object: reading.object,
            has_members: reading.has_members,
        })
    }

    /// Returns the time of the stream; it is of interest with `--ttl` only.
    #[inline]
    #[must_use]
    pub fn time(&self) -> &EventTime {
        self.lines.time()
    }

    /// Returns the same, to be changed.
    #[inline]
    pub fn time_mut(&mut self) -> &mut EventTime {
        self.lines.time_mut()
    }

    /// Returns what to say at the end of fields that no line had.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        self.lines.remark()
    }
}
