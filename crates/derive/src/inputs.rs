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

/// The value of a field in a line.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// False where it is missing or null.
    pub is_there: bool,
    /// Zero for what need not be a number.
    pub number: Number,
    /// As it is written.
    pub text: &'a [u8],
    pub time_ms: i64,
}

impl Input<'_> {
    /// Of the line itself.
    pub fn of_line(time_ms: i64) -> Input<'static> {
        Input { is_there: true, number: Number::ZERO, text: b"", time_ms }
    }

    #[inline]
    pub fn entry(&self) -> Entry {
        Entry { time_ms: self.time_ms, number: self.number }
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

    /// Returns what a function of a field takes; none is of the line itself.
    #[inline]
    pub fn input<'a>(&self, field: Option<usize>, reading: &Reading<'a>) -> Input<'a> {
        let Some(field) = field else { return Input::of_line(reading.time_ms) };
        let number = self.0.get(field).copied().flatten();
        Input {
            is_there: number.is_some(),
            number: number.unwrap_or(Number::ZERO),
            text: reading.value(field).map_or(b"null", |value| value.text()),
            time_ms: reading.time_ms,
        }
    }
}
