//! Fewer and larger files: the logarithmic method (Bentley and Saxe 1980), as LSM trees do it.
//!
//! Every snapshot adds a file with what changed. Files of about the same size become one, so that there are O(log n) of
//! them, and each entry is written again O(log n) times. And the oldest is made anew when what was written since is
//! half as much: what is read at a restore is at most about one and a half times the state.

use std::path::PathBuf;
use std::sync::Arc;

use crate::file_reader::FileReader;
use crate::file_writer::{FileWriter, Stored, write_file};
use crate::header::Header;
use crate::newest_wins::NewestWins;
use crate::{Disk, Error};

/// So many files are left as they are.
const FILES_OF_A_SIZE_MAX: usize = 8;

/// With fewer files than this, the oldest is not made anew, however small it is.
const FILES_BEFORE_ALL: usize = 4;

/// Files to merge.
pub struct Merge {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) folder: PathBuf,
    /// Of the file to be; names those that go into it.
    pub(crate) header: Header,
    /// There is nothing older: keys that are gone need not be remembered.
    pub(crate) from_the_oldest: bool,
    pub(crate) bytes: u64,
}

/// What a [`Merge`] gave.
pub struct Merged {
    pub(crate) files: Vec<String>,
    pub(crate) into: Stored,
}

impl Merge {
    /// Writes the merged file, durably; the old ones stay.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn run(self) -> Result<Merged, Error> {
        let into = write_file(&*self.disk, &self.folder, &self.header, self.bytes, &mut |to| self.write(to))?;
        Ok(Merged { files: self.header.merged, into })
    }

    fn write(&self, to: &mut FileWriter<'_>) -> Result<(), Error> {
        let open = |file: &String| FileReader::open(&*self.disk, &self.folder, file);
        let files = self.header.merged.iter().map(open).collect::<Result<_, _>>()?;
        let mut entries = NewestWins::new(files)?;
        while let Some(entry) = entries.next()? {
            if entry.value().is_some() || !self.from_the_oldest {
                to.entry(entry.line())?;
            }
        }
        Ok(())
    }
}

/// How many of the newest files should become one, given the entries in each, oldest first.
pub(crate) fn due(entries: &[u64]) -> Option<usize> {
    let (oldest, newer) = entries.split_first()?;
    if entries.len() >= FILES_BEFORE_ALL && 2 * newer.iter().sum::<u64>() >= *oldest {
        return Some(entries.len());
    }
    let mut sum = 0;
    let similar = entries.iter().rev().take_while(|&&entries| {
        let is_similar = sum == 0 || entries <= sum;
        sum += entries;
        is_similar
    });
    Some(similar.count()).filter(|&count| count >= FILES_OF_A_SIZE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saves that change `changed` of `state` keys; gives the files at the end, the most there were, the entries
    /// written by merges, and the most that a restore reads.
    fn after(saves: u64, state: u64, changed: u64) -> (Vec<u64>, usize, u64, u64) {
        let (mut files, mut files_max, mut written, mut read_max) = (vec![state], 0, 0, 0);
        for _ in 0..saves {
            files.push(changed);
            (files_max, read_max) = (files_max.max(files.len()), read_max.max(files.iter().sum()));
            if let Some(count) = due(&files) {
                let merged: u64 = files.drain(files.len() - count..).sum();
                files.push(merged.min(state));
                written += merged.min(state);
            }
        }
        (files, files_max, written, read_max)
    }

    #[test]
    fn files_stay_few_and_small_and_little_is_written_twice() {
        let (saves, state, changed) = (10_000, 1_000_000, 10_000);
        let (_, files, written, read) = after(saves, state, changed);
        assert!(files <= 24, "{files} files");
        assert!(read <= state * 8 / 5, "{read} entries are read at a restore");
        assert!(written <= 5 * saves * changed, "{} entries were written again for each", written / (saves * changed));
    }

    #[test]
    fn a_state_that_changes_wholly_is_not_merged_at_each_save() {
        let (files, _, written, _) = after(1000, 100, 100);
        assert!(files.len() <= 4, "{files:?}");
        assert!(written <= 40_000, "{written}");
    }

    #[test]
    fn single_files_are_left_alone() {
        assert_eq!(due(&[]), None);
        assert_eq!(due(&[1000]), None);
        assert_eq!(due(&[1000, 1, 1, 1]), None);
        assert_eq!(due(&[1000, 1, 1, 1, 1, 1, 1, 1, 1]), Some(8));
        assert_eq!(due(&[10, 1, 1, 3]), Some(4));
    }
}
