//! What is written of matches.

use json_fields::{splice_behind, without_members, write_string};
use line_values::Expression;
use millpipe::Out;
use values::key::cells;

use crate::matcher::Found;
use crate::measures::Measures;
use crate::nodes::Label;
use crate::row::Rows;
use crate::template::{Side, View};

/// Which rows are written.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    /// Each row of a match, and not one line for all of them.
    pub all_rows: bool,
    /// Matches without rows.
    pub empty: bool,
    /// Rows that are in no match.
    pub unmatched: bool,
}

/// Writes matches.
pub struct Writer {
    which: Which,
    pub measures: Measures,
    /// The members of the key: `"user":`.
    by: Vec<Vec<u8>>,
    /// The names of the variables as JSON.
    names: Vec<Vec<u8>>,
    members: Vec<u8>,
    line: Vec<u8>,
}

impl Writer {
    #[must_use]
    pub fn new(which: Which, measures: Measures, by: &[Expression], names: Vec<Vec<u8>>) -> Writer {
        let member = |expression: &Expression| {
            let mut member = Vec::new();
            write_string(&expression.name(), &mut member);
            member.push(b':');
            member
        };
        Writer { which, measures, by: by.iter().map(member).collect(), names, members: Vec::new(), line: Vec::new() }
    }

    /// Writes a match: one line, or each of its rows but for those that are excluded. Notes which rows are in the output.
    pub fn write_match(&mut self, key: &[u8], rows: &mut Rows, found: &Found<'_>, out: &mut Out) {
        if found.labels.is_empty() && !self.which.empty {
            return;
        }
        if self.which.all_rows { self.write_rows(rows, found, out) } else { self.write_one(key, rows, found, out) }
    }

    /// Writes a row that is in no match, if that is asked for.
    pub fn write_unmatched(&mut self, rows: &mut Rows, number: u64, out: &mut Out) {
        if self.which.unmatched {
            self.members.clear();
            self.measures.write(None, &mut self.members);
            self.write_row(rows, number, out);
        }
    }

    fn write_one(&mut self, key: &[u8], rows: &mut Rows, found: &Found<'_>, out: &mut Out) {
        let end = found.start + found.labels.len() as u64;
        let mut registers = self.measures.empty();
        for (label, number) in found.labels.iter().zip(found.start..) {
            self.measures.take(&mut registers, number, label.variable, rows);
        }
        let current = found.labels.last().map(|label| (end - 1, label.variable));
        let side = Side { current, registers: &registers };
        self.members.clear();
        self.write_view(rows, side, side, found.number);
        let buffer = out.buffer();
        buffer.push(b'{');
        for (member, cell) in self.by.iter().zip(cells(key)) {
            buffer.extend_from_slice(member);
            buffer.extend_from_slice(cell);
            buffer.push(b',');
        }
        match self.members.is_empty() {
            true if buffer.ends_with(b",") => drop(buffer.pop()),
            _ => buffer.extend_from_slice(&self.members),
        }
        buffer.push(b'}');
        out.end_result();
        for number in found.start..end.max(found.start + 1) {
            note(rows, number);
        }
    }

    fn write_rows(&mut self, rows: &mut Rows, found: &Found<'_>, out: &mut Out) {
        let all = self.registers_of_all(rows, found);
        let end = found.start + found.labels.len() as u64;
        let last = Side { current: found.labels.last().map(|label| (end - 1, label.variable)), registers: &all };
        let mut running = self.measures.empty();
        if found.labels.is_empty() {
            self.members.clear();
            self.write_view(rows, last, last, found.number);
            return self.write_row(rows, found.start, out);
        }
        for (Label { variable, is_excluded }, number) in found.labels.iter().zip(found.start..) {
            self.measures.take(&mut running, number, *variable, rows);
            if !is_excluded {
                let side = Side { current: Some((number, *variable)), registers: &running };
                self.members.clear();
                self.write_view(rows, side, last, found.number);
                self.write_row(rows, number, out);
            }
        }
    }

    fn registers_of_all(&self, rows: &Rows, found: &Found<'_>) -> Vec<crate::registers::Register> {
        let mut registers = self.measures.empty();
        for (label, number) in found.labels.iter().zip(found.start..) {
            self.measures.take(&mut registers, number, label.variable, rows);
        }
        registers
    }

    /// Writes the measures into the members.
    fn write_view(&mut self, rows: &Rows, running: Side<'_>, last: Side<'_>, match_number: u64) {
        let specs = self.measures.specs.clone();
        let view = View { rows, specs: &specs, names: &self.names, running, last, match_number };
        self.measures.write(Some(&view), &mut self.members);
    }

    /// Writes a line with the members in front.
    fn write_row(&mut self, rows: &mut Rows, number: u64, out: &mut Out) {
        let Some(row) = rows.get(number) else { return };
        self.line.clear();
        without_members(row.line(), &self.measures.names(), &mut self.line);
        let object = self.line.iter().position(|byte| *byte == b'{').map_or(0, |brace| brace + 1);
        splice_behind(&self.line, object, &self.members, out.buffer());
        out.end_result();
        note(rows, number);
    }
}

/// The row is in the output.
fn note(rows: &mut Rows, number: u64) {
    if let Some(row) = rows.get_mut(number) {
        row.is_out = true;
    }
}
