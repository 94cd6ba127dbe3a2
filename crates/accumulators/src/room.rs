//! Limits of what a group may keep, checked before anything changes.

use values::write_canonical;

use crate::columns::Columns;
use crate::exact_set::ExactSet;
use crate::limit_error::LimitError;
use crate::percentiles::{DistinctBy, Percentiles};
use crate::plan::Plan;
use crate::values::Values;

/// The room that is left for values in a group.
#[derive(Clone, Copy)]
pub(crate) struct Room<'a> {
    pub plan: &'a Plan,
    pub columns: &'a Columns,
    pub group: usize,
}

impl<'a> Room<'a> {
    /// Checks that the values of a line find room.
    ///
    /// # Errors
    /// One value too many.
    pub fn check_line(&self, values: &Values, line: &[u8], canonical: &mut Vec<u8>) -> Result<(), LimitError> {
        self.check_percentiles(|number, _| usize::from(values.fields[number].is_some()))?;
        self.check_new_values(values, line, canonical)
    }

    /// Checks that those of another group find room.
    ///
    /// # Errors
    /// Too many values.
    pub fn check_merge(&self, other: &Columns, from: usize) -> Result<(), LimitError> {
        self.check_percentiles(|_, number| other.quantiles.at(from, number).listed().map_or(0, <[f64]>::len))?;
        self.check_sets(other, from)
    }

    /// Checks that every field's exact percentiles have room for `more(field, number)` values.
    fn check_percentiles(&self, more: impl Fn(usize, usize) -> usize) -> Result<(), LimitError> {
        let percentiles = self.plan.settings.percentiles;
        let Percentiles::Exact(max) = percentiles else { return Ok(()) };
        for (field_number, field) in self.plan.fields.iter().enumerate() {
            if let Some(number) = field.states.quantiles
                && self.columns.quantiles.at(self.group, number).is_full(percentiles, more(field_number, number))
            {
                return Err(LimitError::Percentiles { field: field.label.clone(), max });
            }
        }
        Ok(())
    }

    fn check_new_values(&self, values: &Values, line: &[u8], canonical: &mut Vec<u8>) -> Result<(), LimitError> {
        let DistinctBy::Exact(max) = self.plan.settings.distinct else { return Ok(()) };
        for (field, found) in self.plan.fields.iter().zip(&values.fields) {
            if let (Some(number), Some(found)) = (field.states.distinct, found)
                && let Some(set) = self.set(number)
                && set.len() >= max
            {
                canonical.clear();
                write_canonical(Some(found), values.text(field.source, line), canonical);
                if !set.contains(canonical) {
                    return Err(LimitError::Distinct { field: field.label.clone(), max });
                }
            }
        }
        Ok(())
    }

    fn check_sets(&self, other: &Columns, from: usize) -> Result<(), LimitError> {
        let DistinctBy::Exact(max) = self.plan.settings.distinct else { return Ok(()) };
        let other = Room { columns: other, group: from, ..*self };
        for field in &self.plan.fields {
            if let Some(number) = field.states.distinct
                && let (Some(own), Some(their)) = (self.set(number), other.set(number))
                && own.len() + their.len() > max
                && own.len_with(their) > max
            {
                return Err(LimitError::Distinct { field: field.label.clone(), max });
            }
        }
        Ok(())
    }

    fn set(&self, number: usize) -> Option<&'a ExactSet> {
        self.columns.distinct.at(self.group, number).exact()
    }
}
