//! A line's values, checked before any state changes.

use json_fields::{Field, Kind};

use values::{Number, NumberError};

use crate::field_plan::{FieldPlan, Source};
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
}

impl ValueError {
    /// The reason; for a number in quotes, as many exporters write them, with a hint in a second line.
    #[cold]
    #[must_use]
    pub fn with_hint(&self) -> String {
        match self {
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
    /// What `min_by` and `max_by` give, by the number of their field; empty for a plain plan.
    given: Vec<Option<Field>>,
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
        self.computed.clear();
        self.computed.extend_from_slice(inputs.computed);
        self.strings = 0;
        self.skipped.resize(plan.fields.len(), 0);
        for wanted in &plan.fields {
            let counts = wanted.condition.is_none_or(|condition| inputs.conditions[condition]);
            let (field, text) = if counts { inputs.get(wanted.source) } else { (None, inputs.line) };
            let value = match &field {
                Some(field) if wanted.needs_number => match read_number(field, text) {
                    Ok(number) => number,
                    Err(error) => self.other_than_number(error, wanted, field, text)?,
                },
                _ => Number::ZERO,
            };
            self.fields.push(field);
            self.numbers.push(value);
            self.given.push(wanted.given.and_then(|source| inputs.get(source).0));
        }
        for ((skipped, field), wanted) in self.skipped.iter_mut().zip(&self.fields).zip(&plan.fields) {
            let counts = wanted.condition.is_none_or(|condition| inputs.conditions[condition]);
            *skipped += u64::from(counts && field.is_none());
        }
        Ok(())
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
    }

    /// What the value of a source counts from.
    #[inline]
    pub(crate) fn text<'a>(&'a self, source: Source, line: &'a [u8]) -> &'a [u8] {
        match source {
            Source::Expression(_) => &self.computed,
            Source::Path(_) | Source::Line => line,
        }
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
        Err(describe(error, wanted, field, text))
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

#[cold]
fn describe(error: NumberError, wanted: &FieldPlan, field: &Field, line: &[u8]) -> ValueError {
    let text = field.text(line);
    let mut value = String::from_utf8_lossy(&text[..text.len().min(SHOWN_MAX)]).into_owned();
    if text.len() > SHOWN_MAX {
        value.push('…');
    }
    let field = wanted.label.clone();
    match error {
        NumberError::Malformed if wanted.takes_strings => ValueError::NotOrdered { field, value },
        NumberError::Malformed => ValueError::NotANumber { field, value },
        NumberError::OutOfRange => ValueError::OutOfRange { field, value },
    }
}
