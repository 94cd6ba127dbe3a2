//! Values of several lines, kept until they are taken in together.

use crate::percentiles::Percentiles;
use crate::plan::Plan;
use crate::quantiles::Quantiles;
use crate::stats::Stats;
use crate::table::{Table, range};
use crate::values::Values;
use values::Number;

/// The numbers of several lines, for plans that [take batches](Plan::takes_batches).
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
}

impl Plan {
    /// Whether all results are of numbers alone, and no limit can be reached by a value.
    #[must_use]
    pub fn takes_batches(&self) -> bool {
        !matches!(self.settings.percentiles, Percentiles::Exact(_)) && self.fields.iter().all(|field| !field.needs_text)
    }
}

impl Table {
    /// Takes in line `line` of a batch, as [`Table::update`] does.
    #[inline]
    pub fn update_from(&mut self, plan: &Plan, group: usize, batch: &NumberBatch, line: usize) {
        self.lines[group] += 1;
        let numbers = &batch.numbers[range(line, plan.fields.len())];
        for (field, number) in plan.fields.iter().zip(numbers) {
            if let Some(number) = number {
                self.update_numbers(plan, field, group, number);
            }
        }
    }

    /// Reads a little from where an update of the group will write. To do so for several groups before they are
    /// updated brings their memory to the processor at the same time, instead of one after the other.
    #[inline]
    #[must_use]
    pub fn touch(&self, plan: &Plan, group: usize) -> u64 {
        let columns = &plan.columns;
        let stats = self.stats.get(group * columns.stats).map_or(0, Stats::touch);
        let last = match self.quantiles.get(group * columns.quantiles) {
            Some(Quantiles::Values(values)) => values.last().map_or(0, |value| value.to_bits()),
            _ => 0,
        };
        self.lines[group] ^ stats ^ last
    }
}
