//! The states of one field: which they are, and what goes into them.

use std::cmp::Ordering;

use values::Number;

use crate::columns::{Columns, Widths};
use crate::ends::Ends;
use crate::extremes::Offered;
use crate::percentiles::DistinctBy;
use crate::settings::Settings;
use crate::value::Value;

/// The states of one field: of each kind that it needs the number among the group's states of that kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldStates {
    /// Only where `stats`, which counts too, is not there.
    pub counts: Option<usize>,
    pub stats: Option<usize>,
    pub moments: Option<usize>,
    pub quantiles: Option<usize>,
    pub ends: Option<usize>,
    pub lists: Option<usize>,
    pub frequencies: Option<usize>,
    pub distinct: Option<usize>,
    /// Beside `stats`, where values may be strings.
    pub strings: Option<usize>,
    pub min_by: Option<usize>,
    pub max_by: Option<usize>,
    /// The largest bound of the field's lists.
    pub list_max: usize,
    /// The least or the largest value is a result.
    pub wants_extremes: bool,
}

impl FieldStates {
    /// Gives the states that are needed their numbers, from `widths`, which counts them.
    pub fn number(&mut self, widths: &mut Widths) {
        for (state, width) in [
            (&mut self.counts, &mut widths.counts),
            (&mut self.stats, &mut widths.stats),
            (&mut self.moments, &mut widths.moments),
            (&mut self.quantiles, &mut widths.quantiles),
            (&mut self.ends, &mut widths.ends),
            (&mut self.lists, &mut widths.lists),
            (&mut self.frequencies, &mut widths.frequencies),
            (&mut self.distinct, &mut widths.distinct),
            (&mut self.strings, &mut widths.strings),
        ] {
            if let Some(number) = state {
                *number = *width;
                *width += 1;
            }
        }
        for number in [&mut self.min_by, &mut self.max_by].into_iter().flatten() {
            *number = widths.best;
            widths.best += 1;
        }
    }

    /// Whether some state is of the value's text.
    pub fn are_of_text(&self) -> bool {
        self.are_of_canonical_text() || [self.ends, self.lists, self.min_by, self.max_by].iter().any(Option::is_some)
    }

    /// Whether some state takes values for the same that are written in different ways.
    pub fn are_of_canonical_text(&self) -> bool {
        self.frequencies.is_some() || self.distinct.is_some()
    }

    /// The best lines, and how the wanted value compares to all others.
    fn best(&self) -> impl Iterator<Item = (usize, Ordering)> {
        let both = [(self.min_by, Ordering::Less), (self.max_by, Ordering::Greater)];
        both.into_iter().filter_map(|(number, wanted)| Some((number?, wanted)))
    }

    /// Takes in a number; of other values, that there is one.
    #[inline]
    pub fn add_number(&self, columns: &mut Columns, group: usize, number: &Number, settings: &Settings) {
        if let Some(stats) = self.stats {
            let stats = columns.stats.at_mut(group, stats);
            stats.add(number);
            if let Some(moments) = self.moments {
                columns.moments.at_mut(group, moments).add(number.to_f64(), stats.count());
            }
        }
        if let Some(quantiles) = self.quantiles {
            columns.quantiles.at_mut(group, quantiles).add(number.to_f64(), settings.percentiles, settings.seed);
        }
        if let Some(counts) = self.counts {
            columns.counts.at_mut(group, counts).add();
        }
    }

    /// Takes in a string, of which only the order matters.
    #[cold]
    pub fn add_string(&self, columns: &mut Columns, group: usize, value: &Value<'_>) {
        if let Some(strings) = self.strings {
            columns.strings.at_mut(group, strings).add(&value.decoded());
        } else if let Some(counts) = self.counts {
            columns.counts.at_mut(group, counts).add();
        }
    }

    /// Takes in the text of a value, and what is given for it, of line `at`.
    #[inline]
    pub fn add_text(&self, columns: &mut Columns, group: usize, value: &Value<'_>, given: Option<&[u8]>, at: u64) {
        if let Some(ends) = self.ends {
            columns.ends.at_mut(group, ends).add(value.text(), at);
        }
        if let Some(lists) = self.lists {
            columns.lists.at_mut(group, lists).add(value.text(), at, self.list_max);
        }
        if let Some(given) = given {
            let string = value.string();
            let key = match &string {
                Some(string) => Offered::String(string),
                None => Offered::Number(*value.number),
            };
            for (best, wanted) in self.best() {
                columns.best.at_mut(group, best).offer(wanted, key, at, given);
            }
        }
    }

    /// Takes in the canonical text of a value.
    #[inline]
    pub fn add_canonical_text(&self, columns: &mut Columns, group: usize, text: &[u8], by: DistinctBy) {
        if let Some(frequencies) = self.frequencies {
            columns.frequencies.at_mut(group, frequencies).add(text, 1);
        }
        if let Some(distinct) = self.distinct {
            columns.distinct.at_mut(group, distinct).add(text, by);
        }
    }

    /// Adds a group of other columns to a group, as far as [`Columns::merge`], which must come after it, does not.
    #[inline]
    pub fn merge(&self, columns: &mut Columns, group: usize, other: &Columns, from: usize) {
        if let (Some(stats), Some(moments)) = (self.stats, self.moments) {
            let (own, others) = (columns.stats.at(group, stats).count(), other.stats.at(from, stats).count());
            columns.moments.at_mut(group, moments).merge(own, other.moments.at(from, moments), others);
        }
        if let Some(lists) = self.lists {
            columns.lists.at_mut(group, lists).merge(other.lists.at(from, lists), self.list_max);
        }
        for (best, wanted) in self.best() {
            columns.best.at_mut(group, best).merge(wanted, other.best.at(from, best));
        }
    }

    /// Whether a group can have had a value, to be taken back.
    pub fn may_have_had_one(&self, columns: &Columns, group: usize) -> bool {
        match (self.stats, self.counts) {
            (Some(stats), _) => columns.stats.at(group, stats).count() > 0 || self.strings.is_some(),
            (None, Some(counts)) => columns.counts.at(group, counts).get() > 0,
            (None, None) => true,
        }
    }

    /// Takes back a number from counts and sums.
    pub fn take_back_number(&self, columns: &mut Columns, group: usize, number: &Number) {
        if let Some(counts) = self.counts {
            columns.counts.at_mut(group, counts).take_back();
        }
        if let Some(stats) = self.stats {
            columns.stats.at_mut(group, stats).take_back(number);
        }
    }

    /// The same of a string.
    pub fn take_back_string(&self, columns: &mut Columns, group: usize) {
        if let Some(counts) = self.counts {
            columns.counts.at_mut(group, counts).take_back();
        }
        if let (Some(_), Some(strings)) = (self.stats, self.strings) {
            columns.strings.at_mut(group, strings).take_back();
        }
    }

    /// Whether the states are not those of the other values alone, once a value is taken back: it was an extreme, or the
    /// sum is not exact.
    pub fn leave_a_trace_of(&self, columns: &Columns, group: usize, value: &Value<'_>) -> bool {
        let Some(stats) = self.stats.map(|stats| columns.stats.at(group, stats)) else { return false };
        if let Some(text) = value.string() {
            return self.strings.is_some_and(|strings| columns.strings.at(group, strings).has_extreme(&text));
        }
        !stats.sum().is_exact() || self.wants_extremes && stats.has_extreme(value.number)
    }

    /// Whether the last value is of line `at`.
    pub fn end_with(&self, columns: &Columns, group: usize, at: u64) -> bool {
        self.ends.is_some_and(|ends| columns.ends.at(group, ends).is_last(at))
    }

    /// The first and the last value, if they are wanted.
    pub fn ends_mut<'c>(&self, columns: &'c mut Columns, group: usize) -> Option<&'c mut Ends> {
        self.ends.map(|ends| columns.ends.at_mut(group, ends))
    }
}
