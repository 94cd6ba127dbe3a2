//! The error of a snapshot that is not of this plan.

/// A snapshot that is not one of this plan's groups. It names the kind of state that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved {0} do not fit these results")]
pub struct SnapshotError(pub(crate) &'static str);
