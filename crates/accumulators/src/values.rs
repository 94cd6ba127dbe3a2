//! A line's values, checked before any state changes.

use json_fields::{Field, Kind};

use crate::number::Number;
use crate::number_text::NumberError;
use crate::plan::Plan;

/// Longest piece of a wrong value that a message shows, in bytes.
const SHOWN_MAX: usize = 60;

/// Why a line cannot be aggregated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("field {field:?} is not a number: {value}")]
    NotANumber { field: String, value: String },
    #[error("field {field:?}: number out of range: {value}")]
    OutOfRange { field: String, value: String },
}

/// The values of one line, for [`crate::Table::update`]. Use one for all lines.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// None where the field is missing or null.
    pub(crate) fields: Vec<Option<Field>>,
    /// Of fields that need a number, else zero.
    pub(crate) numbers: Vec<Number>,
    skipped: Vec<u64>,
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
        let mut is_partial = false;
        for (number, (field, wanted)) in fields.iter().zip(&plan.fields).enumerate() {
            let field = field.filter(|field| field.kind != Kind::Null);
            let value = match &field {
                Some(field) if wanted.needs_number => {
                    read_number(field, line).map_err(|error| describe(error, plan, number, field, line))?
                }
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
    fields_a_line: usize,
}

impl ValueList {
    /// An empty list that as many lines fit into.
    #[must_use]
    pub fn room_for_as_many(&self) -> ValueList {
        let (fields, numbers) = (Vec::with_capacity(self.fields.len()), Vec::with_capacity(self.numbers.len()));
        ValueList { fields, numbers, fields_a_line: self.fields_a_line }
    }

    /// Appends a line's values. All lines have as many.
    #[inline]
    pub fn push(&mut self, values: &Values) {
        self.fields_a_line = values.fields.len();
        self.fields.extend_from_slice(&values.fields);
        self.numbers.extend_from_slice(&values.numbers);
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
fn describe(error: NumberError, plan: &Plan, number: usize, field: &Field, line: &[u8]) -> ValueError {
    let text = field.text(line);
    let mut value = String::from_utf8_lossy(&text[..text.len().min(SHOWN_MAX)]).into_owned();
    if text.len() > SHOWN_MAX {
        value.push('…');
    }
    let field = plan.paths()[number].name();
    match error {
        NumberError::Malformed => ValueError::NotANumber { field, value },
        NumberError::OutOfRange => ValueError::OutOfRange { field, value },
    }
}
