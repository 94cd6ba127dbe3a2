//! The states of many groups, in columns.

use std::borrow::Cow;
use std::cmp::Ordering;

use json_fields::{Field, Kind, decode_string};

use crate::distinct::Distinct;
use crate::ends::{Ends, List};
use crate::extremes::{Best, Offered, Strings};
use crate::field_plan::{FieldPlan, Source};
use crate::frequencies::Frequencies;
use crate::limit_error::LimitError;
use crate::plan::Plan;
use crate::quantiles::Quantiles;
use crate::stats::{Moments, Stats};
use crate::values::Values;
use values::Number;
use values::write_canonical;

/// Groups of one plan, numbered from zero. The plan is an argument everywhere, and has to be the same one.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(crate) lines: Vec<u64>,
    pub(crate) counts: Vec<u64>,
    pub(crate) stats: Vec<Stats>,
    pub(crate) moments: Vec<Moments>,
    pub(crate) quantiles: Vec<Quantiles>,
    pub(crate) ends: Vec<Ends>,
    pub(crate) lists: Vec<List>,
    pub(crate) frequencies: Vec<Frequencies>,
    pub(crate) distinct: Vec<Distinct>,
    pub(crate) strings: Vec<Option<Box<Strings>>>,
    pub(crate) best: Vec<Best>,
    pub(crate) canonical: Vec<u8>,
}

impl Table {
    /// Adds an empty group; its number is the number of groups before.
    pub fn push(&mut self, plan: &Plan) -> usize {
        let columns = plan.columns;
        let group = self.lines.len();
        self.lines.push(0);
        let groups = group + 1;
        grow(&mut self.counts, groups * columns.counts);
        grow(&mut self.stats, groups * columns.stats);
        grow(&mut self.moments, groups * columns.moments);
        grow(&mut self.quantiles, groups * columns.quantiles);
        grow(&mut self.ends, groups * columns.ends);
        grow(&mut self.lists, groups * columns.lists);
        grow(&mut self.frequencies, groups * columns.frequencies);
        grow(&mut self.distinct, groups * columns.distinct);
        grow(&mut self.strings, groups * columns.strings);
        grow(&mut self.best, groups * columns.best);
        group
    }

    /// Makes room for so many more groups at once.
    pub fn reserve(&mut self, plan: &Plan, groups: usize) {
        let columns = plan.columns;
        self.lines.reserve(groups);
        self.counts.reserve(groups * columns.counts);
        self.stats.reserve(groups * columns.stats);
        self.moments.reserve(groups * columns.moments);
        self.quantiles.reserve(groups * columns.quantiles);
        self.ends.reserve(groups * columns.ends);
        self.lists.reserve(groups * columns.lists);
        self.frequencies.reserve(groups * columns.frequencies);
        self.distinct.reserve(groups * columns.distinct);
        self.strings.reserve(groups * columns.strings);
        self.best.reserve(groups * columns.best);
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
    pub fn bytes_per_group(plan: &Plan) -> usize {
        let columns = plan.columns;
        size_of::<u64>() * (1 + columns.counts)
            + size_of::<Stats>() * columns.stats
            + size_of::<Moments>() * columns.moments
            + size_of::<Quantiles>() * columns.quantiles
            + size_of::<Ends>() * columns.ends
            + size_of::<List>() * columns.lists
            + size_of::<Frequencies>() * columns.frequencies
            + size_of::<Distinct>() * columns.distinct
            + size_of::<Option<Box<Strings>>>() * columns.strings
            + size_of::<Best>() * columns.best
    }

    /// Lines that a group has taken.
    #[must_use]
    pub fn lines(&self, group: usize) -> u64 {
        self.lines[group]
    }

    /// Makes a group empty again, to be used for another key.
    pub fn reset(&mut self, plan: &Plan, group: usize) {
        let columns = plan.columns;
        self.lines[group] = 0;
        self.counts[range(group, columns.counts)].fill(0);
        self.stats[range(group, columns.stats)].fill_with(Stats::default);
        self.moments[range(group, columns.moments)].fill_with(Moments::default);
        self.quantiles[range(group, columns.quantiles)].fill_with(Quantiles::default);
        self.ends[range(group, columns.ends)].fill_with(Ends::default);
        self.lists[range(group, columns.lists)].fill_with(List::default);
        self.frequencies[range(group, columns.frequencies)].fill_with(Frequencies::default);
        self.distinct[range(group, columns.distinct)].fill_with(Distinct::default);
        self.strings[range(group, columns.strings)].fill_with(Option::default);
        self.best[range(group, columns.best)].fill_with(Best::default);
    }

    /// Takes in one line, whose values were read from it. `sequence` numbers lines in order of arrival.
    ///
    /// # Errors
    /// One value too many for exact percentiles, or for an exact count. Nothing is changed then.
    #[inline]
    pub fn update(
        &mut self,
        plan: &Plan,
        group: usize,
        values: &Values,
        line: &[u8],
        sequence: u64,
    ) -> Result<(), LimitError> {
        if plan.has_limits {
            self.check_room(plan, group, |number, _| usize::from(values.fields[number].is_some()))?;
            self.check_new_values(plan, group, values, line)?;
        }
        self.lines[group] += 1;
        for (number, field) in plan.fields.iter().enumerate() {
            let Some(found) = &values.fields[number] else { continue };
            if values.strings > 0 && field.takes_strings && found.kind == Kind::String {
                self.update_strings(plan, field, group, decoded(found, values.text(field.source, line)).as_ref());
            } else {
                self.update_numbers(plan, field, group, &values.numbers[number]);
            }
            if field.needs_text {
                self.update_texts(plan, (number, field), group, values, line, sequence);
            }
        }
        Ok(())
    }

    /// Takes in a string, of which only the order matters.
    #[cold]
    fn update_strings(&mut self, plan: &Plan, field: &FieldPlan, group: usize, text: &[u8]) {
        if let Some(column) = field.strings {
            Strings::add(&mut self.strings[group * plan.columns.strings + column], text);
        } else if let Some(column) = field.counts {
            self.counts[group * plan.columns.counts + column] += 1;
        }
    }

    #[inline]
    pub(crate) fn update_numbers(&mut self, plan: &Plan, field: &FieldPlan, group: usize, number: &Number) {
        let columns = &plan.columns;
        if let Some(column) = field.stats {
            let stats = &mut self.stats[group * columns.stats + column];
            stats.add(number);
            if let Some(column) = field.moments {
                self.moments[group * columns.moments + column].add(number.to_f64(), stats.count);
            }
        }
        if let Some(column) = field.quantiles {
            let settings = &plan.settings;
            let quantiles = &mut self.quantiles[group * columns.quantiles + column];
            quantiles.add(number.to_f64(), settings.percentiles, settings.seed);
        }
        if let Some(column) = field.counts {
            self.counts[group * columns.counts + column] += 1;
        }
    }

    fn update_texts(
        &mut self,
        plan: &Plan,
        (number, field): (usize, &FieldPlan),
        group: usize,
        values: &Values,
        line: &[u8],
        sequence: u64,
    ) {
        let columns = &plan.columns;
        let Some(found) = &values.fields[number] else { return };
        let text = values.text(field.source, line);
        if let Some(column) = field.ends {
            self.ends[group * columns.ends + column].add(found.text(text), sequence);
        }
        if let Some(column) = field.lists {
            self.lists[group * columns.lists + column].add(found.text(text), sequence, field.list_max);
        }
        if let Some(given) = field.given {
            let value = values.given[number].map_or(&b"null"[..], |value| value.text(values.text(given, line)));
            let string = (found.kind == Kind::String).then(|| decoded(found, text));
            let key = match &string {
                Some(string) => Offered::String(string),
                None => Offered::Number(values.numbers[number]),
            };
            for (column, wanted) in [(field.min_by, Ordering::Less), (field.max_by, Ordering::Greater)] {
                if let Some(column) = column {
                    self.best[group * columns.best + column].offer(wanted, key, sequence, value);
                }
            }
        }
        if field.frequencies.is_none() && field.distinct.is_none() {
            return;
        }
        self.canonical.clear();
        write_canonical(Some(found), text, &mut self.canonical);
        if let Some(column) = field.frequencies {
            self.frequencies[group * columns.frequencies + column].add(&self.canonical, 1);
        }
        if let Some(column) = field.distinct {
            self.distinct[group * columns.distinct + column].add(&self.canonical, plan.settings.distinct);
        }
    }

    /// Adds a group of another table of the same plan to a group of this one, whatever of both came first.
    ///
    /// # Errors
    /// Too many values for exact percentiles, or for an exact count. Nothing is changed then.
    pub fn merge(&mut self, plan: &Plan, group: usize, other: &Table, from: usize) -> Result<(), LimitError> {
        let columns = plan.columns;
        self.check_room(plan, group, |_, column| match &other.quantiles[from * columns.quantiles + column] {
            Quantiles::Values(values) => values.len(),
            _ => 0,
        })?;
        self.check_sets(plan, group, other, from)?;
        self.merge_but_values(plan, group, other, from);
        let settings = &plan.settings;
        range(group, columns.quantiles).zip(range(from, columns.quantiles)).for_each(|(own, their)| {
            self.quantiles[own].merge(&other.quantiles[their], settings.percentiles, settings.seed);
        });
        Ok(())
    }

    /// The same but for the values of percentiles.
    pub(crate) fn merge_but_values(&mut self, plan: &Plan, group: usize, other: &Table, from: usize) {
        let columns = plan.columns;
        self.merge_numbers(plan, group, other, from);
        let pairs = |count| range(group, count).zip(range(from, count));
        pairs(columns.ends).for_each(|(own, their)| self.ends[own].merge(&other.ends[their]));
        for field in &plan.fields {
            if let Some(column) = field.lists {
                let their = &other.lists[from * columns.lists + column];
                self.lists[group * columns.lists + column].merge(their, field.list_max);
            }
        }
        pairs(columns.frequencies).for_each(|(own, their)| self.frequencies[own].merge(&other.frequencies[their]));
        pairs(columns.distinct).for_each(|(own, their)| self.distinct[own].merge(&other.distinct[their]));
        pairs(columns.strings)
            .for_each(|(own, their)| Strings::merge(&mut self.strings[own], other.strings[their].as_deref()));
        for field in &plan.fields {
            for (column, wanted) in [(field.min_by, Ordering::Less), (field.max_by, Ordering::Greater)] {
                if let Some(column) = column {
                    let their = &other.best[from * columns.best + column];
                    self.best[group * columns.best + column].merge(wanted, their);
                }
            }
        }
    }

    /// Adds a group of this table to another group of it. The added one stays as it is.
    ///
    /// # Errors
    /// As [`Table::merge`].
    pub fn merge_within(&mut self, plan: &Plan, group: usize, from: usize) -> Result<(), LimitError> {
        let mut taken = Table::default();
        taken.push(plan);
        self.exchange(plan, from, &mut taken);
        let result = self.merge(plan, group, &taken, 0);
        self.exchange(plan, from, &mut taken);
        result
    }

    /// Swaps a group with the first one of another table.
    fn exchange(&mut self, plan: &Plan, group: usize, other: &mut Table) {
        let columns = plan.columns;
        std::mem::swap(&mut self.lines[group], &mut other.lines[0]);
        self.counts[range(group, columns.counts)].swap_with_slice(&mut other.counts);
        self.stats[range(group, columns.stats)].swap_with_slice(&mut other.stats);
        self.moments[range(group, columns.moments)].swap_with_slice(&mut other.moments);
        self.quantiles[range(group, columns.quantiles)].swap_with_slice(&mut other.quantiles);
        self.ends[range(group, columns.ends)].swap_with_slice(&mut other.ends);
        self.lists[range(group, columns.lists)].swap_with_slice(&mut other.lists);
        self.frequencies[range(group, columns.frequencies)].swap_with_slice(&mut other.frequencies);
        self.distinct[range(group, columns.distinct)].swap_with_slice(&mut other.distinct);
        self.strings[range(group, columns.strings)].swap_with_slice(&mut other.strings);
        self.best[range(group, columns.best)].swap_with_slice(&mut other.best);
    }

    fn merge_numbers(&mut self, plan: &Plan, group: usize, other: &Table, from: usize) {
        let columns = plan.columns;
        let pairs = |count| range(group, count).zip(range(from, count));
        self.lines[group] += other.lines[from];
        pairs(columns.counts).for_each(|(own, their)| self.counts[own] += other.counts[their]);
        for field in &plan.fields {
            if let (Some(stats), Some(moments)) = (field.stats, field.moments) {
                let own = self.stats[group * columns.stats + stats].count;
                let others = other.stats[from * columns.stats + stats].count;
                let their = &other.moments[from * columns.moments + moments];
                self.moments[group * columns.moments + moments].merge(own, their, others);
            }
        }
        pairs(columns.stats).for_each(|(own, their)| self.stats[own].merge(&other.stats[their]));
    }
}

impl Values {
    /// What the value of a source counts from.
    #[inline]
    pub(crate) fn text<'a>(&'a self, source: Source, line: &'a [u8]) -> &'a [u8] {
        match source {
            Source::Expression(_) => &self.computed,
            Source::Path(_) | Source::Line => line,
        }
    }
}

/// A string without quotes and escapes.
pub(crate) fn decoded<'a>(field: &Field, text: &'a [u8]) -> Cow<'a, [u8]> {
    match field.escaped {
        true => Cow::Owned(decode_string(field.text(text)).into_owned().into_bytes()),
        false => Cow::Borrowed(field.string_body(text)),
    }
}

/// Most columns are empty and stay so.
#[inline]
fn grow<T: Default>(column: &mut Vec<T>, len: usize) {
    if column.len() < len {
        column.resize_with(len, T::default);
    }
}

/// A group's states in a column of `count` a group.
#[inline]
pub(crate) fn range(group: usize, count: usize) -> std::ops::Range<usize> {
    group * count..(group + 1) * count
}
