//! Results of several groups together, without a group that they are merged into.
//!
//! Windows that overlap are made of slices, and each slice is in many windows: what is merged for one window is not
//! needed again, and lists of values are long. So counts, sums and the like are merged, but values go from their lists
//! to where the percentiles are computed.

use std::sync::Arc;

use crate::ddsketch::DdSketch;
use crate::distinct::Distinct;
use crate::exact_set::ExactSet;
use crate::field_plan::FieldPlan;
use crate::interpolation::{of_sketch, of_values};
use crate::limit_error::LimitError;
use crate::percentiles::{DistinctBy, Percentiles};
use crate::plan::Plan;
use crate::quantiles::Quantiles;
use crate::scratch::WriteScratch;
use crate::spread::Spread;
use crate::table::Table;

/// Writes results of groups of several tables of one plan. Use one for all.
#[derive(Debug)]
pub struct MergedResults {
    plan: Arc<Plan>,
    /// Of one group.
    table: Table,
    sketch: Option<DdSketch>,
    values: Vec<f64>,
    /// Whether values are taken from their lists. Digests and samples are the same only if merged one by one.
    has_lists: bool,
}

impl MergedResults {
    #[must_use]
    pub fn new(plan: &Arc<Plan>) -> MergedResults {
        let mut table = Table::new(plan);
        table.push();
        let sketch = match plan.settings.percentiles {
            Percentiles::DdSketch(alpha) => Some(DdSketch::new(alpha)),
            _ => None,
        };
        let has_lists = sketch.is_some() || matches!(plan.settings.percentiles, Percentiles::Exact(_));
        MergedResults { plan: Arc::clone(plan), table, sketch, values: Vec::new(), has_lists }
    }

    /// Appends the results of `parts` together: the same as [`Table::write_results`] writes of the group that
    /// [`Table::merge`] makes of them in this order.
    ///
    /// # Errors
    /// As [`Table::merge`]. See [`MergedResults::check`] for asking before.
    pub fn write(
        &mut self,
        parts: &[(&Table, usize)],
        seconds: Option<f64>,
        scratch: &mut WriteScratch,
        out: &mut Vec<u8>,
    ) -> Result<(), LimitError> {
        self.table.reset(0);
        if self.has_lists {
            parts.iter().for_each(|(table, group)| self.table.merge_but_percentiles(0, table, *group));
            scratch.clear();
            (0..self.plan.fields.len()).for_each(|field| self.compute_percentiles(field, parts, scratch));
        } else {
            for (table, group) in parts {
                self.table.merge(0, table, *group)?;
            }
            self.table.compute_percentiles(0, scratch);
        }
        self.table.write_computed(0, seconds, scratch, out);
        Ok(())
    }

    fn compute_percentiles(&mut self, field: usize, parts: &[(&Table, usize)], scratch: &mut WriteScratch) {
        let all = || parts.iter().filter_map(|(table, group)| table.quantiles(field, *group));
        // Lists lie apart in memory: they are brought together first, which waits for many of them at once.
        self.values.clear();
        all().filter_map(Quantiles::listed).for_each(|values| self.values.extend_from_slice(values));
        let is_exact = self.values.len() <= self.plan.settings.percentiles.values_max()
            && all().all(|quantiles| quantiles.listed().is_some());
        let FieldPlan { percents, wants_spread, .. } = &self.plan.fields[field];
        scratch.add_field(|ranks, percentiles| match &mut self.sketch {
            Some(sketch) if !is_exact => {
                sketch.clear();
                sketch.extend(&self.values);
                all().filter_map(Quantiles::sketched).for_each(|other| sketch.merge(other));
                of_sketch(percents, sketch, percentiles);
                if *wants_spread {
                    Spread::of_sketch(sketch).append(percentiles);
                }
            }
            _ => {
                of_values(&self.values, percents, ranks, percentiles);
                if *wants_spread && let Some(spread) = Spread::of_values(&self.values, ranks) {
                    spread.append(percentiles);
                }
            }
        });
    }

    /// Checks that groups are together within the limits of exact percentiles and exact counts.
    ///
    /// # Errors
    /// As [`Table::merge`] of all of them.
    pub fn check(&self, parts: &[(&Table, usize)]) -> Result<(), LimitError> {
        self.check_sets(parts)?;
        let Percentiles::Exact(max) = self.plan.settings.percentiles else { return Ok(()) };
        for (number, field) in self.plan.fields.iter().enumerate() {
            let all = parts.iter().filter_map(|(table, group)| table.quantiles(number, *group));
            if all.filter_map(Quantiles::listed).map(<[f64]>::len).sum::<usize>() > max {
                return Err(LimitError::Percentiles { field: field.label.clone(), max });
            }
        }
        Ok(())
    }

    fn check_sets(&self, parts: &[(&Table, usize)]) -> Result<(), LimitError> {
        let DistinctBy::Exact(max) = self.plan.settings.distinct else { return Ok(()) };
        for (number, field) in self.plan.fields.iter().enumerate() {
            let all = parts.iter().filter_map(|(table, group)| table.distinct(number, *group));
            let sets = all.filter_map(Distinct::exact);
            if sets.clone().map(ExactSet::len).sum::<u64>() <= max {
                continue;
            }
            let mut all = ExactSet::default();
            sets.for_each(|set| all.merge(set));
            if all.len() > max {
                return Err(LimitError::Distinct { field: field.label.clone(), max });
            }
        }
        Ok(())
    }
}
