//! `DIR/run`: which run has the folder now.
//!
//! A sink that was stopped can wake up at any time, also between the last look at the folder and the rename of
//! `DIR/committed`. Its copy would take the place of a younger run's, whose source would then go back to a checkpoint
//! whose snapshots are gone. So a run begins by putting its name into `DIR/run`, then removes all temporary files; and a
//! sink writes its temporary file, then looks who has the folder, then renames. A stale one either sees the younger
//! name, or its temporary file is older than that name and gets removed.

use std::io::{self, Write as _};
use std::path::Path;

use crate::committed::{Committed, publish_committed, remove_leftovers};
use crate::{Disk, Error, publish};

const FILE: &str = "run";
const SINK: &str = "sink";

/// The folder is this run's from now on. For the holder of the folder's lock, before it reads what is committed.
///
/// # Errors
/// When the folder cannot be written.
pub fn begin_run(disk: &dyn Disk, dir: &Path, run: &str) -> Result<(), Error> {
    publish(disk, &dir.join(FILE), &mut |to| writeln!(to, "{run}"))?;
    remove_leftovers(disk, dir)
}

/// Who has the folder; `None` before the first run.
///
/// # Errors
/// When that cannot be read.
pub fn live_run(disk: &dyn Disk, dir: &Path) -> Result<Option<String>, Error> {
    run_in(disk, &dir.join(FILE))
}

/// For a sink: the hello of this run has come to it. A sign for the source, which a crash may take away.
///
/// # Errors
/// When it cannot be written.
pub fn show_sink(disk: &dyn Disk, dir: &Path, run: &str) -> Result<(), Error> {
    let path = dir.join(SINK);
    let written = disk.write(&path, 0).and_then(|mut file| writeln!(file, "{run}"));
    written.map_err(|error| Error::io(&path, error))
}

/// The run whose hello has come to a sink last.
///
/// # Errors
/// When that cannot be read.
pub fn sink_run(disk: &dyn Disk, dir: &Path) -> Result<Option<String>, Error> {
    run_in(disk, &dir.join(SINK))
}

fn run_in(disk: &dyn Disk, path: &Path) -> Result<Option<String>, Error> {
    let mut text = String::new();
    let read = disk.read(path).and_then(|mut from| from.read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::reading(path, error)),
        Ok(_) => Ok(Some(text.trim_end().to_owned())),
    }
}

/// Replaces what the folder says is committed, durably, unless another run has the folder.
///
/// # Errors
/// When it cannot be written, or may not: then another run has begun since.
pub fn write_committed_in(disk: &dyn Disk, dir: &Path, run: &str, committed: &Committed) -> Result<(), Error> {
    let mut is_still_right = || match live_run(disk, dir).map_err(io::Error::other)? {
        Some(live) if live != run => Err(io::Error::other(format!("another run has begun since: {live}"))),
        _ => Ok(()),
    };
    publish_committed(disk, dir, &format!("{run}-"), committed, &mut is_still_right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckpointId, RealDisk, read_committed};
    use std::fs;

    fn committed(run: &str) -> Committed {
        let (sink, at) = ("files".to_owned(), String::new());
        Committed { id: CheckpointId::new(run, 1), sink, snapshots: Vec::new(), at }
    }

    #[test]
    fn a_run_writes_while_the_folder_is_its_own() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(live_run(&RealDisk, dir.path()).unwrap(), None);
        begin_run(&RealDisk, dir.path(), "a").unwrap();
        assert_eq!(live_run(&RealDisk, dir.path()).unwrap(), Some("a".to_owned()));
        write_committed_in(&RealDisk, dir.path(), "a", &committed("a")).unwrap();

        begin_run(&RealDisk, dir.path(), "b").unwrap();
        let error = write_committed_in(&RealDisk, dir.path(), "a", &committed("a")).unwrap_err();
        assert!(error.to_string().ends_with("committed: another run has begun since: b"), "{error}");
        write_committed_in(&RealDisk, dir.path(), "b", &committed("b")).unwrap();
        assert_eq!(read_committed(&RealDisk, dir.path()).unwrap(), Some(committed("b")));
        assert_eq!(RealDisk.list(dir.path()).unwrap(), ["committed", "run"]);
    }

    #[test]
    fn a_sink_shows_whose_hello_it_has() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(sink_run(&RealDisk, dir.path()).unwrap(), None);
        for run in ["a-long-one", "b"] {
            show_sink(&RealDisk, dir.path(), run).unwrap();
            assert_eq!(sink_run(&RealDisk, dir.path()).unwrap().as_deref(), Some(run));
        }
    }

    #[test]
    fn a_run_that_begins_takes_from_stale_ones_what_they_are_writing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".tmp-7-a-committed"), "").unwrap();
        begin_run(&RealDisk, dir.path(), "b").unwrap();
        assert_eq!(RealDisk.list(dir.path()).unwrap(), ["run"]);
    }
}
