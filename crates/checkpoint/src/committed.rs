//! `DIR/committed`: a copy of what the sink says is committed.

use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::{Value, json};

use crate::disk::publish_if;
use crate::names::{TEMPORARY, is_folder_name};
use crate::{CheckpointId, Disk, Error};

const FILE: &str = "committed";

/// The `sink` of a copy that is there to start another pipeline from: its target has committed nothing yet.
pub const SAVEPOINT: &str = "savepoint";

/// The last committed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub id: CheckpointId,
    /// Where the truth is: `kafka`, `files`, `command`; or [`SAVEPOINT`].
    pub sink: String,
    /// The folders of the stages that have a snapshot in it.
    pub snapshots: Vec<String>,
    /// When, RFC 3339; for people.
    pub at: String,
}

/// What the folder says; `None` before the first commit.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read_committed(disk: &dyn Disk, dir: &Path) -> Result<Option<Committed>, Error> {
    let path = dir.join(FILE);
    let mut from = match disk.read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        from => from.map_err(|error| Error::io(&path, error))?,
    };
    let mut text = String::new();
    from.read_to_string(&mut text).map_err(|error: io::Error| Error::reading(&path, error))?;
    let damaged = || Error::damaged(&path, "damaged: it should be one line with id, sink, snapshots and at");
    let line = text.strip_suffix('\n').ok_or_else(damaged)?;
    parse(line).map(Some).ok_or_else(damaged)
}

/// Replaces what the folder says, durably.
///
/// # Errors
/// When it cannot be written.
pub fn write_committed(disk: &dyn Disk, dir: &Path, committed: &Committed) -> Result<(), Error> {
    publish_committed(disk, dir, "", committed, &mut || Ok(()))
}

pub(crate) fn publish_committed(
    disk: &dyn Disk,
    dir: &Path,
    owner: &str,
    committed: &Committed,
    is_still_right: &mut dyn FnMut() -> io::Result<()>,
) -> Result<(), Error> {
    let Committed { id, sink, snapshots, at } = committed;
    let line = json!({ "id": id.to_string(), "sink": sink, "snapshots": snapshots, "at": at });
    publish_if(disk, &dir.join(FILE), owner, &mut |to| writeln!(to, "{line}"), is_still_right)
}

/// Removes what crashes have left half-written in a folder. For the holder of its lock; a stale process that loses its
/// file by this fails, as it should.
///
/// # Errors
/// When a file cannot be removed.
pub fn remove_leftovers(disk: &dyn Disk, dir: &Path) -> Result<(), Error> {
    for name in disk.list(dir).map_err(|error| Error::io(dir, error))? {
        if name.starts_with(TEMPORARY) {
            remove_if_there(disk, &dir.join(name))?;
        }
    }
    Ok(())
}

/// Removes a file that somebody else may remove as well.
pub(crate) fn remove_if_there(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    match disk.remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(path, error)),
        _ => Ok(()),
    }
}

fn parse(line: &str) -> Option<Committed> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let name = |name: &Value| name.as_str().filter(|name| is_folder_name(name)).map(str::to_owned);
    Some(Committed {
        id: value["id"].as_str()?.parse().ok()?,
        sink: text("sink")?,
        snapshots: value["snapshots"].as_array()?.iter().map(name).collect::<Option<_>>()?,
        at: text("at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RealDisk;
    use std::fs;

    fn committed() -> Committed {
        Committed {
            id: CheckpointId::new("19a-7f", 12),
            sink: "files".to_owned(),
            snapshots: vec!["1-kafka-cat-in".to_owned(), "2-window".to_owned()],
            at: "2026-01-01T00:00:00.000Z".to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_an_empty_folder_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_committed(&RealDisk, dir.path()).unwrap(), None);
        write_committed(&RealDisk, dir.path(), &committed()).unwrap();
        assert_eq!(read_committed(&RealDisk, dir.path()).unwrap(), Some(committed()));
        let line = fs::read_to_string(dir.path().join("committed")).unwrap();
        let expected = r#"{"id":"19a-7f.12","sink":"files","snapshots":["1-kafka-cat-in","2-window"],"at":"2026-01-01T00:00:00.000Z"}"#;
        assert_eq!(line, format!("{expected}\n"));
        assert_eq!(RealDisk.list(dir.path()).unwrap(), ["committed"]);
    }

    #[test]
    fn garbage_is_an_error_wherever_it_is_torn() {
        let dir = tempfile::tempdir().unwrap();
        write_committed(&RealDisk, dir.path(), &committed()).unwrap();
        let path = dir.path().join("committed");
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = read_committed(&RealDisk, dir.path()).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{length}: {error}");
        }
    }

    #[test]
    fn a_snapshot_outside_of_the_folder_is_garbage() {
        let dir = tempfile::tempdir().unwrap();
        let line = "{\"id\":\"a.1\",\"sink\":\"files\",\"snapshots\":[\"../b\"],\"at\":\"\"}\n";
        fs::write(dir.path().join("committed"), line).unwrap();
        assert!(matches!(read_committed(&RealDisk, dir.path()), Err(Error::Damaged { .. })));
    }

    #[test]
    fn leftovers_of_a_crash_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".tmp-7-committed", "committed", "notes.txt"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        remove_leftovers(&RealDisk, dir.path()).unwrap();
        assert_eq!(RealDisk.list(dir.path()).unwrap(), ["committed", "notes.txt"]);
    }
}
