//! A pipeline's folder of state, to look into.

use std::path::{Path, PathBuf};

use checkpoint::{CheckpointId, Committed, Disk, FileKind, RealDisk, SnapshotReader};
use checkpoint::{is_folder_name, read_committed};
use millpipe::Error;

/// As often as a checkpoint may go while it is being opened, because the pipeline has committed later ones.
const TRIES_MAX: u32 = 100;

pub struct Folder {
    pub dir: PathBuf,
}

/// A checkpoint whose files are all open.
pub struct Checkpoint {
    pub id: CheckpointId,
    /// What the folder says of it, if it is the committed one.
    pub committed: Option<Committed>,
    pub stages: Vec<Stage>,
}

pub struct Stage {
    /// Of its folder.
    pub name: String,
    pub snapshot: Result<SnapshotReader, checkpoint::Error>,
}

impl Folder {
    /// # Errors
    /// When it is no folder.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let io = |error| Error::io(dir.display(), &error);
        if !dir.metadata().map_err(io)?.is_dir() {
            return Err(Error::data(format_args!("\"{}\" is not a folder", dir.display())));
        }
        Ok(Self { dir: dir.to_owned() })
    }

    pub fn committed(&self) -> Result<Option<Committed>, Error> {
        Ok(read_committed(&RealDisk, &self.dir)?)
    }

    /// The names of folders that stages could have, in the order of the pipeline.
    pub fn stages(&self) -> Result<Vec<String>, Error> {
        let names = RealDisk.list(&self.dir).map_err(|error| Error::io(self.dir.display(), &error))?;
        let is_stage = |name: &String| is_folder_name(name) && self.dir.join(name).is_dir();
        let mut names: Vec<_> = names.into_iter().filter(is_stage).collect();
        names.sort_by_key(|name| hop(name));
        Ok(names)
    }

    /// The files in a stage's folder.
    pub fn files(&self, stage: &str) -> Result<Vec<(String, FileKind)>, Error> {
        let path = self.dir.join(stage);
        let files = RealDisk.list(&path).map_err(|error| Error::io(path.display(), &error))?;
        Ok(files.into_iter().map(|file| (file.clone(), FileKind::of(&file))).collect())
    }

    /// Opens this checkpoint, or the committed one; none when nothing is committed.
    ///
    /// # Errors
    /// When there is no such checkpoint at all. What is wrong with a stage's snapshot is told with the stage.
    pub fn checkpoint(&self, id: Option<&CheckpointId>) -> Result<Option<Checkpoint>, Error> {
        if let Some(id) = id {
            return self.open_files(id.clone(), self.committed()?).map(Some);
        }
        let one = self.until_steady(|committed| Ok([self.open_files(committed.id.clone(), Some(committed))?]))?;
        Ok(one.map(|[checkpoint]| checkpoint))
    }

    /// This checkpoint, or the committed one.
    ///
    /// # Errors
    /// When there is none.
    pub fn existing(&self, id: Option<&CheckpointId>) -> Result<Checkpoint, Error> {
        self.checkpoint(id)?.ok_or_else(|| self.nothing())
    }

    /// The checkpoint before the committed one, and that.
    ///
    /// # Errors
    /// When there are no two.
    pub fn last_two(&self) -> Result<(Checkpoint, Checkpoint), Error> {
        let two = self.until_steady(|committed| {
            let last = self.open_files(committed.id.clone(), Some(committed))?;
            let id = self.before(&last)?;
            let id = id.ok_or_else(|| Error::data(format_args!("there is no checkpoint before {}", last.id)))?;
            Ok([self.open_files(id, None)?, last])
        })?;
        two.map(Into::into).ok_or_else(|| self.nothing())
    }

    fn nothing(&self) -> Error {
        Error::data(format_args!("nothing is committed in \"{}\"", self.dir.display()))
    }

    /// Opens again what could not be opened because the pipeline has committed another checkpoint meanwhile, and has
    /// removed an older one.
    fn until_steady<const N: usize>(
        &self,
        mut open: impl FnMut(Committed) -> Result<[Checkpoint; N], Error>,
    ) -> Result<Option<[Checkpoint; N]>, Error> {
        for _ in 0..TRIES_MAX {
            let Some(committed) = self.committed()? else { return Ok(None) };
            let id = committed.id.clone();
            let opened = open(committed);
            let is_good = opened.as_ref().is_ok_and(|all| all.iter().all(Checkpoint::is_open));
            if is_good || self.committed()?.is_none_or(|now| now.id == id) {
                return opened.map(Some);
            }
        }
        Err(Error::temporary("the pipeline commits faster than its checkpoints can be opened"))
    }

    /// Opens all files of a checkpoint: from then on nobody can take them away.
    fn open_files(&self, id: CheckpointId, committed: Option<Committed>) -> Result<Checkpoint, Error> {
        let committed = committed.filter(|committed| committed.id == id);
        let names = match &committed {
            Some(committed) => committed.snapshots.clone(),
            None => self.stages_with(&id)?,
        };
        let open = |name: &String| SnapshotReader::open(&RealDisk, &self.dir.join(name), &id);
        let stages = names.into_iter().map(|name| Stage { snapshot: open(&name), name }).collect();
        Ok(Checkpoint { id, committed, stages })
    }

    /// The newest checkpoint after what is known as committed of which all its stages have a snapshot: the output may have it.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn newer_than(&self, committed: &Committed) -> Result<Option<CheckpointId>, Error> {
        self.newest(&committed.snapshots, |id| *id > committed.id)
    }

    /// The newest checkpoint before this one of which all these stages have a snapshot.
    fn before(&self, checkpoint: &Checkpoint) -> Result<Option<CheckpointId>, Error> {
        let names: Vec<String> = checkpoint.stages.iter().map(|stage| stage.name.clone()).collect();
        self.newest(&names, |id| *id < checkpoint.id)
    }

    /// The newest of these checkpoints of which all these stages have a snapshot.
    fn newest(
        &self,
        stages: &[String],
        is_wanted: impl Fn(&CheckpointId) -> bool,
    ) -> Result<Option<CheckpointId>, Error> {
        let Some(first) = stages.first() else { return Ok(None) };
        let snapshot = |kind| match kind {
            FileKind::Snapshot(id) => Some(id).filter(&is_wanted),
            _ => None,
        };
        let mut ids: Vec<_> = self.files(first)?.into_iter().filter_map(|(_, kind)| snapshot(kind)).collect();
        ids.sort_unstable();
        for id in ids.into_iter().rev() {
            let with = self.stages_with(&id)?;
            if stages.iter().all(|name| with.contains(name)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn stages_with(&self, id: &CheckpointId) -> Result<Vec<String>, Error> {
        let mut stages = Vec::new();
        for stage in self.stages()? {
            if checkpoint::has_snapshot(&RealDisk, &self.dir.join(&stage), id)? {
                stages.push(stage);
            }
        }
        if stages.is_empty() {
            return Err(Error::data(format_args!("no checkpoint {id} in \"{}\"", self.dir.display())));
        }
        Ok(stages)
    }
}

impl Checkpoint {
    fn is_open(&self) -> bool {
        self.stages.iter().all(|stage| stage.snapshot.is_ok())
    }
}

/// `10-x` comes after `2-x`, and names without a number after all that have one.
fn hop(name: &str) -> (u64, String) {
    let number = name.split_once('-').and_then(|(number, _)| number.parse().ok());
    (number.unwrap_or(u64::MAX), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::hop;

    #[test]
    fn stages_are_in_the_order_of_the_pipeline() {
        let mut names = ["totals", "10-window", "2-window", "1-generate"];
        names.sort_by_key(|name| hop(name));
        assert_eq!(names, ["1-generate", "2-window", "10-window", "totals"]);
    }
}
