//! What is said where a group has more values than may be kept.

/// A group has more values than may be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    #[error("exact percentiles of field {field:?}: a group has more than {max} values")]
    Percentiles { field: String, max: usize },
    #[error("exact count of field {field:?}: a group has more than {max} different values")]
    Distinct { field: String, max: u64 },
}
