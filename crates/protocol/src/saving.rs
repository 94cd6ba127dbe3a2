//! Snapshots on their way to the disk, beside the stream.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkpoint::{CheckpointId, Disk, Lock, Snapshot, StageFolder};
use stream::{Error, Exit};

use crate::figures::{Figures, Saved};
use crate::out::Out;
use crate::waits::Waits;

/// Work that is done beside the stream.
pub type Job = Box<dyn FnOnce() + Send>;

/// Does the work beside the stream.
pub trait Executor: Send + Sync {
    /// Saves a snapshot. One is saved after the other.
    fn save(&self, job: Job);

    /// Merges older snapshots, which takes as long as the state is large: no snapshot waits for it.
    fn merge(&self, job: Job);

    /// Waits until all snapshots are saved: the process may end then. False when the work has died.
    fn finish(&self) -> bool;
}

/// Jobs that wait for a scheduler, which does them in any order: it has no job of its own to wait for.
pub type SaveJobs = Arc<Mutex<VecDeque<Job>>>;

/// Does all work at once.
pub struct AtOnce;

impl Executor for AtOnce {
    fn save(&self, job: Job) {
        job();
    }

    fn merge(&self, job: Job) {
        job();
    }

    fn finish(&self) -> bool {
        true
    }
}

impl Executor for Mutex<VecDeque<Job>> {
    fn save(&self, job: Job) {
        locked(self).push_back(job);
    }

    fn merge(&self, job: Job) {
        locked(self).push_back(job);
    }

    fn finish(&self) -> bool {
        true
    }
}

/// What the stream and the saving side tell each other.
#[derive(Default)]
pub struct SaveState {
    pub saves_under_way: u32,
    merging: bool,
    pub failed: Option<Error>,
    /// A sign of life for the sink, which waits for this stage's snapshots.
    pub alive: Option<Lock>,
}

impl SaveState {
    /// No snapshot can come any more. The sink is told at once, by the sign of life: the stream may stand still until it reads
    /// on, and the stage, blocked in a write, could not end before.
    fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
        self.alive = None;
    }
}

/// Sees how long a save takes.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    waits: Waits,
    figures: Figures,
}

impl Watch {
    pub fn new(out: &Out) -> Self {
        Self { waits: out.waits().clone(), figures: out.figures().clone() }
    }

    fn saved(&self, since_us: u64, bytes: u64) {
        let took = Duration::from_micros(self.waits.now_us().saturating_sub(since_us));
        self.figures.change(|seldom| seldom.snapshot = Some(Saved { took, bytes }));
    }
}

/// All that a save needs.
#[derive(Clone)]
pub struct Save {
    pub disk: Arc<dyn Disk>,
    pub dir: PathBuf,
    pub name: String,
    pub run: String,
    pub has_begun: bool,
    pub folder: Arc<Mutex<StageFolder>>,
    pub state: Arc<Mutex<SaveState>>,
    pub executor: Arc<dyn Executor>,
    pub watch: Watch,
}

impl Save {
    pub fn run(self, snapshot: Snapshot) {
        let (bytes, since_us) = ((snapshot.head.len() + snapshot.changes.bytes()) as u64, self.watch.waits.now_us());
        let result = self.save_and_tidy(snapshot);
        self.watch.saved(since_us, bytes);
        let mut state = locked(&self.state);
        state.saves_under_way -= 1;
        if let Err(error) = result {
            state.fail(error);
        }
        drop(state);
        self.merge_beside();
    }

    fn save_and_tidy(&self, snapshot: Snapshot) -> Result<(), Error> {
        let mut folder = locked(&self.folder);
        must_be_there(&*self.disk, &self.dir, self.has_begun)?;
        self.must_be_alone(&snapshot.id)?;
        folder.save(snapshot).map_err(|error| self.unless_removed(error))?;
        if let Some(committed) = checkpoint::read_committed(&*self.disk, &self.dir)? {
            folder.prune(&committed.id)?;
        }
        Ok(())
    }

    /// A folder that was there and is not there now, has been removed.
    fn unless_removed(&self, error: checkpoint::Error) -> Error {
        match &error {
            checkpoint::Error::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
                removed(&self.dir.join(&self.name))
            }
            _ => error.into(),
        }
    }

    /// Files of this run that are not there any more were removed by a younger run, or by somebody.
    fn why_not_merged(&self, error: checkpoint::Error) -> Error {
        let is_gone = matches!(error, checkpoint::Error::Missing { .. });
        let all_of_ours = CheckpointId::new(&self.run, u64::MAX);
        let error = unless_stale(&*self.disk, &self.dir, &all_of_ours, error.into());
        if is_gone && error.exit == Exit::Data { removed(&self.dir.join(&self.name)) } else { error }
    }

    /// The ids of a run are its own: who finds a snapshot under one has a twin, in another branch of the same pipeline.
    fn must_be_alone(&self, id: &CheckpointId) -> Result<(), Error> {
        if !checkpoint::has_snapshot(&*self.disk, &self.dir.join(&self.name), id)? {
            return Ok(());
        }
        Err(Error::usage(format_args!("two stages of this pipeline keep their state as \"{}\"", self.name))
            .hint("stages in branches of one pipeline have to be told apart: each --as NAME once"))
    }

    /// Merging takes as long as the state is large: neither the stream nor the next snapshot waits for it.
    fn merge_beside(self) {
        let mut state = locked(&self.state);
        if state.merging || state.failed.is_some() {
            return;
        }
        let Some(merge) = locked(&self.folder).merge_due() else { return };
        state.merging = true;
        drop(state);
        let executor = Arc::clone(&self.executor);
        let job = move || {
            let merged = merge.run().map_err(|error| self.why_not_merged(error));
            let result = merged.map(|merged| locked(&self.folder).merged(merged));
            let mut state = locked(&self.state);
            state.merging = false;
            if let Err(error) = result {
                state.fail(error);
            }
        };
        executor.merge(Box::new(job));
    }
}

/// A stale run misses files that a younger one has removed, two commits later. That is no damage: it has just to end.
/// `known` is the last commit that this run could know of.
pub fn unless_stale(disk: &dyn Disk, dir: &Path, known: &CheckpointId, error: Error) -> Error {
    match checkpoint::read_committed(disk, dir) {
        Ok(Some(now)) if now.id > *known && error.exit == Exit::Data => {
            Error::temporary(format_args!("another run has committed {} since this one began", now.id))
        }
        _ => error,
    }
}

/// A state folder that has said whose it is goes on to say so.
///
/// # Errors
/// When somebody has removed it since.
pub fn must_be_there(disk: &dyn Disk, dir: &Path, has_begun: bool) -> Result<(), Error> {
    if has_begun && checkpoint::live_run(disk, dir)?.is_none() { Err(removed(dir)) } else { Ok(()) }
}

fn removed(folder: &Path) -> Error {
    Error::temporary(format_args!(
        "{}: removed while the pipeline ran: nothing can be committed any more",
        folder.display()
    ))
    .hint("bring a copy of the state folder back (state save makes one), or begin anew as the next start says")
}

pub fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
