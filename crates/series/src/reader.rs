//! Reads the lines of series.

use event_time::EventTime;
use json_fields::{FieldPath, Kind};
use line_values::{Expression, Found, LineValues, Value};
use millpipe::Fault;
use values::Number;

use crate::SeriesArgs;

/// Longest piece of a wrong value that a message shows, in characters.
const SHOWN_MAX: usize = 60;

/// What a number of a line is kept as.
pub trait FromNumber: Copy {
    /// Returns the number; none if it cannot be kept.
    fn from_number(number: Number) -> Option<Self>;
}

impl FromNumber for f64 {
    #[inline]
    fn from_number(number: Number) -> Option<Self> {
        Some(number.to_f64()).filter(|number| number.is_finite())
    }
}

/// With all of its digits.
impl FromNumber for Number {
    #[inline]
    fn from_number(number: Number) -> Option<Self> {
        Some(number)
    }
}

/// Reads from each line its key, its time and its numbers.
pub struct SeriesReader<N = f64> {
    lines: LineValues,
    /// How many expressions make the key, and how many give a number: so they are in the lines' values, then the time, then the
    /// members that a tool writes.
    keys: usize,
    values: Vec<Expression>,
    members: usize,
    time: EventTime,
    key: Vec<u8>,
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
    /// The offset after the line's opening brace.
    pub object: usize,
    /// The line has a member that the tool writes.
    pub has_members: bool,
}

impl<N: FromNumber> SeriesReader<N> {
    /// Reads what the flags say; `members` are those that the tool writes.
    #[must_use]
    pub fn new(args: &SeriesArgs, members: &[impl AsRef<str>]) -> Self {
        let by = args.by.as_ref().map_or(&[][..], |by| &by.0);
        let time = args.time.event_time();
        Self::of(by, &args.value.0, if args.ttl.is_some() { time } else { time.unwatched() }, members)
    }

    /// Reads the key that `by` makes, the numbers of `values`, and the time. `members` are those that the tool writes.
    #[must_use]
    pub fn of(by: &[Expression], values: &[Expression], time: EventTime, members: &[impl AsRef<str>]) -> Self {
        let members_read: Vec<Expression> = members.iter().map(|name| FieldPath::key(name.as_ref()).into()).collect();
        let all = by.iter().chain(values).chain(time.field()).chain(&members_read);
        Self {
            lines: LineValues::new(all).watching(by.len() + values.len()),
            keys: by.len(),
            values: values.to_vec(),
            members: members.len(),
            time,
            key: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Reads a line. `now_ms` is the clock, for times that are too far ahead of it.
    ///
    /// # Errors
    /// `Bad` when the line is no JSON object, has no valid time, or something else than a number or null in the place of one.
    #[inline]
    pub fn read<'a>(&'a mut self, line: &'a [u8], now_ms: i64) -> Result<Point<'a, N>, Fault> {
        let found = self.lines.read(line).map_err(Fault::bad)?;
        let Some(object) = found.object() else { return Err(Fault::bad("not an object")) };
        let time_at = self.keys + self.values.len();
        let time = found.get(time_at).filter(|value| !value.is_null()).map(|value| value.text());
        let time_ms = self.time.read(time, line, now_ms)?;
        self.numbers.clear();
        for (place, expression) in self.values.iter().enumerate() {
            self.numbers.push(number(found.get(self.keys + place), expression)?);
        }
        self.key.clear();
        found.write_key(0..self.keys, &mut self.key);
        let has_members = has_any(&found, time_at + 1, self.members);
        Ok(Point { key: &self.key, time_ms, numbers: &self.numbers, object, has_members })
    }

    /// Returns the time of the stream; it is of interest with `--ttl` only.
    #[inline]
    #[must_use]
    pub fn time(&self) -> &EventTime {
        &self.time
    }

    /// Returns the same, to be changed.
    #[inline]
    pub fn time_mut(&mut self) -> &mut EventTime {
        &mut self.time
    }

    /// Returns what to say at the end of fields that no line had.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        self.lines.remark("lines")
    }
}

#[inline]
fn has_any(found: &Found<'_>, first: usize, count: usize) -> bool {
    (first..first + count).any(|place| found.get(place).is_some())
}

#[inline]
fn number<N: FromNumber>(value: Option<Value<'_>>, expression: &Expression) -> Result<Option<N>, Fault> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let number = if value.kind() == Kind::Number { Number::parse(value.text()).ok() } else { None };
    match number.and_then(N::from_number) {
        Some(number) => Ok(Some(number)),
        None => Err(wrong_number(value, expression)),
    }
}

#[cold]
fn wrong_number(value: Value<'_>, expression: &Expression) -> Fault {
    let text = String::from_utf8_lossy(value.text());
    let shown: String = text.chars().take(SHOWN_MAX).collect();
    let name = expression.name();
    if value.kind() == Kind::Number {
        return Fault::bad(format_args!("field {name:?}: number out of range: {shown}"));
    }
    let is_in_quotes = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let hint = match is_in_quotes.map(|text| Number::parse(text.as_bytes())) {
        Some(Ok(_)) => format!("\nhint: tonumber makes a number of a text: --value '.{name} | tonumber'"),
        _ => String::new(),
    };
    Fault::bad(format_args!("field {name:?} is not a number: {shown}{hint}"))
}
