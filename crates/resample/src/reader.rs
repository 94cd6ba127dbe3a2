//! Reads lines with all digits of their numbers.

use event_time::EventTime;
use line_values::Expression;
use millpipe::Fault;
use series::{LineReader, number};
use values::Number;

/// Reads from each line its key, its time and its numbers.
pub struct Reader {
    lines: LineReader,
    values: Vec<Expression>,
    numbers: Vec<Option<Number>>,
}

/// What was read of a line.
#[derive(Clone, Copy)]
pub struct Point<'a> {
    /// Empty without `--by`.
    pub key: &'a [u8],
    pub time_ms: i64,
    /// For each `--value` its number; none where it is missing or null.
    pub numbers: &'a [Option<Number>],
}

impl Reader {
    pub fn new(by: &[Expression], values: &[Expression], time: EventTime) -> Self {
        Self { lines: LineReader::of(by, time, values, &[""; 0]), values: values.to_vec(), numbers: Vec::new() }
    }

    /// Reads a line. `now_ms` is the clock, for times that are too far ahead of it.
    ///
    /// # Errors
    /// `Bad` when the line is no JSON object, has no valid time, or something else than a number or null in the place of one.
    #[inline]
    pub fn read<'a>(&'a mut self, line: &'a [u8], now_ms: i64) -> Result<Point<'a>, Fault> {
        let reading = self.lines.read(line, now_ms)?;
        self.numbers.clear();
        for (place, expression) in self.values.iter().enumerate() {
            self.numbers.push(number(reading.value(place), expression, "--value '")?);
        }
        Ok(Point { key: reading.key, time_ms: reading.time_ms, numbers: &self.numbers })
    }

    pub fn time(&self) -> &EventTime {
        self.lines.time()
    }

    pub fn time_mut(&mut self) -> &mut EventTime {
        self.lines.time_mut()
    }

    /// Returns what to say at the end of fields that no line had.
    pub fn remark(&self) -> Option<String> {
        self.lines.remark()
    }
}
