//! What a line of one side is to the join.

use event_time::{TimeParser, WINDOW, no_time};
use json_fields::{Kind, Outline, without_members};
use line_values::{Expression, Found, LineValues, Value};
use millpipe::{Error, Fault};

use crate::bodies;
use crate::job::{Bound, Job};
use crate::side::Side;
use crate::span::Span;

/// Reads the lines of one side; what it read last is in its buffers.
pub struct LineReader {
    side: Side,
    bound: Bound,
    values: LineValues,
    on: usize,
    times: Vec<Expression>,
    /// `"name":` of each member to keep; none: all members are kept.
    members: Option<Vec<Vec<u8>>>,
    prefix: Option<String>,
    has_body: bool,
    parser: TimeParser,
    outline: Outline,
    key: Vec<u8>,
    body: Vec<u8>,
    /// For a line that loses some members.
    stripped: Vec<u8>,
}

/// A line as one of its side.
#[derive(Clone, Copy, Debug)]
pub struct SideLine<'a> {
    pub side: Side,
    /// A value of the key is null or missing: it is equal to no other.
    pub is_null: bool,
    pub span: Span,
    /// The canonical texts of the key's values, with newlines between them; of lines in windows also the window.
    pub key: &'a [u8],
    /// What is written of the line, without braces.
    pub body: &'a [u8],
}

impl LineReader {
    pub fn new(job: &Job, side: Side) -> LineReader {
        let of_side = job.side(side);
        let fields = of_side.fields.as_deref().unwrap_or_default();
        let prefix = of_side.prefix.as_deref().unwrap_or_default();
        let member = |name: String| {
            let mut member = Vec::new();
            json_fields::write_string(&format!("{prefix}{name}"), &mut member);
            member.push(b':');
            member
        };
        LineReader {
            side,
            bound: job.bound,
            values: LineValues::new(of_side.on.iter().chain(&of_side.times).chain(fields)).watching(of_side.on.len()),
            on: of_side.on.len(),
            times: of_side.times.clone(),
            members: of_side.fields.as_ref().map(|fields| fields.iter().map(|field| member(field.name())).collect()),
            prefix: of_side.prefix.clone(),
            has_body: side == Side::Left || job.kind.pairs(),
            parser: TimeParser::new(job.time_unit).in_zone(job.zone.clone()),
            outline: Outline::default(),
            key: Vec::new(),
            body: Vec::new(),
            stripped: Vec::new(),
        }
    }

    /// Which fields of the key no line had, if so.
    pub fn remark(&self) -> Option<String> {
        self.values.remark(&format!("{} lines", self.side))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// `Bad` when it is no object, or has no time where one is needed.
    #[inline]
    pub fn read(&mut self, line: &[u8]) -> Result<SideLine<'_>, Fault> {
        let (is_null, span) = self.fill(line)?;
        Ok(SideLine { side: self.side, is_null, span, key: &self.key, body: &self.body })
    }

    /// Reads key and body into their buffers; returns whether the key is null, and the times.
    #[inline]
    fn fill(&mut self, line: &[u8]) -> Result<(bool, Span), Fault> {
        let found = self.values.read(line).map_err(Fault::bad)?;
        let Some(object) = found.object() else { return Err(Fault::bad("not an object")) };
        self.key.clear();
        found.write_key(0..self.on, &mut self.key);
        let is_null = (0..self.on).any(|value| found.get(value).is_none_or(|value| value.is_null()));
        let mut times = [0; 2];
        for (at, (time, of)) in times.iter_mut().zip(&self.times).enumerate() {
            *time = match found.get(self.on + at).filter(|value| !value.is_null()) {
                Some(value) => read_time(value, self.bound, &mut self.parser)?,
                None => return Err(missing(of, self.bound, line)),
            };
        }
        if self.bound == Bound::Window {
            for time in times {
                self.key.push(b'\n');
                // Digits are as good a text of JSON as any.
                self.key.extend_from_slice(time.to_string().as_bytes());
            }
        }
        let span = Span::new(self.bound, self.side, times);
        self.body.clear();
        if !self.has_body {
            return Ok((is_null, span));
        }
        if let Some(members) = &self.members {
            let first = self.on + self.times.len();
            for (at, member) in members.iter().enumerate() {
                if at > 0 {
                    self.body.push(b',');
                }
                self.body.extend_from_slice(member);
                self.body.extend_from_slice(found.get(first + at).map_or(b"null", |value| value.text()));
            }
            return Ok((is_null, span));
        }
        let mut body = bodies::body(line, object);
        if self.bound == Bound::Window {
            body = without_window(line, &found, self.on, object, &mut self.stripped);
        }
        match &self.prefix {
            Some(prefix) => bodies::write_prefixed(body, prefix, &mut self.outline, &mut self.body),
            None => self.body.extend_from_slice(body),
        }
        Ok((is_null, span))
    }
}

#[inline]
fn read_time(value: Value<'_>, bound: Bound, parser: &mut TimeParser) -> Result<i64, Fault> {
    if bound == Bound::Window && value.kind() == Kind::Number {
        return Err(Error::data("--window is for windows of time, and these are of line numbers").into());
    }
    parser.parse_field(value.text()).map_err(|error| Fault::bad(error.with_hint()))
}

#[cold]
fn missing(time: &Expression, bound: Bound, line: &[u8]) -> Fault {
    if bound == Bound::Window {
        let put = "put window in front, with --expand where windows overlap or are sessions";
        return Fault::bad(format_args!("no field {:?}: {put}", time.name()));
    }
    Fault::bad(no_time(time, line))
}

/// The body of a line but for its window, which stands in front unless somebody has moved it.
fn without_window<'a>(
    line: &'a [u8],
    found: &Found<'_>,
    start: usize,
    object: usize,
    stripped: &'a mut Vec<u8>,
) -> &'a [u8] {
    if let Some(front) = window_in_front(line, found, start) {
        return bodies::body(line, front);
    }
    stripped.clear();
    without_members(line, &WINDOW, stripped);
    bodies::body(stripped, object)
}

/// Where the other members begin of a line that begins with its window, as `window` writes it.
fn window_in_front(line: &[u8], found: &Found<'_>, start: usize) -> Option<usize> {
    let mut rest = line.strip_prefix(b"{")?;
    for (at, name) in WINDOW.iter().enumerate() {
        rest = rest.strip_prefix(b"\"")?.strip_prefix(name.as_bytes())?.strip_prefix(b"\":")?;
        rest = rest.strip_prefix(found.get(start + at)?.text())?.strip_prefix(b",")?;
    }
    Some(line.len() - rest.len())
}
