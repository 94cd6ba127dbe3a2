//! Limits of what a group may keep, checked before anything changes.

use crate::distinct::Distinct;
use crate::limit_error::LimitError;
use crate::percentiles::{DistinctBy, Percentiles};
use crate::plan::Plan;
use crate::table::Table;
use crate::values::Values;
use values::write_canonical;

impl Table {
    /// Whether every exact count has room for the line's values.
    pub(crate) fn check_new_values(
        &mut self,
        plan: &Plan,
        group: usize,
        values: &Values,
        line: &[u8],
    ) -> Result<(), LimitError> {
        let DistinctBy::Exact(max) = plan.settings.distinct else { return Ok(()) };
        for (field, found) in plan.fields.iter().zip(&values.fields) {
            if let (Some(column), Some(found)) = (field.distinct, found)
                && let Distinct::Exact(set) = &self.distinct[group * plan.columns.distinct + column]
                && set.len() >= max
            {
                self.canonical.clear();
                write_canonical(Some(found), values.text(field.source, line), &mut self.canonical);
                if !set.contains(&self.canonical) {
                    return Err(LimitError::Distinct { field: field.label.clone(), max });
                }
            }
        }
        Ok(())
    }

    /// Whether every exact count has room for those of another group.
    pub(crate) fn check_sets(&self, plan: &Plan, group: usize, other: &Table, from: usize) -> Result<(), LimitError> {
        let DistinctBy::Exact(max) = plan.settings.distinct else { return Ok(()) };
        for field in plan.fields.iter() {
            let Some(column) = field.distinct else { continue };
            let at = |table: &Table, group: usize| match &table.distinct[group * plan.columns.distinct + column] {
                Distinct::Exact(set) => set.len(),
                _ => 0,
            };
            if at(self, group) + at(other, from) > max
                && let Distinct::Exact(own) = &self.distinct[group * plan.columns.distinct + column]
                && let Distinct::Exact(their) = &other.distinct[from * plan.columns.distinct + column]
                && own.len_with(their) > max
            {
                return Err(LimitError::Distinct { field: field.label.clone(), max });
            }
        }
        Ok(())
    }

    /// Whether every field's exact percentiles have room for `more(field, column)` values.
    pub(crate) fn check_room(
        &self,
        plan: &Plan,
        group: usize,
        more: impl Fn(usize, usize) -> usize,
    ) -> Result<(), LimitError> {
        let Percentiles::Exact(max) = plan.settings.percentiles else { return Ok(()) };
        for (number, field) in plan.fields.iter().enumerate() {
            if let Some(column) = field.quantiles
                && self.quantiles[group * plan.columns.quantiles + column]
                    .is_full(plan.settings.percentiles, more(number, column))
            {
                return Err(LimitError::Percentiles { field: field.label.clone(), max });
            }
        }
        Ok(())
    }
}
