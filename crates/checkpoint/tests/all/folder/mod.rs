//! A stage's folder for tests: states as maps.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use checkpoint::{Changes, CheckpointId, Disk, Error, Part, Snapshot, StageFolder};

pub const FLAGS: &str = "--by key count";
pub const NAME: &str = "3-aggregate";

pub type State = BTreeMap<String, String>;

pub fn id(run: &str, seq: u64) -> CheckpointId {
    CheckpointId::new(run, seq)
}

/// Puts, and removals where there is no value.
pub fn changes<'a>(changes: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Changes {
    let mut all = Changes::default();
    for (key, value) in changes {
        match value {
            Some(value) => all.put(key, |to| to.extend_from_slice(value.as_bytes())),
            None => all.remove(key),
        }
    }
    all
}

pub fn snapshot(id: CheckpointId, head: &str, changes: Changes) -> Snapshot {
    Snapshot { id, stage: "aggregate".to_owned(), flags: FLAGS.to_owned(), head: head.as_bytes().to_vec(), changes }
}

pub fn open(disk: &Arc<dyn Disk>, dir: &Path, run: &str) -> StageFolder {
    StageFolder::open(Arc::clone(disk), dir, NAME, run).unwrap()
}

/// What a snapshot holds: its head and its entries.
pub fn load(folder: &mut StageFolder, id: &CheckpointId) -> Result<(String, State), Error> {
    let (mut head, mut state) = (None, State::new());
    folder.load(id, FLAGS, &mut |part| {
        match part {
            Part::Head(bytes) => assert!(head.replace(String::from_utf8_lossy(bytes).into_owned()).is_none()),
            Part::Entry { key, value } => {
                assert!(head.is_some(), "the head comes first");
                let value = String::from_utf8_lossy(value).into_owned();
                assert!(state.insert(key.to_owned(), value).is_none(), "each key once");
            }
        }
        Ok::<(), Error>(())
    })?;
    Ok((head.unwrap(), state))
}
