//! The groups of one window or slice.

use std::sync::Arc;

use accumulators::Plan;

use crate::groups::Groups;

/// Groups, and how many lines are in them.
#[derive(Debug)]
pub struct Pane {
    pub groups: Groups,
    pub lines: u64,
}

impl Pane {
    pub fn new(plan: &Arc<Plan>) -> Pane {
        Pane { groups: Groups::new(plan), lines: 0 }
    }
}
