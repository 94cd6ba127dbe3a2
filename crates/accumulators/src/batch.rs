//! Values of several lines, kept until they are taken in together.

use values::Number;

use crate::values::Values;

/// The numbers of several lines, for plans that [take batches](crate::Plan::takes_batches).
#[derive(Clone, Debug, Default)]
pub struct NumberBatch {
    /// Of each line, those of all fields; zero for a value that need not be a number.
    numbers: Vec<Option<Number>>,
}

impl NumberBatch {
    pub fn clear(&mut self) {
        self.numbers.clear();
    }

    /// Adds the values of one line, which [are numbers](Values::are_numbers).
    #[inline]
    pub fn push(&mut self, values: &Values) {
        let fields = values.fields.iter().zip(&values.numbers);
        self.numbers.extend(fields.map(|(field, number)| field.is_some().then_some(*number)));
    }

    /// The numbers of a line, whose plan has so many fields.
    #[inline]
    pub(crate) fn line(&self, line: usize, fields: usize) -> &[Option<Number>] {
        &self.numbers[line * fields..(line + 1) * fields]
    }
}
