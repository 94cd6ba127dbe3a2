//! What holds for all functions of a plan.

use crate::percentiles::{DistinctBy, Percentiles};

/// What holds for all functions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    pub percentiles: Percentiles,
    pub distinct: DistinctBy,
    /// Of the samples of `reservoir`.
    pub seed: u64,
}
