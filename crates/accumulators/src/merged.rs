//! Results of several groups together, without a group that they are merged into.
//!
//! Windows that overlap are made of slices, and each slice is in many windows: what is merged for one window is not
//! needed again, and lists of values are long. So counts, sums and the like are merged, but values go from their lists
//! to where the percentiles are computed.

use crate::ddsketch::DdSketch;
use crate::distinct::Distinct;
use crate::exact_set::ExactSet;
use crate::field_plan::FieldPlan;
use crate::limit_error::LimitError;
use crate::percentiles::{DistinctBy, Percentiles};
use crate::plan::Plan;
use crate::quantiles::{Quantiles, of_sketch, of_values};
use crate::results::WriteScratch;
use crate::table::{Table, range};

/// Writes results of groups of several tables of one plan. Use one for all.
#[derive(Debug)]
pub struct MergedResults {
    /// Of one group.
    table: Table,
    sketch: Option<DdSketch>,
    values: Vec<f64>,
    /// Whether values are taken from their lists. Digests and samples are the same only if merged one by one.
    has_lists: bool,
}

impl MergedResults {
    #[must_use]
    pub fn new(plan: &Plan) -> MergedResults {
        let mut table = Table::default();
        table.push(plan);
        let sketch = match plan.settings.percentiles {
            Percentiles::DdSketch(alpha) => Some(DdSketch::new(alpha)),
            _ => None,
        };
        let has_lists = sketch.is_some() || matches!(plan.settings.percentiles, Percentiles::Exact(_));
        MergedResults { table, sketch, values: Vec::new(), has_lists }
    }

    /// Appends the results of `parts` together: the same as [`Table::write_results`] writes of the group that
    /// [`Table::merge`] makes of them in this order.
    ///
    /// # Errors
    /// As [`Table::merge`]. See [`check_merged`] for asking before.
    pub fn write(
        &mut self,
        plan: &Plan,
        parts: &[(&Table, usize)],
        seconds: Option<f64>,
        scratch: &mut WriteScratch,
        out: &mut Vec<u8>,
    ) -> Result<(), LimitError> {
        self.table.reset(plan, 0);
        if self.has_lists {
            parts.iter().for_each(|(table, group)| self.table.merge_but_values(plan, 0, table, *group));
            scratch.clear();
            plan.fields.iter().for_each(|field| self.percentiles(plan, field, parts, scratch));
        } else {
            for (table, group) in parts {
                self.table.merge(plan, 0, table, *group)?;
            }
            self.table.compute_percentiles(plan, 0, scratch);
        }
        self.table.write_computed(plan, 0, seconds, scratch, out);
        Ok(())
    }

    fn percentiles(&mut self, plan: &Plan, field: &FieldPlan, parts: &[(&Table, usize)], scratch: &mut WriteScratch) {
        let start = scratch.percentiles.len();
        let all = || parts.iter().filter_map(|(table, group)| quantiles(plan, field, table, *group));
        // Lists lie apart in memory: they are brought together first, which waits for many of them at once.
        self.values.clear();
        all().filter_map(Quantiles::listed).for_each(|values| self.values.extend_from_slice(values));
        let is_exact = self.values.len() <= plan.settings.percentiles.values_max()
            && all().all(|quantiles| quantiles.listed().is_some());
        match &mut self.sketch {
            Some(sketch) if !is_exact => {
                sketch.clear();
                sketch.extend(&self.values);
                all().filter_map(Quantiles::sketched).for_each(|other| sketch.merge(other));
                of_sketch(&field.percents, sketch, &mut scratch.percentiles);
            }
            _ => of_values(&self.values, &field.percents, &mut scratch.ranks, &mut scratch.percentiles),
        }
        scratch.starts.push((scratch.percentiles.len() > start).then_some(start));
    }
}

/// Whether groups together are within the limits of exact percentiles and exact counts.
///
/// # Errors
/// As [`Table::merge`] of all of them.
pub fn check_merged(plan: &Plan, parts: &[(&Table, usize)]) -> Result<(), LimitError> {
    check_merged_sets(plan, parts)?;
    let Percentiles::Exact(max) = plan.settings.percentiles else { return Ok(()) };
    for field in &plan.fields {
        let all = parts.iter().filter_map(|(table, group)| quantiles(plan, field, table, *group));
        if all.filter_map(Quantiles::listed).map(<[f64]>::len).sum::<usize>() > max {
            return Err(LimitError::Percentiles { field: field.label.clone(), max });
        }
    }
    Ok(())
}

fn check_merged_sets(plan: &Plan, parts: &[(&Table, usize)]) -> Result<(), LimitError> {
    let DistinctBy::Exact(max) = plan.settings.distinct else { return Ok(()) };
    for field in &plan.fields {
        let Some(column) = field.distinct else { continue };
        let sets =
            parts.iter().filter_map(|(table, group)| match &table.distinct[group * plan.columns.distinct + column] {
                Distinct::Exact(set) => Some(set),
                _ => None,
            });
        if sets.clone().map(|set| set.len()).sum::<u64>() <= max {
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

fn quantiles<'a>(plan: &Plan, field: &FieldPlan, table: &'a Table, group: usize) -> Option<&'a Quantiles> {
    table.quantiles[range(group, plan.columns.quantiles)].get(field.quantiles?)
}
