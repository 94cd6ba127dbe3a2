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
    /// Fields of conditions that no line had so far.
    watched: Option<LineValues>,
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
            watched: None,
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

    /// Watches whether any line has these fields of conditions.
    #[must_use]
    pub fn watching(self, fields: &[Expression]) -> Reader {
        let watched = LineValues::new(fields).watching(fields.len());
        Reader { watched: watched.is_watching().then_some(watched), ..self }
    }

    /// Looks for fields that no line had; a line that is not JSON has none.
    #[cold]
    fn watch(&mut self, line: &[u8]) {
        self.watched = self.watched.take().and_then(|mut watched| {
            let _ = watched.read(line);
            watched.is_watching().then_some(watched)
        });
    }

    /// Reads a line.
    ///
    /// # Errors
    /// `Bad` when it is not JSON, or not an object where it must be, or an expression or a condition fails on it.
    #[inline]
    pub fn read<'r>(&'r mut self, line: &'r [u8]) -> Result<Read<'r>, Fault> {
        if self.watched.is_some() {
            self.watch(line);
        }
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
        let of_conditions = || self.watched.as_ref()?.remark("lines");
        self.values.remark("lines").or_else(of_conditions)
    }
}
