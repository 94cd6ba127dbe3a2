//! A partial match.

use std::sync::Arc;

use crate::nodes::NodeId;
use crate::registers::Register;

/// A way through the pattern for the rows since one.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The step that is to come.
    pub step: u32,
    /// The first row.
    pub start: u64,
    /// The variables of the rows.
    pub rows: NodeId,
    /// What conditions want of the rows.
    pub registers: Option<Arc<[Register]>>,
}
