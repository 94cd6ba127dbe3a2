//! Values that a group has taken in are taken back: so results can be those of the last few lines, or of a table whose
//! rows change.

use json_fields::{Field, Kind};

use crate::ends::Ends;
use crate::field_plan::{FieldPlan, Source};
use crate::plan::Plan;
use crate::snapshot::{load_text_or_null, save_text_or_null};
use crate::spec::Function;
use crate::stats::Stats;
use crate::table::{Table, decoded};
use crate::values::Values;
use values::Number;
use values::state_text::{StateReader, write_number};

/// A line's values on their own.
#[derive(Clone, Debug)]
pub struct Row {
    /// The number of the line.
    pub sequence: u64,
    fields: Box<[Option<Field>]>,
    text: Box<[u8]>,
}

impl Row {
    /// What was read of a line.
    #[must_use]
    pub fn new(plan: &Plan, values: &Values, line: &[u8], sequence: u64) -> Row {
        let mut text = Vec::new();
        let place = |(field, wanted): (&Option<Field>, &FieldPlan)| {
            let field = (*field)?;
            if wanted.source == Source::Line {
                return Some(field);
            }
            let start = text.len();
            text.extend_from_slice(field.text(values.text(wanted.source, line)));
            Some(Field { start, end: text.len(), ..field })
        };
        let fields = values.fields.iter().zip(&plan.fields).map(place).collect();
        Row { sequence, fields, text: text.into() }
    }

    /// Gives the values, and the text that they count from.
    pub fn read<'a>(&'a self, plan: &Plan, values: &mut Values) -> &'a [u8] {
        values.fields.clear();
        values.fields.extend_from_slice(&self.fields);
        values.numbers.clear();
        values.computed.clear();
        values.computed.extend_from_slice(&self.text);
        values.strings = 0;
        for (field, wanted) in self.fields.iter().zip(&plan.fields) {
            let number = field.filter(|_| wanted.needs_number).map(|field| match field.kind {
                Kind::Number => Number::parse(field.text(&self.text)).unwrap_or(Number::ZERO),
                _ => {
                    values.strings += 1;
                    Number::ZERO
                }
            });
            values.numbers.push(number.unwrap_or(Number::ZERO));
        }
        &self.text
    }

    /// What it takes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Row>() + size_of_val(&*self.fields) + self.text.len() + 32
    }

    /// Appends it: the number of its line, and each value as text.
    pub fn save(&self, out: &mut Vec<u8>) {
        write_number(self.sequence, out);
        for field in &self.fields {
            out.push(b',');
            save_text_or_null(field.map(|field| field.text(&self.text)), out);
        }
    }

    /// Reads what `save` wrote; none if it is something else.
    #[must_use]
    pub fn load(plan: &Plan, from: &mut StateReader<'_>) -> Option<Row> {
        let sequence = from.number()?;
        let (mut fields, mut text) = (Vec::with_capacity(plan.fields.len()), Vec::new());
        for wanted in &plan.fields {
            from.literal(b",")?;
            let Some(value) = load_text_or_null(from)? else {
                fields.push(None);
                continue;
            };
            let (start, escaped) = (text.len(), value.contains(&b'\\'));
            text.extend_from_slice(&value);
            let kind = match value.first() {
                None if wanted.source == Source::Line => Kind::True,
                Some(b'"') if value.len() > 1 && value.ends_with(b"\"") => Kind::String,
                Some(b'-' | b'0'..=b'9') => Number::parse(&value).ok().map(|_| Kind::Number)?,
                Some(_) if !wanted.needs_number => Kind::Object,
                _ => return None,
            };
            fields.push(Some(Field { start, end: text.len(), kind, escaped: escaped && kind == Kind::String }));
        }
        Some(Row { sequence, fields: fields.into(), text: text.into() })
    }
}

impl Plan {
    /// The first result that cannot do without a line that it has seen; `keeps_lines` if the lines that are left are known.
    #[must_use]
    pub fn cannot_take_back(&self, keeps_lines: bool) -> Option<&str> {
        use Function::{Avg, Count, Delta, First, Last, Max, Min, Sum};
        let can = |function: Function| match function {
            Count | Sum | Avg => true,
            Min | Max | First | Last | Delta => keeps_lines,
            _ => false,
        };
        self.outputs.iter().position(|output| !can(output.function)).map(|number| self.names()[number].as_str())
    }
}

impl Table {
    /// Takes back a line of the group, for counts, sums and averages. False if the group cannot have had it: then nothing
    /// has changed.
    pub fn take_back(&mut self, plan: &Plan, group: usize, values: &Values) -> bool {
        let columns = &plan.columns;
        let has = |(field, found): (&FieldPlan, &Option<Field>)| match (found, field.stats, field.counts) {
            (Some(_), Some(column), _) => {
                self.stats[group * columns.stats + column].count > 0 || field.strings.is_some()
            }
            (Some(_), None, Some(column)) => self.counts[group * columns.counts + column] > 0,
            _ => true,
        };
        if self.lines[group] == 0 || !plan.fields.iter().zip(&values.fields).all(has) {
            return false;
        }
        self.lines[group] -= 1;
        for (number, field) in plan.fields.iter().enumerate() {
            let Some(found) = &values.fields[number] else { continue };
            if let Some(column) = field.counts {
                self.counts[group * columns.counts + column] -= 1;
            }
            let Some(column) = field.stats else { continue };
            if found.kind == Kind::String {
                if let Some(strings) = field.strings {
                    let strings = &mut self.strings[group * columns.strings + strings];
                    match strings {
                        Some(strings) if strings.count > 1 => strings.count -= 1,
                        _ => *strings = None,
                    }
                }
                continue;
            }
            let stats = &mut self.stats[group * columns.stats + column];
            match stats.count {
                0 | 1 => *stats = Stats::default(),
                _ => {
                    stats.count -= 1;
                    stats.sum.add(&values.numbers[number].negated());
                }
            }
        }
        true
    }

    /// Takes back the values of a line that leaves, and makes the group that of the `rows` that stay. Sums are as exact as
    /// if the line had never been there.
    pub fn leave<'r>(
        &mut self,
        plan: &Plan,
        group: usize,
        leaving: &Row,
        rows: impl Iterator<Item = &'r Row> + Clone,
        values: &mut Values,
    ) {
        leaving.read(plan, values);
        self.take_back(plan, group, values);
        let was_last = |field: &FieldPlan| {
            let ends = field.ends.map(|column| &self.ends[group * plan.columns.ends + column]);
            ends.is_some_and(|ends| ends.last_at == leaving.sequence)
        };
        if plan.fields.iter().any(was_last) || self.must_be_made_anew(plan, group, values) {
            self.reset(plan, group);
            for row in rows {
                let line = row.read(plan, values);
                // What has limits is none of what can be taken back.
                let _ = self.update(plan, group, values, line, row.sequence);
            }
            return;
        }
        for (number, field) in plan.fields.iter().enumerate() {
            let (Some(column), Some(_)) = (field.ends, leaving.fields[number]) else { continue };
            let ends = &mut self.ends[group * plan.columns.ends + column];
            let first =
                rows.clone().filter_map(|row| Some((row, row.fields[number]?))).min_by_key(|(row, _)| row.sequence);
            match first {
                None => *ends = Ends::default(),
                Some((row, field)) => {
                    ends.first_at = row.sequence;
                    ends.first.clear();
                    ends.first.extend_from_slice(field.text(&row.text));
                }
            }
        }
    }

    /// An extreme has left, or a sum is not exact; `values` are those that left.
    fn must_be_made_anew(&self, plan: &Plan, group: usize, values: &Values) -> bool {
        plan.fields.iter().enumerate().any(|(number, field)| {
            let (Some(column), Some(found)) = (field.stats, &values.fields[number]) else { return false };
            let stats = &self.stats[group * plan.columns.stats + column];
            if found.kind == Kind::String {
                let strings =
                    field.strings.and_then(|column| self.strings[group * plan.columns.strings + column].as_ref());
                let text = decoded(found, &values.computed);
                return strings.is_some_and(|strings| *text == *strings.min || *text == *strings.max);
            }
            let value = values.numbers[number];
            let is_extreme = stats.count > 0 && (value == stats.min || value == stats.max);
            stats.sum.as_decimal().is_none() || field.wants_extremes && is_extreme
        })
    }
}
