//! Reads the lines of series: key, time and values.

use event_time::EventTime;
use json_fields::FieldPath;
use line_values::{Expression, Found, LineValues, Value};
use millpipe::Fault;

use crate::KeyTimeArgs;

/// Reads from each line its key, its time and its values, in one scan.
pub struct LineReader {
    lines: LineValues,
    /// How many expressions make the key, and how many give a value: so they are in the lines' values, then the time if there
    /// is one, then the members that a tool writes.
    keys: usize,
    values: usize,
    members: usize,
    time: EventTime,
    /// A line may be any JSON value.
    takes_any_json: bool,
    key: Vec<u8>,
}

/// What was read of a line.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Empty without `--by`.
    pub key: &'a [u8],
    /// 0 where lines have no time.
    pub time_ms: i64,
    /// The offset after the line's opening brace; 0 where it is no object.
    pub object: usize,
    /// The line has a member that the tool writes.
    pub has_members: bool,
    found: Found<'a>,
    keys: usize,
}

impl<'a> Reading<'a> {
    /// Returns the value of an expression by its number; none where it gave nothing.
    #[inline]
    #[must_use]
    pub fn value(&self, number: usize) -> Option<Value<'a>> {
        self.found.get(self.keys + number)
    }
}

impl LineReader {
    /// Reads what the flags say, and the values of `values`; `members` are those that the tool writes. Lines need no time
    /// unless `is_timed`.
    #[must_use]
    pub fn new(args: &KeyTimeArgs, is_timed: bool, values: &[Expression], members: &[impl AsRef<str>]) -> Self {
        let by = args.by.as_ref().map_or(&[][..], |by| &by.0);
        Self::of(by, event_time(args, is_timed), values, members)
    }

    /// Reads the key that `by` makes, the values of `values`, and the time, if lines have one.
    #[must_use]
    pub fn of(by: &[Expression], time: EventTime, values: &[Expression], members: &[impl AsRef<str>]) -> Self {
        let members_read: Vec<Expression> = members.iter().map(|name| FieldPath::key(name.as_ref()).into()).collect();
        let all = by.iter().chain(values).chain(time.field()).chain(&members_read);
        Self {
            lines: LineValues::new(all).watching(by.len() + values.len()),
            keys: by.len(),
            values: values.len(),
            members: members.len(),
            time,
            takes_any_json: false,
            key: Vec::new(),
        }
    }

    /// Takes lines too that are no objects, for a tool that adds no members to them.
    #[must_use]
    pub fn of_any_json(self) -> Self {
        Self { takes_any_json: true, ..self }
    }

    /// Reads a line. `now_ms` is the clock, for times that are too far ahead of it.
    ///
    /// # Errors
    /// `Bad` when the line is no JSON object where it must be one, has no valid time, or an expression fails.
    #[inline]
    pub fn read<'a>(&'a mut self, line: &'a [u8], now_ms: i64) -> Result<Reading<'a>, Fault> {
        let found = self.lines.read(line).map_err(Fault::bad)?;
        let Some(object) = found.object().or(self.takes_any_json.then_some(0)) else {
            return Err(Fault::bad("not an object"));
        };
        let mut behind = self.keys + self.values;
        let mut time_ms = 0;
        if self.time.is_some() {
            let time = found.get(behind).filter(|value| !value.is_null()).map(|value| value.text());
            time_ms = self.time.read(time, line, now_ms)?;
            behind += 1;
        }
        let key = if self.keys == 0 { &[][..] } else { found.key(0..self.keys, &mut self.key) };
        let has_members = (behind..behind + self.members).any(|place| found.get(place).is_some());
        Ok(Reading { key, time_ms, object, has_members, found, keys: self.keys })
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

fn event_time(args: &KeyTimeArgs, is_timed: bool) -> EventTime {
    match (is_timed, args.ttl) {
        (false, _) => EventTime::none(),
        (true, None) => args.time.event_time().unwatched(),
        (true, Some(_)) => args.time.event_time(),
    }
}
