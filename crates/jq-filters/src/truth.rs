//! The results of a filter as a condition.

/// What the results of a filter are as a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// One of them is neither `false` nor null.
    pub passes: bool,
    /// One of them is `true`, `false` or null, as a condition gives.
    pub decides: bool,
}

impl Truth {
    /// Adds a result: whether it is true, and whether it is one that a condition gives.
    #[inline]
    pub(crate) fn add(&mut self, passes: bool, decides: bool) {
        self.passes |= passes;
        self.decides |= decides;
    }
}
