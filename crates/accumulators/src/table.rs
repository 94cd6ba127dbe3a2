//! The states of many groups of a plan.

use std::sync::Arc;

use json_fields::Kind;
use values::state_text::{StateReader, write_number};
use values::{Number, write_canonical};

use crate::batch::NumberBatch;
use crate::columns::Columns;
use crate::distinct::Distinct;
use crate::field_plan::FieldPlan;
use crate::function::Second;
use crate::limit_error::LimitError;
use crate::plan::Plan;
use crate::quantiles::Quantiles;
use crate::results::GroupResults;
use crate::room::Room;
use crate::row::Row;
use crate::scratch::WriteScratch;
use crate::settings::Settings;
use crate::snapshot_error::SnapshotError;
use crate::statistic_states::Measured;
use crate::stats::Stats;
use crate::value::Value;
use crate::values::Values;

/// Groups of one plan, numbered from zero. Values and rows that come in are read by the same plan.
#[derive(Clone, Debug)]
pub struct Table {
    plan: Arc<Plan>,
    /// Of each group.
    lines: Vec<u64>,
    columns: Columns,
    canonical: Vec<u8>,
}

impl Table {
    /// A table without groups.
    #[must_use]
    pub fn new(plan: &Arc<Plan>) -> Table {
        let columns = Columns::new(&plan.widths);
        Table { plan: Arc::clone(plan), lines: Vec::new(), columns, canonical: Vec::new() }
    }

    /// Adds an empty group; its number is the number of groups before.
    pub fn push(&mut self) -> usize {
        self.lines.push(0);
        self.columns.push();
        self.lines.len() - 1
    }

    /// Makes room for so many more groups at once.
    pub fn reserve(&mut self, groups: usize) {
        self.lines.reserve(groups);
        self.columns.reserve(groups);
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What a new group takes, in bytes; lists, sketches and sets grow beyond that.
    #[must_use]
    pub fn bytes_per_group(&self) -> usize {
        size_of::<u64>() + self.columns.bytes_per_group()
    }

    /// What lists, sketches, sets and texts take beside [`Table::bytes_per_group`], in bytes, about. It looks at every
    /// group, if the plan has such states at all.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.columns.heap_bytes()
    }

    /// Lines that a group has taken.
    #[must_use]
    pub fn lines(&self, group: usize) -> u64 {
        self.lines[group]
    }

    /// Makes a group empty again, to be used for another key.
    pub fn reset(&mut self, group: usize) {
        self.lines[group] = 0;
        self.columns.reset(group);
    }

    /// Takes in one line, whose values were read from it. `sequence` numbers lines in order of arrival.
    ///
    /// # Errors
    /// One value too many for exact percentiles, or for an exact count. Nothing is changed then.
    #[inline]
    pub fn update(&mut self, group: usize, values: &Values, line: &[u8], sequence: u64) -> Result<(), LimitError> {
        if self.plan.has_limits {
            self.check_line(group, values, line)?;
        }
        let Table { plan, lines, columns, .. } = self;
        lines[group] += 1;
        for (number, field) in plan.fields.iter().enumerate() {
            let Some(found) = &values.fields[number] else { continue };
            let value = &values.numbers[number];
            if values.strings > 0 && field.takes_strings && found.kind == Kind::String {
                let value = Value { field: found, line: values.text(field.source, line), number: value };
                field.states.add_string(columns, group, &value);
            } else {
                field.states.add_number(columns, group, value, &plan.settings);
            }
        }
        if plan.needs_texts {
            self.update_texts(group, values, line, sequence);
        }
        Ok(())
    }

    #[inline(never)]
    fn check_line(&mut self, group: usize, values: &Values, line: &[u8]) -> Result<(), LimitError> {
        let Table { plan, columns, canonical, .. } = self;
        Room { plan, columns, group }.check_line(values, line, canonical)
    }

    #[inline(never)]
    fn update_texts(&mut self, group: usize, values: &Values, line: &[u8], sequence: u64) {
        let Table { plan, columns, canonical, .. } = self;
        for (number, field) in plan.fields.iter().enumerate().filter(|(_, field)| field.needs_text) {
            let Some(found) = &values.fields[number] else { continue };
            let line_of = |source| values.text(source, line);
            let value = Value { field: found, line: line_of(field.source), number: &values.numbers[number] };
            if field.statistics.is_any() {
                let measured = Measured { value: value.number, second: values.second(number), at: sequence };
                field.statistics.add(columns, group, &measured);
            }
            let given = field.given.as_ref().filter(|given| given.must_be == Second::Any);
            let given = given.map(|given| values.given_text(number, line_of(given.source)));
            field.states.add_text(columns, group, &value, given, sequence);
            if field.states.are_of_canonical_text() {
                canonical.clear();
                write_canonical(Some(found), value.line, canonical);
                field.states.add_canonical_text(columns, group, canonical, plan.settings.distinct);
            }
        }
    }

    /// Takes in line `line` of a batch, as [`Table::update`] does.
    #[inline]
    pub fn update_from(&mut self, group: usize, batch: &NumberBatch, line: usize) {
        let Table { plan, lines, columns, .. } = self;
        lines[group] += 1;
        for (field, number) in plan.fields.iter().zip(batch.line(line, plan.fields.len())) {
            if let Some(number) = number {
                field.states.add_number(columns, group, number, &plan.settings);
            }
        }
    }

    /// Reads a little from where an update of the group will write. To do so for several groups before they are
    /// updated brings their memory to the processor at the same time, instead of one after the other.
    #[inline]
    #[must_use]
    pub fn touch(&self, group: usize) -> u64 {
        let stats = self.columns.stats.first(group).map_or(0, Stats::touch);
        let last = self.columns.quantiles.first(group).map_or(0, Quantiles::touch);
        self.lines[group] ^ stats ^ last
    }

    /// Adds a group of another table of the same plan to a group of this one, whatever of both came first.
    ///
    /// # Errors
    /// Too many values for exact percentiles, or for an exact count. Nothing is changed then.
    pub fn merge(&mut self, group: usize, other: &Table, from: usize) -> Result<(), LimitError> {
        let Table { plan, columns, .. } = self;
        Room { plan, columns, group }.check_merge(&other.columns, from)?;
        let Settings { percentiles, seed, .. } = plan.settings;
        self.merge_but_percentiles(group, other, from);
        let add = |own: &mut Quantiles, their: &Quantiles| own.merge(their, percentiles, seed);
        self.columns.quantiles.merge(group, &other.columns.quantiles, from, add);
        Ok(())
    }

    /// The same but for the values of percentiles.
    pub(crate) fn merge_but_percentiles(&mut self, group: usize, other: &Table, from: usize) {
        debug_assert!(Arc::ptr_eq(&self.plan, &other.plan), "both tables are of one plan");
        let Table { plan, lines, columns, .. } = self;
        lines[group] += other.lines[from];
        plan.fields.iter().for_each(|field| field.states.merge(columns, group, &other.columns, from));
        columns.merge(group, &other.columns, from, plan.needs_texts);
    }

    /// Adds a group of this table to another group of it. The added one stays as it is.
    ///
    /// # Errors
    /// As [`Table::merge`].
    pub fn merge_within(&mut self, group: usize, from: usize) -> Result<(), LimitError> {
        let mut taken = Table::new(&self.plan);
        taken.push();
        self.exchange(from, &mut taken);
        let result = self.merge(group, &taken, 0);
        self.exchange(from, &mut taken);
        result
    }

    /// Swaps a group with the one of a table that has no other.
    fn exchange(&mut self, group: usize, other: &mut Table) {
        std::mem::swap(&mut self.lines[group], &mut other.lines[0]);
        self.columns.exchange(group, &mut other.columns);
    }

    /// Takes back a line of the group, for counts, sums and averages. False if the group cannot have had it: then nothing
    /// has changed.
    pub fn take_back(&mut self, group: usize, values: &Values) -> bool {
        let Table { plan, lines, columns, .. } = self;
        let mut found = plan.fields.iter().zip(&values.fields).zip(&values.numbers);
        let may_have_had = |((field, found), number): ((&FieldPlan, &Option<_>), &Number)| {
            found.is_none()
                || field.states.may_have_had_one(columns, group)
                    && field.statistics.may_have_had(columns, group, number)
        };
        if lines[group] == 0 || !found.all(may_have_had) {
            return false;
        }
        lines[group] -= 1;
        for (number, field) in plan.fields.iter().enumerate() {
            match values.fields[number].map(|found| found.kind) {
                None => {}
                Some(Kind::String) => field.states.take_back_string(columns, group),
                Some(_) => {
                    field.states.take_back_number(columns, group, &values.numbers[number]);
                    field.statistics.take_back(columns, group, &values.numbers[number], values.second(number));
                }
            }
        }
        true
    }

    /// Takes back the values of a line that leaves, and makes the group that of the `rows` that stay. Sums are as exact as
    /// if the line had never been there.
    pub fn leave<'r>(
        &mut self,
        group: usize,
        leaving: &Row,
        rows: impl Iterator<Item = &'r Row> + Clone,
        values: &mut Values,
    ) {
        let text = leaving.read(&self.plan, values);
        self.take_back(group, values);
        if self.must_be_made_anew(group, values, text, leaving.sequence) {
            self.reset(group);
            for row in rows {
                let line = row.read(&self.plan, values);
                // What has limits is none of what can be taken back.
                let _ = self.update(group, values, line, row.sequence);
            }
            return;
        }
        let Table { plan, columns, .. } = self;
        for (number, field) in plan.fields.iter().enumerate() {
            let (Some(ends), true) = (field.states.ends_mut(columns, group), leaving.has(number)) else { continue };
            let first = rows.clone().filter(|row| row.has(number)).min_by_key(|row| row.sequence);
            ends.set_first(first.and_then(|row| Some((row.sequence, row.text(number)?))));
        }
    }

    /// Whether the group is not yet that of the lines that stay, once the values of one are taken back.
    fn must_be_made_anew(&self, group: usize, values: &Values, text: &[u8], sequence: u64) -> bool {
        let Table { plan, columns, .. } = self;
        plan.fields.iter().enumerate().any(|(number, field)| {
            let value = |found| Value { field: found, line: text, number: &values.numbers[number] };
            let found = values.fields[number].as_ref().map(value);
            field.states.end_with(columns, group, sequence)
                || found.is_some() && field.statistics.leave_a_trace(columns, group)
                || found.is_some_and(|value| field.states.leave_a_trace_of(columns, group, &value))
        })
    }

    /// Appends `"name":result` for every output, in the order of the specs, with commas between them. `seconds` is
    /// the length of the window, for rates, which are null without it.
    pub fn write_results(&self, group: usize, seconds: Option<f64>, scratch: &mut WriteScratch, out: &mut Vec<u8>) {
        self.compute_percentiles(group, scratch);
        self.write_computed(group, seconds, scratch, out);
    }

    /// The same with percentiles that are computed.
    pub(crate) fn write_computed(&self, group: usize, seconds: Option<f64>, scratch: &WriteScratch, out: &mut Vec<u8>) {
        let Table { plan, lines, columns, .. } = self;
        GroupResults { plan, columns, group, lines: lines[group], seconds }.write(scratch, out);
    }

    pub(crate) fn compute_percentiles(&self, group: usize, scratch: &mut WriteScratch) {
        scratch.clear();
        for (number, field) in self.plan.fields.iter().enumerate() {
            scratch.add_field(|ranks, percentiles| {
                if let Some(quantiles) = self.quantiles(number, group) {
                    quantiles.percentiles(&field.percents, ranks, percentiles);
                    if field.wants_spread
                        && let Some(spread) = quantiles.spread(ranks)
                    {
                        spread.append(percentiles);
                    }
                }
            });
        }
    }

    /// What a field's percentiles of a group are computed of, if it has any.
    pub(crate) fn quantiles(&self, field: usize, group: usize) -> Option<&Quantiles> {
        Some(self.columns.quantiles.at(group, self.plan.fields[field].states.quantiles?))
    }

    /// The different values of a field in a group, if they are counted.
    pub(crate) fn distinct(&self, field: usize, group: usize) -> Option<&Distinct> {
        Some(self.columns.distinct.at(group, self.plan.fields[field].states.distinct?))
    }

    /// Appends the state of one group: `{"lines":3,"stats":[[3,60.93,13.07,30.00]],"quantiles":[[13.07,17.86,30]]}`.
    pub fn save(&self, group: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"lines\":");
        write_number(self.lines[group], out);
        self.columns.save(group, out);
        out.push(b'}');
    }

    /// Puts a saved group in the place of `group`; it stands at the front of `from`.
    ///
    /// # Errors
    /// A snapshot of other results, or a damaged one. The group is then of no use.
    pub fn load(&mut self, group: usize, from: &mut StateReader<'_>) -> Result<(), SnapshotError> {
        self.lines[group] = load_lines(from).ok_or(SnapshotError("lines"))?;
        self.columns.load(group, from, &self.plan.settings)?;
        from.literal(b"}").ok_or(SnapshotError("results"))
    }
}

fn load_lines(from: &mut StateReader<'_>) -> Option<u64> {
    from.literal(b"{\"lines\":")?;
    from.count()
}

#[cfg(test)]
mod tests {
    use json_fields::Scanner;

    use super::*;

    fn heap_after(spec: &str, values: u64) -> usize {
        let plan = Arc::new(Plan::new(vec![spec.parse().unwrap()], Settings::default()).unwrap());
        let (mut scanner, mut read) = (Scanner::new(plan.paths()), Values::default());
        let mut table = Table::new(&plan);
        let group = table.push();
        for number in 0..values {
            let line = format!("{{\"v\":{number}}}");
            let fields = scanner.scan(line.as_bytes()).unwrap();
            read.read(&plan, fields.as_slice(), line.as_bytes()).unwrap();
            table.update(group, &read, line.as_bytes(), number).unwrap();
        }
        table.heap_bytes()
    }

    #[test]
    fn what_states_take_beside_the_table_is_counted() {
        assert_eq!(heap_after("sum:v", 1000), 0);
        for (spec, few, many) in [
            ("p50:v", 8..400, 2_000..40_000),
            ("first:v", 2..100, 2..100),
            ("list:500:v", 24..400, 15_000..60_000),
            ("top:3:v", 24..2_000, 40_000..400_000),
            ("distinct:v", 8..400, 16_000..40_000),
        ] {
            let (first, later) = (heap_after(spec, 1), heap_after(spec, 3000));
            assert!(few.contains(&first) && many.contains(&later), "{spec}: {first}, then {later}");
        }
    }
}
