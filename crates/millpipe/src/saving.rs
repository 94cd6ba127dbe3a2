//! Snapshots on their way to the disk, beside the stream.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use checkpoint::{CheckpointId, Disk, Lock, Snapshot, StageFolder};
use crossbeam_channel::{Sender, bounded};
use stream::{Error, Exit};

/// Work that is done beside the stream.
pub type Job = Box<dyn FnOnce() + Send>;

/// Jobs that wait for a scheduler.
pub type Jobs = Arc<Mutex<VecDeque<Job>>>;

/// Who writes snapshots.
#[derive(Clone)]
pub(crate) enum Hands {
    /// A thread of the stage's own, made for the first snapshot.
    Thread,
    /// Whoever takes the jobs from this queue.
    Queue(Jobs),
}

/// What the stream and the saving side tell each other.
#[derive(Default)]
pub(crate) struct Desk {
    pub saves_under_way: u32,
    merging: bool,
    pub failed: Option<Error>,
    /// A sign of life for the sink, which waits for this stage's snapshots.
    pub alive: Option<Lock>,
}

impl Desk {
    /// No snapshot can come any more. The sink is told at once, by the sign of life: the stream may stand still until it reads
    /// on, and the stage, blocked in a write, could not end before.
    fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
        self.alive = None;
    }
}

pub(crate) struct Saver {
    pub snapshots: Sender<Snapshot>,
    pub thread: JoinHandle<()>,
}

/// All that a save needs.
#[derive(Clone)]
pub(crate) struct Save {
    pub disk: Arc<dyn Disk>,
    pub dir: PathBuf,
    pub name: String,
    pub run: String,
    pub has_begun: bool,
    pub folder: Arc<Mutex<StageFolder>>,
    pub desk: Arc<Mutex<Desk>>,
    pub hands: Hands,
}

impl Saver {
    pub fn spawn(save: Save) -> Self {
        // One barrier is in flight at a time.
        let (snapshots, jobs) = bounded::<Snapshot>(1);
        let thread = thread::spawn(move || {
            for snapshot in jobs {
                save.clone().run(snapshot);
            }
        });
        Self { snapshots, thread }
    }
}

impl Save {
    pub fn run(self, snapshot: Snapshot) {
        let result = self.save_and_tidy(snapshot);
        let mut desk = locked(&self.desk);
        desk.saves_under_way -= 1;
        if let Err(error) = result {
            desk.fail(error);
        }
        drop(desk);
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
        let mut desk = locked(&self.desk);
        if desk.merging || desk.failed.is_some() {
            return;
        }
        let Some(merge) = locked(&self.folder).merge_due() else { return };
        desk.merging = true;
        drop(desk);
        let hands = self.hands.clone();
        let job = move || {
            let all_of_ours = CheckpointId::new(&self.run, u64::MAX);
            let merged = merge.run().map_err(|error| unless_stale(&*self.disk, &self.dir, &all_of_ours, error.into()));
            let result = merged.map(|merged| locked(&self.folder).merged(merged));
            let mut desk = locked(&self.desk);
            desk.merging = false;
            if let Err(error) = result {
                desk.fail(error);
            }
        };
        match hands {
            Hands::Thread => drop(thread::spawn(job)),
            Hands::Queue(jobs) => locked(&jobs).push_back(Box::new(job)),
        }
    }
}

/// A stale run misses files that a younger one has removed, two commits later. That is no damage: it has just to end.
/// `known` is the last commit that this run could know of.
pub(crate) fn unless_stale(disk: &dyn Disk, dir: &Path, known: &CheckpointId, error: Error) -> Error {
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
pub(crate) fn must_be_there(disk: &dyn Disk, dir: &Path, has_begun: bool) -> Result<(), Error> {
    if has_begun && checkpoint::live_run(disk, dir)?.is_none() { Err(removed(dir)) } else { Ok(()) }
}

fn removed(folder: &Path) -> Error {
    Error::temporary(format_args!(
        "{}: removed while the pipeline ran: nothing can be committed any more",
        folder.display()
    ))
    .hint("bring a copy of the state folder back (state save makes one), or begin anew as the next start says")
}

pub(crate) fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
