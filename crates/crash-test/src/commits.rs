//! When the pipeline commits: files change.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The name that is looked for when none is given.
const NAME: &str = "committed";
/// How deep it is looked for.
const DEPTH_MAX: usize = 6;
/// How often it is looked for, before one is found and afterwards.
const SEARCH_FIRST: Duration = Duration::from_millis(20);
const SEARCH_AGAIN: Duration = Duration::from_secs(1);

/// What a file that was written anew, or added to, cannot have kept.
type Stamp = (i64, i64, u64, u64);

/// Watches the files that change at a commit.
pub struct Commits {
    /// `--committed`
    given: Option<PathBuf>,
    dir: PathBuf,
    stamps: BTreeMap<PathBuf, Stamp>,
    searched: Option<Instant>,
}

impl Commits {
    pub fn new(given: Option<&Path>, dir: &Path) -> Self {
        let given = given.map(|path| dir.join(path));
        Self { given, dir: dir.to_owned(), stamps: BTreeMap::new(), searched: None }
    }

    /// True when one of them is new or has changed since the last time this was asked.
    pub fn changed(&mut self) -> bool {
        match self.given.clone() {
            Some(path) => self.look_at(&path),
            None => {
                let known: Vec<PathBuf> = self.stamps.keys().cloned().collect();
                let changed = known.iter().filter(|path| self.look_at(path)).count() > 0;
                self.search() || changed
            }
        }
    }

    fn look_at(&mut self, path: &Path) -> bool {
        let Ok(data) = fs::metadata(path) else { return false };
        let stamp = (data.mtime(), data.mtime_nsec(), data.ino(), data.size());
        self.stamps.insert(path.to_owned(), stamp) != Some(stamp)
    }

    fn search(&mut self) -> bool {
        let pause = if self.stamps.is_empty() { SEARCH_FIRST } else { SEARCH_AGAIN };
        if self.searched.is_some_and(|at| at.elapsed() < pause) {
            return false;
        }
        self.searched = Some(Instant::now());
        let mut found = Vec::new();
        find(&self.dir, DEPTH_MAX, &mut found);
        found.iter().filter(|path| self.look_at(path)).count() > 0
    }
}

fn find(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => find(&entry.path(), depth - 1, found),
            Ok(kind) if kind.is_file() && entry.file_name() == NAME => found.push(entry.path()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_that_name_is_found_and_a_rename_over_it_is_a_commit() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a/state");
        fs::create_dir_all(&state).unwrap();
        let mut commits = Commits::new(None, folder.path());
        assert!(!commits.changed());
        fs::write(state.join(NAME), "1").unwrap();
        std::thread::sleep(SEARCH_FIRST);
        assert!(commits.changed() && !commits.changed());
        fs::write(state.join("new"), "2").unwrap();
        fs::rename(state.join("new"), state.join(NAME)).unwrap();
        assert!(commits.changed() && !commits.changed());
    }

    #[test]
    fn a_given_folder_changes_when_a_file_comes_into_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut commits = Commits::new(Some(Path::new("output")), folder.path());
        assert!(!commits.changed());
        fs::create_dir(folder.path().join("output")).unwrap();
        assert!(commits.changed() && !commits.changed());
        fs::write(folder.path().join("output/part"), "1").unwrap();
        assert!(commits.changed());
    }
}
