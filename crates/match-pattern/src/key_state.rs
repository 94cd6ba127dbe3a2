//! The state of a key.

use std::collections::BTreeMap;

use crate::matcher::Matcher;
use crate::row::Row;
use crate::silence::RowPlace;

/// What is kept of a key.
#[derive(Debug, Default)]
pub struct KeyState {
    pub matcher: Matcher,
    /// Rows whose turn has not come, by time and number.
    pub waiting: BTreeMap<(i64, u64), Row>,
    /// When its oldest partial match is too old, and the number of the line at which that began.
    pub due: Option<(i64, u64)>,
    /// With `--ttl` its last row that was taken, and the one by which it has its place among the keys to be forgotten.
    pub last: Option<RowPlace>,
    pub place: Option<RowPlace>,
}
