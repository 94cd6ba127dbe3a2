//! What is known of the rows that a partial match has taken: as much as conditions and measures ask for.
//!
//! Two partial matches at the same step with the same registers have the same future. So a condition that looks at the first
//! row of a variable makes as many partial matches as there are first rows, and not as many as there are ways to a row.

use std::hash::{Hash, Hasher};

use accumulators::Sum;
use smallvec::SmallVec;
use values::Number;
use values::key::compare_cells;

use crate::row::Rows;
use crate::variables::Mask;

/// What to keep of the rows of some variables. Cells are numbers of cells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    pub variables: Mask,
    pub kept: Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The row so many after the first.
    First(u32),
    /// The row so many before the last.
    Last(u32),
    /// How many rows, or how many with a value.
    Count(Option<usize>),
    /// The sum of the numbers, and how many they are.
    Sum(usize),
    /// The first row with the least value.
    Least(usize),
    /// The first row with the largest value.
    Largest(usize),
}

/// What is kept for a [`Spec`].
#[derive(Clone, Debug, PartialEq)]
pub enum Register {
    /// Numbers of rows with their variables.
    Rows(SmallVec<[(u64, u8); 1]>),
    Count(u64),
    Sum(Sum, u64),
    Row(Option<u64>),
}

impl Spec {
    /// Before the first row.
    #[must_use]
    pub fn empty(&self) -> Register {
        match self.kept {
            Kept::First(_) | Kept::Last(_) => Register::Rows(SmallVec::new()),
            Kept::Count(_) => Register::Count(0),
            Kept::Sum(_) => Register::Sum(Sum::default(), 0),
            Kept::Least(_) | Kept::Largest(_) => Register::Row(None),
        }
    }

    /// Returns true if rows of this variable change it.
    #[inline]
    #[must_use]
    pub fn is_of(&self, variable: u8) -> bool {
        self.variables >> variable & 1 == 1
    }

    /// Takes a row of one of its variables.
    pub fn take(&self, register: &mut Register, number: u64, variable: u8, rows: &Rows) {
        let cell = |cell: usize| rows.get(number).and_then(|row| row.cell(cell));
        match (self.kept, register) {
            (Kept::First(offset), Register::Rows(kept)) if kept.len() <= offset as usize => {
                kept.push((number, variable))
            }
            (Kept::Last(offset), Register::Rows(kept)) => {
                if kept.len() > offset as usize {
                    kept.remove(0);
                }
                kept.push((number, variable));
            }
            (Kept::Count(of), Register::Count(count)) => {
                *count += u64::from(of.is_none_or(|of| cell(of).is_some()));
            }
            (Kept::Sum(of), Register::Sum(sum, count)) => {
                if let Some(Ok(value)) = cell(of).map(Number::parse) {
                    sum.add(&value);
                    *count += 1;
                }
            }
            (Kept::Least(of), Register::Row(best)) if beats(*best, number, of, rows, false) => *best = Some(number),
            (Kept::Largest(of), Register::Row(best)) if beats(*best, number, of, rows, true) => *best = Some(number),
            _ => {}
        }
    }

    /// Returns the row that is asked for, with its variable.
    #[must_use]
    pub fn row(&self, register: &Register) -> Option<(u64, u8)> {
        match (self.kept, register) {
            (Kept::First(offset), Register::Rows(kept)) => kept.get(offset as usize).copied(),
            (Kept::Last(offset), Register::Rows(kept)) if kept.len() > offset as usize => kept.first().copied(),
            _ => None,
        }
    }
}

/// The row has a value, and it is less, or larger, than the best so far. Values of different kinds are ordered as in jq, strings
/// that are times as times.
fn beats(best: Option<u64>, number: u64, cell: usize, rows: &Rows, is_larger: bool) -> bool {
    let canonical = |number: u64| {
        let text = rows.get(number)?.cell(cell)?;
        let mut canonical = Vec::new();
        let kind = json_fields::Field { start: 0, end: text.len(), kind: kind(text), escaped: text.contains(&b'\\') };
        values::write_canonical(Some(&kind), text, &mut canonical);
        Some(canonical)
    };
    let Some(value) = canonical(number) else { return false };
    let Some(best) = best.and_then(canonical) else { return true };
    let order = compare_cells(&value, &best);
    if is_larger { order.is_gt() } else { order.is_lt() }
}

fn kind(text: &[u8]) -> json_fields::Kind {
    use json_fields::Kind;
    match text.first() {
        Some(b'"') => Kind::String,
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b't') => Kind::True,
        Some(b'f') => Kind::False,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

impl Hash for Register {
    fn hash<H: Hasher>(&self, to: &mut H) {
        match self {
            Register::Rows(rows) => rows.hash(to),
            Register::Count(count) => count.hash(to),
            // Equal sums are equal to the bit, but for zero.
            Register::Sum(sum, count) => (sum.as_decimal(), count).hash(to),
            Register::Row(row) => row.hash(to),
        }
    }
}

impl Eq for Register {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Cells, Row};

    fn rows(values: &[&str]) -> Rows {
        let mut rows = Rows::from(0);
        for (value, number) in values.iter().zip(0..) {
            let mut cells = Cells::default();
            cells.push(value.as_bytes());
            rows.push(Row::new(b"{}", &cells, 0, 0, number));
        }
        rows
    }

    fn after(kept: Kept, values: &[&str]) -> (Spec, Register) {
        let spec = Spec { variables: 0b10, kept };
        let (rows, mut register) = (rows(values), spec.empty());
        (0..values.len() as u64).for_each(|number| spec.take(&mut register, number, 1, &rows));
        (spec, register)
    }

    #[test]
    fn rows_are_counted_from_both_ends() {
        let row = |kept, values: &[&str]| {
            let (spec, register) = after(kept, values);
            spec.row(&register).map(|(number, _)| number)
        };
        assert_eq!(row(Kept::First(0), &["1", "2", "3"]), Some(0));
        assert_eq!(row(Kept::First(2), &["1", "2", "3"]), Some(2));
        assert_eq!(row(Kept::First(3), &["1", "2", "3"]), None);
        assert_eq!(row(Kept::Last(0), &["1", "2", "3"]), Some(2));
        assert_eq!(row(Kept::Last(2), &["1", "2", "3"]), Some(0));
        assert_eq!(row(Kept::Last(3), &["1", "2", "3"]), None);
    }

    #[test]
    fn values_that_are_missing_or_no_numbers_count_for_nothing() {
        let values = ["3", "null", "", "\"x\"", "-1.5"];
        assert_eq!(after(Kept::Count(None), &values).1, Register::Count(5));
        assert_eq!(after(Kept::Count(Some(0)), &values).1, Register::Count(3));
        let Register::Sum(sum, count) = after(Kept::Sum(0), &values).1 else { panic!("a sum") };
        assert_eq!((sum.as_decimal(), count), (Some((15, 1)), 2));
        assert_eq!(after(Kept::Least(0), &["3", "null", "-1.5", "-1.50"]).1, Register::Row(Some(2)));
        assert_eq!(after(Kept::Largest(0), &["", "3", "12"]).1, Register::Row(Some(2)));
        assert_eq!(after(Kept::Largest(0), &["null"]).1, Register::Row(None));
    }
}
