//! Reads of a line what is wanted of it.

use event_time::EventTime;
use line_values::{Computed, Condition, Expression, LineValues};
use millpipe::Fault;

use crate::row::Cells;

/// What was read of a line.
pub struct Read<'r> {
    pub key: &'r [u8],
    /// The JSON text of its time.
    pub time: Option<&'r [u8]>,
    pub cells: &'r Cells,
    /// Of the variables, a bit for each, those whose conditions on the line alone hold.
    pub truths: u64,
}

/// Reads key, time, cells and conditions.
pub struct Reader {
    values: LineValues,
    conditions: Option<Computed>,
    /// The variable of each condition.
    variables: Vec<u8>,
    /// A bit for each variable without a condition on the line alone.
    always: u64,
    by: usize,
    has_time: bool,
    expressions: usize,
    /// A line must be an object.
    needs_object: bool,
    key: Vec<u8>,
    cells: Cells,
}

impl Reader {
    #[must_use]
    pub fn new(
        by: &[Expression],
        time: &EventTime,
        cells: &[Expression],
        on_lines: Vec<(u8, Condition)>,
        needs_object: bool,
    ) -> Reader {
        let expressions: Vec<&Expression> = by.iter().chain(time.field()).chain(cells).collect();
        let always = on_lines.iter().fold(u64::MAX, |always, (variable, _)| always & !(1 << variable));
        let (variables, conditions): (Vec<u8>, Vec<Condition>) = on_lines.into_iter().unzip();
        Reader {
            values: LineValues::new(expressions.iter().copied()).watching(expressions.len()),
            conditions: (!conditions.is_empty()).then(|| Computed::new(&[], &conditions)),
            variables,
            always,
            by: by.len(),
            has_time: time.field().is_some(),
            expressions: expressions.len(),
            needs_object,
            key: Vec::new(),
            cells: Cells::default(),
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// `Bad` when it is not JSON, or not an object where it must be, or an expression or a condition fails on it.
    #[inline]
    pub fn read<'r>(&'r mut self, line: &'r [u8]) -> Result<Read<'r>, Fault> {
        let mut truths = self.always;
        if let Some(conditions) = &mut self.conditions {
            conditions.read(line).map_err(Fault::bad)?;
            for (variable, holds) in self.variables.iter().zip(conditions.truths()) {
                truths |= u64::from(*holds) << variable;
            }
        }
        let found = self.values.read(line).map_err(Fault::bad)?;
        if self.needs_object && found.object().is_none() {
            return Err(Fault::bad("not an object"));
        }
        let cells = self.by + usize::from(self.has_time);
        self.cells.clear();
        for cell in cells..self.expressions {
            self.cells.push(found.get(cell).map_or(&[], |value| value.text()));
        }
        let time = if self.has_time { found.get(self.by).filter(|value| !value.is_null()) } else { None };
        let time = time.map(|value| value.text());
        Ok(Read { key: found.key(0..self.by, &mut self.key), time, cells: &self.cells, truths })
    }

    /// Returns which fields no line had.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        self.values.remark("lines")
    }
}
