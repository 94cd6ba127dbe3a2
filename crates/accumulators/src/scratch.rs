//! Percentiles of a group, computed before results are written.

use crate::ranks::Ranks;

/// Buffers for [`crate::Table::write_results`]. Use one for all groups.
#[derive(Debug, Default)]
pub struct WriteScratch {
    ranks: Ranks,
    /// Percentiles of all fields, and where each field's begin; none for a field without values.
    percentiles: Vec<f64>,
    starts: Vec<Option<usize>>,
}

impl WriteScratch {
    /// Begins a group.
    pub(crate) fn clear(&mut self) {
        self.percentiles.clear();
        self.starts.clear();
    }

    /// Takes the percentiles of the next field, which `append` gives; there are none without values.
    pub(crate) fn add_field(&mut self, append: impl FnOnce(&mut Ranks, &mut Vec<f64>)) {
        let start = self.percentiles.len();
        append(&mut self.ranks, &mut self.percentiles);
        self.starts.push((self.percentiles.len() > start).then_some(start));
    }

    /// A percentile of a field, if it has values.
    pub(crate) fn percentile(&self, field: usize, percent: usize) -> Option<f64> {
        self.starts[field].map(|start| self.percentiles[start + percent])
    }
}
