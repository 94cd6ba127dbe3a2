//! What the protocol is told of a stage.

use std::sync::Arc;

use crate::hot_keys::LineKeys;
use crate::rejects::{Late, Policy};
use crate::select::LineSelection;

/// Limits and policies of a stage, from its flags.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tool's name, for messages and for the `hops` of a barrier.
    pub name: String,
    pub policy: Policy,
    pub line_bytes_max: usize,
    /// `--as`: what the stage's folder in the state folder is called, if not by hop and name.
    pub state_name: Option<String>,
    /// `--exactly-once`: lines without a hello before them end the run.
    pub exactly_once: bool,
    /// `--where`: which lines the stage takes; none for all.
    pub selection: Option<Arc<dyn LineSelection>>,
    /// The keys of the lines, of which those that come most often are shown to those who watch the run.
    pub keys: Option<Arc<dyn LineKeys>>,
}

impl Config {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            policy: Policy::default(),
            line_bytes_max: 64 << 20,
            state_name: None,
            exactly_once: false,
            selection: None,
            keys: None,
        }
    }

    /// What happens to late lines.
    #[must_use]
    pub fn with_late(mut self, late: Option<Late>) -> Self {
        self.policy.late = late;
        self
    }

    /// Whose keys these are; none for a stage without.
    #[must_use]
    pub fn with_keys<K: LineKeys + Clone + 'static>(mut self, keys: Option<&K>) -> Self {
        self.keys = keys.map(|keys| Arc::new(keys.clone()) as Arc<dyn LineKeys>);
        self
    }
}
