//! What files are called.

use std::io;
use std::path::Path;

use crate::{CheckpointId, Disk, Error};

/// How a snapshot's file may end: as text, or compressed when it is large.
pub(crate) const ENDINGS: [&str; 2] = [".ndjson", COMPRESSED];
pub(crate) const COMPRESSED: &str = ".ndjson.zst";

/// What a file is called until it is whole.
pub(crate) const TEMPORARY: &str = ".tmp-";

/// Whether a stage's folder has this snapshot, whole: it comes to its name by a rename.
///
/// # Errors
/// When the folder cannot be looked into.
pub fn has_snapshot(disk: &dyn Disk, folder: &Path, id: &CheckpointId) -> Result<bool, Error> {
    Ok(snapshot_file(disk, folder, id)?.is_some())
}

/// The name of a snapshot's file, if it is there.
pub(crate) fn snapshot_file(disk: &dyn Disk, folder: &Path, id: &CheckpointId) -> Result<Option<String>, Error> {
    for ending in ENDINGS {
        let name = format!("{id}{ending}");
        let path = folder.join(&name);
        if disk.exists(&path).map_err(|error: io::Error| Error::io(&path, error))? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A file's name without its ending: `RUN.SEQ` or `RUN.SEQ.merged-N`; none for a file that is not ours.
pub(crate) fn stem(file: &str) -> Option<&str> {
    let stem = ENDINGS.iter().find_map(|ending| file.strip_suffix(ending))?;
    let id = match stem.split_once(".merged-") {
        Some((id, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => id,
        Some(_) => return None,
        None => stem,
    };
    id.parse::<CheckpointId>().is_ok().then_some(stem)
}

/// What a file in a stage's folder is, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A stage's state at a barrier.
    Snapshot(CheckpointId),
    /// Entries of several snapshots.
    Merged,
    /// What a crash has left half-written.
    Leftover,
    /// None of ours.
    Other,
}

impl FileKind {
    pub fn of(file: &str) -> Self {
        match (snapshot_id(file), stem(file)) {
            (Some(id), _) => Self::Snapshot(id),
            (None, Some(_)) => Self::Merged,
            _ if file.starts_with(TEMPORARY) => Self::Leftover,
            _ => Self::Other,
        }
    }
}

/// The checkpoint of a file that is a snapshot.
pub(crate) fn snapshot_id(file: &str) -> Option<CheckpointId> {
    stem(file)?.parse().ok()
}

/// Between the name of a stage's folder and the number of its shard.
pub const SHARD: &str = ".shard-";

/// The name of a stage's folder without its shard.
#[must_use]
pub fn without_shard(name: &str) -> &str {
    name.split_once(SHARD).map_or(name, |(name, _)| name)
}

/// With what is put after it, the name of a stage's folder has at most 255 bytes.
const STAGE_NAME_BYTES_MAX: usize = 100;

/// Checks a name for a stage.
///
/// # Errors
/// What is wrong with it.
pub fn check_stage_name(name: &str) -> Result<(), &'static str> {
    let is_good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || !name.bytes().all(is_good) {
        return Err("a name is letters, digits, - and _");
    }
    if name.len() > STAGE_NAME_BYTES_MAX {
        return Err("a name has at most 100 letters");
    }
    if !is_folder_name(name) || name == "exec-cat-out" {
        return Err("the state folder has something else of that name");
    }
    Ok(())
}

/// Whether a stage's folder can have this name: one part of a path, and none of ours.
pub fn is_folder_name(name: &str) -> bool {
    let ours = ["lock", "run", "sink", "committed"];
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']) && !ours.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_files_have_a_stem() {
        assert_eq!(stem("a-1.7.ndjson"), Some("a-1.7"));
        assert_eq!(stem("a-1.7.ndjson.zst"), Some("a-1.7"));
        assert_eq!(stem("a-1.7.merged-3.ndjson.zst"), Some("a-1.7.merged-3"));
        for file in [
            "notes.txt",
            "a.ndjson",
            ".tmp-1-a.7.ndjson",
            "../a.7.ndjson",
            "a.7.merged-.ndjson",
            "a.7.merged-x.ndjson",
            "a.7",
        ] {
            assert_eq!(stem(file), None, "{file}");
        }
    }

    #[test]
    fn a_folder_is_one_part_of_a_path() {
        assert!(is_folder_name("3-aggregate") && is_folder_name("per user"));
        for name in ["", ".", "..", ".hidden", "a/b", "lock", "run", "sink", "committed"] {
            assert!(!is_folder_name(name), "{name}");
        }
    }
}
