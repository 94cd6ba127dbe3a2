//! A line's values, checked before any state changes.

use json_fields::{Field, Kind};
use time_text::{EpochNumber, TIME_MAX_MS, TIME_MIN_MS, parse_rfc3339, read_spelled};
use values::{Number, NumberError};

use crate::field_plan::{FieldPlan, Given, Source};
use crate::function::Second;
use crate::plan::Plan;

/// Longest piece of a wrong value that a message shows, in bytes.
const SHOWN_MAX: usize = 60;

/// Why a line cannot be aggregated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("field {field:?} is not a number: {value}")]
    NotANumber { field: String, value: String },
    #[error("field {field:?} is neither a number nor a string: {value}")]
    NotOrdered { field: String, value: String },
    #[error("field {field:?}: number out of range: {value}")]
    OutOfRange { field: String, value: String },
    #[error("field {field:?} is not a time: {value}")]
    NotATime { field: String, value: String },
}

impl ValueError {
    /// The reason; for a number in quotes, as many exporters write them, with a hint in a second line.
    #[cold]
    #[must_use]
    pub fn with_hint(&self) -> String {
        match self {
            ValueError::NotATime { .. } => format!(
                "{self}\nhint: a time is RFC 3339 with its zone, or an epoch number; a jq expression can make one: \
                 'twa:level:(.at | strptime(\"%d/%b/%Y:%H:%M:%S %z\") | mktime)'"
            ),
            ValueError::NotANumber { field, value } if is_number_in_quotes(value) => format!(
                "{self}\nhint: tonumber makes a number of a text: 'sum:.{field} | tonumber'; validate --coerce does so for all \
                 that a schema calls numbers"
            ),
            _ => self.to_string(),
        }
    }
}

fn is_number_in_quotes(value: &str) -> bool {
    let text = value.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    text.is_some_and(|text| Number::parse(text.as_bytes()).is_ok())
}

/// The values of one line, for [`crate::Table::update`]. Use one for all lines.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// None where the field is missing or null.
    pub(crate) fields: Vec<Option<Field>>,
    /// Of fields that need a number, else zero.
    pub(crate) numbers: Vec<Number>,
    /// The second field of functions of two, by the number of the first; empty for a plain plan.
    given: Vec<Option<Field>>,
    /// The same as numbers, or times in milliseconds, where it must be one, else zero.
    seconds: Vec<Number>,
    /// What the fields of expressions count from.
    computed: Vec<u8>,
    /// How many of those that need a number, or a string, are strings.
    pub(crate) strings: usize,
    skipped: Vec<u64>,
}

/// What a caller has found out about a line, for plans that are not [plain](Plan::is_plain).
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What the fields of paths count from.
    pub line: &'a [u8],
    /// Of [`Plan::paths`].
    pub paths: &'a [Option<Field>],
    /// What the fields of expressions count from.
    pub computed: &'a [u8],
    /// Of [`Plan::expressions`].
    pub expressions: &'a [Option<Field>],
    /// Of [`Plan::conditions`].
    pub conditions: &'a [bool],
}

impl<'a> Inputs<'a> {
    fn get(&self, source: Source) -> (Option<Field>, &'a [u8]) {
        let (field, text) = match source {
            Source::Path(number) => (self.paths[number], self.line),
            Source::Expression(number) => (self.expressions[number], self.computed),
            Source::Line => (Some(Field { start: 0, end: 0, kind: Kind::True, escaped: false }), self.line),
        };
        (field.filter(|field| field.kind != Kind::Null), text)
    }
}

impl Values {
    /// Takes the fields found for [`Plan::paths`], in that order.
    ///
    /// # Errors
    /// A value that is not a number where one is needed, or one out of range. Nothing is counted then.
    #[inline]
    pub fn read(&mut self, plan: &Plan, fields: &[Option<Field>], line: &[u8]) -> Result<(), ValueError> {
        self.fields.clear();
        self.numbers.clear();
        self.strings = 0;
        let mut is_partial = false;
        for (number, (field, wanted)) in fields.iter().zip(&plan.fields).enumerate() {
            let field = field.filter(|field| field.kind != Kind::Null);
            let value = match &field {
                Some(field) if wanted.needs_number => match read_number(field, line) {
                    Ok(number) => number,
                    Err(error) => self.other_than_number(error, &plan.fields[number], field, line)?,
                },
                _ => Number::ZERO,
            };
            is_partial |= field.is_none();
            self.fields.push(field);
            self.numbers.push(value);
        }
        if is_partial {
            self.count_skipped();
        }
        Ok(())
    }

    /// The same for plans that need more than fields. A line for which a condition is false has no value for its results.
    ///
    /// # Errors
    /// As [`Values::read`].
    pub fn read_all(&mut self, plan: &Plan, inputs: &Inputs<'_>) -> Result<(), ValueError> {
        self.fields.clear();
        self.numbers.clear();
        self.given.clear();
        self.seconds.clear();
        self.computed.clear();
        self.computed.extend_from_slice(inputs.computed);
        self.strings = 0;
        self.skipped.resize(plan.fields.len(), 0);
        for wanted in &plan.fields {
            let counts = wanted.condition.is_none_or(|condition| inputs.conditions[condition]);
            let (mut field, text) = if counts { inputs.get(wanted.source) } else { (None, inputs.line) };
            let value = match &field {
                Some(field) if wanted.needs_number => match read_number(field, text) {
                    Ok(number) => number,
                    Err(error) => self.other_than_number(error, wanted, field, text)?,
                },
                _ => Number::ZERO,
            };
            let (mut given, mut second) = (None, Number::ZERO);
            if let Some(wanted) = &wanted.given {
                (given, second) = self.read_given(wanted, inputs, &mut field)?;
            }
            self.fields.push(field);
            self.numbers.push(value);
            self.given.push(given);
            self.seconds.push(second);
        }
        for ((skipped, field), wanted) in self.skipped.iter_mut().zip(&self.fields).zip(&plan.fields) {
            let counts = wanted.condition.is_none_or(|condition| inputs.conditions[condition]);
            *skipped += u64::from(counts && field.is_none());
        }
        Ok(())
    }

    /// Reads the second field of a line. If it must be there and is not, the line has no value of the first one either.
    fn read_given(
        &self,
        wanted: &Given,
        inputs: &Inputs<'_>,
        first: &mut Option<Field>,
    ) -> Result<(Option<Field>, Number), ValueError> {
        let (given, text) = inputs.get(wanted.source);
        if wanted.must_be == Second::Any {
            return Ok((given, Number::ZERO));
        }
        let (Some(_), Some(field)) = (&first, &given) else {
            *first = None;
            return Ok((None, Number::ZERO));
        };
        let label = &wanted.label;
        let second = match wanted.must_be {
            Second::Time => read_time(field.text(text)).ok_or_else(|| not_a_time(label, field.text(text)))?,
            _ => read_number(field, text).map_err(|error| describe(error, label, false, field.text(text)))?,
        };
        Ok((given, second))
    }

    /// Takes the values of a line that was read before, whose fields count from `text`.
    pub(crate) fn read_again(&mut self, plan: &Plan, fields: &[Option<Field>], text: &[u8]) {
        self.fields.clear();
        self.fields.extend_from_slice(fields);
        self.numbers.clear();
        self.computed.clear();
        self.computed.extend_from_slice(text);
        self.strings = 0;
        for (field, wanted) in fields.iter().zip(&plan.fields) {
            let number = field.filter(|_| wanted.needs_number).map(|field| match field.kind {
                Kind::Number => Number::parse(field.text(text)).unwrap_or(Number::ZERO),
                _ => {
                    self.strings += 1;
                    Number::ZERO
                }
            });
            self.numbers.push(number.unwrap_or(Number::ZERO));
        }
        self.seconds.clear();
        for (number, field) in plan.of_two_numbers().zip(&fields[plan.fields.len()..]) {
            self.seconds.resize(number + 1, Number::ZERO);
            let second = field.and_then(|field| Number::parse(field.text(text)).ok());
            self.seconds[number] = second.unwrap_or(Number::ZERO);
        }
    }

    /// What the value of a source counts from.
    #[inline]
    pub(crate) fn text<'a>(&'a self, source: Source, line: &'a [u8]) -> &'a [u8] {
        match source {
            Source::Expression(_) => &self.computed,
            Source::Path(_) | Source::Line => line,
        }
    }

    /// The second number of a field's functions of two, or its time in milliseconds.
    pub(crate) fn second(&self, field: usize) -> &Number {
        self.seconds.get(field).unwrap_or(&Number::ZERO)
    }

    /// The second field of a field's functions of two.
    pub(crate) fn given(&self, field: usize) -> Option<&Field> {
        self.given.get(field).and_then(Option::as_ref)
    }

    /// What `min_by` and `max_by` give for a field, as JSON text; it counts from `line`.
    pub(crate) fn given_text<'a>(&self, field: usize, line: &'a [u8]) -> &'a [u8] {
        self.given[field].map_or(b"null", |value| value.text(line))
    }

    /// A value that is no number may be a string, where only the order of values matters.
    #[cold]
    fn other_than_number(
        &mut self,
        error: NumberError,
        wanted: &FieldPlan,
        field: &Field,
        text: &[u8],
    ) -> Result<Number, ValueError> {
        if wanted.takes_strings && field.kind == Kind::String {
            self.strings += 1;
            return Ok(Number::ZERO);
        }
        Err(describe(error, &wanted.label, wanted.takes_strings, field.text(text)))
    }

    /// Whether all that must be a number, or a string, is a number.
    #[inline]
    #[must_use]
    pub fn are_numbers(&self) -> bool {
        self.strings == 0
    }

    #[cold]
    fn count_skipped(&mut self) {
        self.skipped.resize(self.fields.len(), 0);
        for (count, field) in self.skipped.iter_mut().zip(&self.fields) {
            *count += u64::from(field.is_none());
        }
    }

    /// How many lines had a field missing or null, in the order of [`Plan::paths`]; empty while none had.
    #[must_use]
    pub fn skipped(&self) -> &[u64] {
        &self.skipped
    }
}

/// The values of many lines, one behind the other.
#[derive(Clone, Debug, Default)]
pub struct ValueList {
    fields: Vec<Option<Field>>,
    numbers: Vec<Number>,
    strings: Vec<usize>,
    fields_a_line: usize,
}

impl ValueList {
    /// An empty list that as many lines fit into.
    #[must_use]
    pub fn room_for_as_many(&self) -> ValueList {
        let (fields, numbers) = (Vec::with_capacity(self.fields.len()), Vec::with_capacity(self.numbers.len()));
        let strings = Vec::with_capacity(self.strings.len());
        ValueList { fields, numbers, strings, fields_a_line: self.fields_a_line }
    }

    /// Appends a line's values, of a [plain](Plan::is_plain) plan. All lines have as many.
    #[inline]
    pub fn push(&mut self, values: &Values) {
        self.fields_a_line = values.fields.len();
        self.fields.extend_from_slice(&values.fields);
        self.numbers.extend_from_slice(&values.numbers);
        self.strings.push(values.strings);
    }

    /// Gives the values of a line, counted from 0, as if `into` had read them.
    ///
    /// # Panics
    /// When there is no such line.
    #[inline]
    pub fn get(&self, line: usize, into: &mut Values) {
        let range = line * self.fields_a_line..(line + 1) * self.fields_a_line;
        into.fields.clear();
        into.fields.extend_from_slice(&self.fields[range.clone()]);
        into.numbers.clear();
        into.numbers.extend_from_slice(&self.numbers[range]);
        into.strings = self.strings[line];
        if into.fields.iter().any(Option::is_none) {
            into.count_skipped();
        }
    }
}

#[inline]
fn read_number(field: &Field, line: &[u8]) -> Result<Number, NumberError> {
    if field.kind != Kind::Number {
        return Err(NumberError::Malformed);
    }
    Number::parse(field.text(line))
}

/// Milliseconds since the epoch; of an epoch number the unit is told by its magnitude.
fn read_time(text: &[u8]) -> Option<Number> {
    let inside = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let spelled = inside.and_then(|text| parse_rfc3339(text).or_else(|| read_spelled(text)?.time_ms()));
    let number =
        || EpochNumber::parse(inside.unwrap_or(text)).map(|number| number.floor_scaled(number.scale_by_magnitude()));
    let time_ms = spelled.or_else(number).filter(|time_ms| (TIME_MIN_MS..=TIME_MAX_MS).contains(time_ms))?;
    Some(Number::decimal(time_ms.into(), 0))
}

#[cold]
fn not_a_time(label: &str, text: &[u8]) -> ValueError {
    ValueError::NotATime { field: label.to_owned(), value: shown(text) }
}

fn shown(text: &[u8]) -> String {
    let mut value = String::from_utf8_lossy(&text[..text.len().min(SHOWN_MAX)]).into_owned();
    if text.len() > SHOWN_MAX {
        value.push('…');
    }
    value
}

#[cold]
fn describe(error: NumberError, label: &str, takes_strings: bool, text: &[u8]) -> ValueError {
    let (field, value) = (label.to_owned(), shown(text));
    match error {
        NumberError::Malformed if takes_strings => ValueError::NotOrdered { field, value },
        NumberError::Malformed => ValueError::NotANumber { field, value },
        NumberError::OutOfRange => ValueError::OutOfRange { field, value },
    }
}
