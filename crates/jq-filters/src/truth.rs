//! The results of a filter as a condition.

/// What the results of a filter are as a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// One of them is neither `false` nor null.
    pub passes: bool,
    /// One of them is `true`, `false` or null, as a condition gives.
    pub decides: bool,
}
