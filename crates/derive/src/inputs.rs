//! What functions take of a line.

use line_values::Expression;
use millpipe::Fault;
use series::{Reading, number};
use values::Number;

use crate::digests::Entry;

/// A field that functions are of.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub expression: Expression,
    /// It has to be a number.
    pub is_number: bool,
    /// What stands before it on the command line.
    pub flag: String,
}

/// The value of a field in a line, which is there and not null; or the line itself.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// Zero for what need not be a number.
    pub number: &'a Number,
    pub time_ms: i64,
    field: Option<usize>,
    reading: &'a Reading<'a>,
}

static ZERO: Number = Number::ZERO;

impl Input<'_> {
    #[inline]
    pub fn entry(&self) -> Entry {
        Entry { time_ms: self.time_ms, number: *self.number }
    }

    /// Returns the value as it is written.
    pub fn text(&self) -> &[u8] {
        let value = self.field.and_then(|field| self.reading.value(field));
        value.map_or(b"null", |value| value.text())
    }
}

/// The numbers of a line, checked before anything changes.
#[derive(Debug, Default)]
pub struct Numbers(Vec<Option<Number>>);

impl Numbers {
    /// Reads the fields of a line.
    ///
    /// # Errors
    /// `Bad` where something else than a number stands where one has to be.
    #[inline]
    pub fn read(&mut self, fields: &[Field], reading: &Reading<'_>) -> Result<(), Fault> {
        self.0.clear();
        for (place, field) in fields.iter().enumerate() {
            let value = reading.value(place);
            self.0.push(match field.is_number {
                true => number(value, &field.expression, &field.flag)?,
                false => value.filter(|value| !value.is_null()).map(|_| Number::ZERO),
            });
        }
        Ok(())
    }

    /// Returns what a function of a field takes, and one of the line itself if there is no field; none if the value is missing or null.
    #[inline]
    pub fn input<'a>(&'a self, field: Option<usize>, reading: &'a Reading<'a>) -> Option<Input<'a>> {
        let number = match field {
            Some(field) => self.0.get(field)?.as_ref()?,
            None => &ZERO,
        };
        Some(Input { number, time_ms: reading.time_ms, field, reading })
    }
}
