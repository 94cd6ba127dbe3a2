//! The groups of one window or slice.

use crate::groups::Groups;

/// Groups, and how many lines are in them.
#[derive(Debug, Default)]
pub struct Pane {
    pub groups: Groups,
    pub lines: u64,
}
