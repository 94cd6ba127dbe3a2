//! Where the output goes.

use std::sync::{Arc, Mutex};

use crate::broker::Broker;
use crate::files::Files;
use crate::judge::Judge;
use crate::process::World;
use testkit::SimDisk;

/// What the sink of a schedule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A broker that the source can ask too.
    SeenBroker,
    /// A broker behind a source that cannot see it: there is `DIR/committed` only.
    Broker,
    /// `file-cat-out` with these flags.
    Files(&'static str),
}

/// All kinds.
pub const TARGETS: [TargetKind; 5] = [
    TargetKind::SeenBroker,
    TargetKind::Broker,
    TargetKind::Files("file-cat-out /out/lines --dead-letter /out/rejects"),
    TargetKind::Files("file-cat-out /out/lines --dead-letter /out/rejects --part-size 300B"),
    TargetKind::Files("file-cat-out --single /out/lines --dead-letter /out/rejects"),
];

/// A target with what has been committed to it.
#[derive(Clone)]
pub enum Target {
    Broker { broker: Arc<Broker>, is_seen: bool },
    Files(Arc<Files>),
}

impl Target {
    pub fn new(kind: TargetKind, world: &Arc<World>, disk: &SimDisk, judge: Judge) -> Self {
        let judge = Arc::new(Mutex::new(judge));
        match kind {
            TargetKind::SeenBroker => Self::Broker { broker: Broker::new(world, judge), is_seen: true },
            TargetKind::Broker => Self::Broker { broker: Broker::new(world, judge), is_seen: false },
            TargetKind::Files(flags) => Self::Files(Files::new(world, disk, flags, judge)),
        }
    }

    /// The broker, if there is one.
    pub fn broker(&self) -> Option<&Arc<Broker>> {
        match self {
            Self::Broker { broker, .. } => Some(broker),
            Self::Files(_) => None,
        }
    }

    /// Whether all that is to come has been committed.
    ///
    /// # Errors
    /// What is missing, or what should not be there.
    pub fn is_complete(&self) -> Result<(), String> {
        match self {
            Self::Broker { broker, .. } => broker.is_complete(),
            Self::Files(files) => files.is_complete(),
        }
    }
}
