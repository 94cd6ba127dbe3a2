//! What is read of a line.

use event_time::{TimeParser, TimeUnit};
use line_values::{Expression, Found, LineValues, Value};
use millpipe::Fault;

use crate::scale::AxisKind;
use crate::spec::Settings;

/// Fields that are x when nobody says which one is, the first of them first.
const X_FIELDS: [&str; 3] = ["window_start", "timestamp", "time"];
/// Characters of a name or a cell; the rest is cut off.
const TEXT_MAX: usize = 80;

/// The number that an expression gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Missing, or no number.
    None,
    /// Null: a gap.
    Gap,
    Is(f64),
}

/// What the member `op` says of a row (`aggregate --changes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// There is no such member: each line is a point.
    None,
    /// The row is there from now on, in place of one with its key and x.
    Set,
    /// The row is not there any more.
    Remove,
}

/// One line, as far as it is drawn. It is filled anew for each line.
#[derive(Clone, Debug)]
pub struct Record {
    /// Equal for equal keys.
    pub key: Vec<u8>,
    /// For people.
    pub name: String,
    pub x: Option<(AxisKind, f64)>,
    pub numbers: Vec<Number>,
    /// The texts of the values; empty where no table shows them.
    pub texts: Vec<String>,
    pub low: f64,
    pub high: f64,
    pub is_anomaly: bool,
    pub op: Op,
}

/// Reads lines.
pub struct RecordReader {
    lines: LineValues,
    times: TimeParser,
    by: usize,
    values: usize,
    xs: usize,
    has_band: bool,
    has_anomaly: bool,
    /// A value is a column of a table.
    is_column: Vec<bool>,
    /// Without `--x` a line without one of the fields has its number as x.
    counts_lines: bool,
    lines_read: u64,
    record: Record,
}

impl RecordReader {
    /// Reads what the settings want.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let field = |name: &str| name.parse::<Expression>().ok();
        let xs = settings.x.clone().map_or_else(|| X_FIELDS.into_iter().filter_map(field).collect(), |x| vec![x]);
        let op = field("op");
        let band = settings.band.iter().flat_map(|(low, high)| [low, high]);
        let all = settings.by.iter().chain(&settings.values).chain(&xs).chain(band).chain(&settings.anomaly).chain(&op);
        let is_column = |value| {
            let mut tables = settings.panels.iter().filter(|panel| panel.kind == crate::spec::Kind::Table);
            tables.any(|panel| panel.values.contains(&value))
        };
        let record = Record {
            key: Vec::new(),
            name: String::new(),
            x: None,
            numbers: vec![Number::None; settings.values.len()],
            texts: vec![String::new(); settings.values.len()],
            low: f64::NAN,
            high: f64::NAN,
            is_anomaly: false,
            op: Op::None,
        };
        let watched = settings.by.len() + settings.values.len() + usize::from(settings.x.is_some());
        Self {
            lines: LineValues::new(all).watching(watched),
            times: TimeParser::new(TimeUnit::default()),
            by: settings.by.len(),
            values: settings.values.len(),
            xs: xs.len(),
            has_band: settings.band.is_some(),
            has_anomaly: settings.anomaly.is_some(),
            is_column: (0..settings.values.len()).map(is_column).collect(),
            counts_lines: settings.x.is_none(),
            lines_read: 0,
            record,
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// `Bad` when the line is not JSON, or an expression fails on it.
    pub fn read(&mut self, line: &[u8]) -> Result<&Record, Fault> {
        let Self { lines, times, record, .. } = self;
        let found = lines.read(line).map_err(Fault::bad)?;
        self.lines_read += 1;
        record.key.clear();
        found.write_key(0..self.by, &mut record.key);
        write_name(&found, self.by, &mut record.name);
        for (place, is_column) in self.is_column.iter().enumerate() {
            let value = found.get(self.by + place);
            record.numbers[place] = number(value);
            if *is_column {
                record.texts[place] = value.map(text).unwrap_or_default();
            }
        }
        let mut next = self.by + self.values;
        let values = (next..next + self.xs).filter_map(|place| found.get(place));
        let by_count = self.counts_lines.then_some((AxisKind::Number, self.lines_read as f64));
        record.x = values.filter_map(|value| x(value, times)).next().or(by_count);
        next += self.xs;
        if self.has_band {
            (record.low, record.high) = band(found.get(next), found.get(next + 1));
            next += 2;
        }
        if self.has_anomaly {
            record.is_anomaly = found.get(next).is_some_and(|value| value.text() == b"true");
            next += 1;
        }
        record.op = op(found.get(next));
        Ok(record)
    }

    /// Returns what to say at the end of fields that no line had.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        self.lines.remark("lines")
    }
}

/// A band needs both of its ends.
fn band(low: Option<Value<'_>>, high: Option<Value<'_>>) -> (f64, f64) {
    match (number(low), number(high)) {
        (Number::Is(low), Number::Is(high)) => (low, high),
        _ => (f64::NAN, f64::NAN),
    }
}

fn number(value: Option<Value<'_>>) -> Number {
    let Some(value) = value else { return Number::None };
    if value.is_null() {
        return Number::Gap;
    }
    let is_number = value.text().first().is_some_and(|first| first.is_ascii_digit() || *first == b'-');
    let parsed = is_number.then(|| str::from_utf8(value.text()).ok()?.parse::<f64>().ok()).flatten();
    parsed.filter(|number| number.is_finite()).map_or(Number::None, Number::Is)
}

/// A text is a time, a number a number.
fn x(value: Value<'_>, times: &mut TimeParser) -> Option<(AxisKind, f64)> {
    match value.text().first()? {
        b'"' => times.parse_field(value.text()).ok().map(|time_ms| (AxisKind::Time, time_ms as f64)),
        _ => match number(Some(value)) {
            Number::Is(number) => Some((AxisKind::Number, number)),
            _ => None,
        },
    }
}

fn op(value: Option<Value<'_>>) -> Op {
    match value.map(|value| value.text()) {
        Some(b"\"insert\"" | b"\"update_after\"") => Op::Set,
        Some(b"\"update_before\"" | b"\"delete\"") => Op::Remove,
        _ => Op::None,
    }
}

fn write_name(found: &Found<'_>, by: usize, name: &mut String) {
    name.clear();
    for place in 0..by {
        if place > 0 {
            name.push_str(", ");
        }
        name.push_str(&found.get(place).map_or_else(|| "null".to_owned(), text));
    }
}

/// A value for people: a string without its quotes, no control characters (XML has no way to write them), and not too long.
fn text(value: Value<'_>) -> String {
    let raw = String::from_utf8_lossy(value.text());
    let plain = if raw.starts_with('"') { serde_json::from_str::<String>(&raw).ok() } else { None };
    let plain = plain.as_deref().unwrap_or(&raw);
    let mut text: String = plain.chars().take(TEXT_MAX).map(visible).collect();
    if plain.chars().nth(TEXT_MAX).is_some() {
        text.push('…');
    }
    text
}

/// A character that can be written in XML and that does not change the order of those around it.
#[must_use]
pub fn visible(character: char) -> char {
    match character {
        '\u{fffe}' | '\u{ffff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            '\u{fffd}'
        }
        '\t' | '\n' | '\r' => ' ',
        _ if character.is_control() => '\u{fffd}',
        _ => character,
    }
}
