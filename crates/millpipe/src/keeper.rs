//! A stage's dealings with the state folder. The protocol says when, `checkpoint` knows how; this says who does the
//! work: a thread beside the stream, or a scheduler.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use checkpoint::{CheckpointId, Committed, Disk, Lock, Part, RealDisk, Snapshot, StageFolder};
use crossbeam_channel::{Sender, bounded};

use crate::fault::{Error, Exit};
use crate::hello::{Barrier, Hello, Truth};
use crate::recovery;

/// What the source of a pipe holds, in the state folder.
pub(crate) const LOCK: &str = "lock";
/// A sink waits this often for a millisecond until a snapshot is there.
const PAUSES_MAX: u32 = 60_000;
/// The pauses of a scheduler are steps of a test.
const SCHEDULED_PAUSES_MAX: u32 = 500;
/// So often it looks whether there is a source still.
const PAUSES_A_LOOK: u32 = 16;

const DAMAGED_HINT: &str = "state check DIR says what can still be used";

/// The target whose commits are known by files alone.
const FILES: &str = "files";

/// Work that is done beside the stream.
pub type Job = Box<dyn FnOnce() + Send>;

/// Jobs that wait for a scheduler.
pub type Jobs = Arc<Mutex<VecDeque<Job>>>;

/// Who writes snapshots.
#[derive(Clone)]
enum Hands {
    /// A thread of the stage's own, made for the first snapshot.
    Thread,
    /// Whoever takes the jobs from this queue.
    Queue(Jobs),
}

/// What one stage has in the state folder.
pub struct Keeper {
    disk: Arc<dyn Disk>,
    hands: Hands,
    /// True once nothing more can come from the stage before this one.
    upstream_has_gone: Box<dyn Fn() -> bool + Send>,
    /// True once nobody holds the lock of the state folder.
    source_has_gone: Box<dyn Fn(&Path) -> bool + Send>,
    /// Processes show by the folders of their stages that they live.
    shows_life: bool,
    alive: Option<Lock>,
    /// True once the stage with this folder is dead.
    stage_has_gone: Box<dyn Fn(&Path) -> bool + Send>,
    pauses_max: u32,
    dir: PathBuf,
    /// The stage's own folder in it.
    name: String,
    run: String,
    folder: Option<Arc<Mutex<StageFolder>>>,
    saver: Option<Saver>,
    desk: Arc<Mutex<Desk>>,
}

/// What the stream and the saving side tell each other.
#[derive(Default)]
struct Desk {
    saves_under_way: u32,
    merging: bool,
    failed: Option<Error>,
}

struct Saver {
    snapshots: Sender<Snapshot>,
    thread: JoinHandle<()>,
}

/// All that a save needs.
#[derive(Clone)]
struct Save {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    name: String,
    run: String,
    folder: Arc<Mutex<StageFolder>>,
    desk: Arc<Mutex<Desk>>,
    hands: Hands,
}

impl Keeper {
    /// On the computer's disk, snapshots written by a thread.
    pub fn new() -> Self {
        let source_has_gone = Box::new(|dir: &Path| Lock::is_free(&dir.join(LOCK)));
        let stage_has_gone = Box::new(Lock::is_left);
        let rest = Self::with(Arc::new(RealDisk), Hands::Thread);
        Self { source_has_gone, shows_life: true, stage_has_gone, pauses_max: PAUSES_MAX, ..rest }
    }

    /// On any disk, snapshots written by whoever takes the jobs.
    pub fn scheduled(disk: Arc<dyn Disk>, jobs: Jobs) -> Self {
        Self::with(disk, Hands::Queue(jobs))
    }

    fn with(disk: Arc<dyn Disk>, hands: Hands) -> Self {
        Self {
            disk,
            hands,
            upstream_has_gone: Box::new(|| false),
            source_has_gone: Box::new(|_| false),
            shows_life: false,
            alive: None,
            stage_has_gone: Box::new(|_| false),
            pauses_max: SCHEDULED_PAUSES_MAX,
            dir: PathBuf::new(),
            name: String::new(),
            run: String::new(),
            folder: None,
            saver: None,
            desk: Arc::default(),
        }
    }

    /// How a sink that waits for snapshots finds out that it waits in vain.
    pub fn watch_upstream(&mut self, has_gone: impl Fn() -> bool + Send + 'static) {
        self.upstream_has_gone = Box::new(has_gone);
    }

    /// How it finds out that nobody holds the lock of the state folder any more.
    pub fn watch_source(&mut self, has_gone: impl Fn(&Path) -> bool + Send + 'static) {
        self.source_has_gone = Box::new(has_gone);
    }

    /// How it finds out that a stage is dead whose folder this is.
    pub fn watch_stages(&mut self, has_gone: impl Fn(&Path) -> bool + Send + 'static) {
        self.stage_has_gone = Box::new(has_gone);
    }

    /// Says which folder it is. `name` is that of the stage's own folder in it, if it has state.
    pub(crate) fn open(&mut self, dir: &Path, run: &str, name: Option<&str>) -> Result<(), Error> {
        (self.dir, self.run) = (dir.to_owned(), run.to_owned());
        self.name = name.unwrap_or_default().to_owned();
        if let Some(name) = name {
            let folder = StageFolder::open(Arc::clone(&self.disk), dir, name, run)?;
            if self.shows_life {
                let path = dir.join(name);
                self.disk.create_dir(&path).map_err(|error| Error::io(path.display(), &error))?;
                self.alive = Lock::share(&path);
            }
            self.folder = Some(Arc::new(Mutex::new(folder)));
        }
        Ok(())
    }

    /// Gives the parts of the snapshot that the run restores.
    pub(crate) fn load(
        &self,
        id: &CheckpointId,
        flags: &str,
        take: &mut dyn FnMut(Part<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let place = self.dir.join(&self.name).join(id.to_string());
        // What a stage cannot take was damaged in spite of its checksum, or is of another version.
        let mut take = |part: Part<'_>| {
            take(part).map_err(|error| match error.exit {
                Exit::Data => Error::data(format_args!("{}: {error}", place.display())).hint(DAMAGED_HINT),
                _ => error,
            })
        };
        let loaded = locked(folder).load(id, flags, &mut take);
        loaded.map_err(|error| unless_stale(&*self.disk, &self.dir, id, error))
    }

    /// Saves beside the stream.
    pub(crate) fn save(&mut self, snapshot: Snapshot) -> Result<(), Error> {
        self.check()?;
        let Some(folder) = &self.folder else { return Ok(()) };
        let save = Save {
            disk: Arc::clone(&self.disk),
            dir: self.dir.clone(),
            name: self.name.clone(),
            run: self.run.clone(),
            folder: Arc::clone(folder),
            desk: Arc::clone(&self.desk),
            hands: self.hands.clone(),
        };
        locked(&self.desk).saves_under_way += 1;
        match &self.hands {
            Hands::Queue(jobs) => locked(jobs).push_back(Box::new(move || save.run(snapshot))),
            Hands::Thread => {
                let saver = self.saver.get_or_insert_with(|| Saver::spawn(save));
                // The thread ends only with the channel.
                let _ = saver.snapshots.send(snapshot);
            }
        }
        Ok(())
    }

    /// True while a snapshot is being written: look again soon.
    ///
    /// # Errors
    /// That of a save that failed.
    pub(crate) fn check(&self) -> Result<bool, Error> {
        let desk = locked(&self.desk);
        match &desk.failed {
            Some(error) => Err(error.clone()),
            None => Ok(desk.saves_under_way > 0),
        }
    }

    /// Waits until all is saved: the process may end then. With a scheduler, all jobs are its own.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        if let Some(saver) = self.saver.take() {
            drop(saver.snapshots);
            if saver.thread.join().is_err() {
                return Err(Error::temporary("the thread that saves the state died"));
            }
        }
        self.check().map(|_| ())
    }

    /// For a sink: returns when every stage's snapshot is safe, or with the reason why one will never be. A stage may still
    /// be writing its own.
    pub(crate) fn wait_for(&self, barrier: &Barrier) -> Result<Option<Error>, Error> {
        for name in &barrier.snapshots {
            let folder = self.dir.join(name);
            for pause in 1.. {
                // Looked at first: what comes in between counts.
                let is_in_vain = self.waits_in_vain(&folder, pause);
                if checkpoint::has_snapshot(&*self.disk, &folder, &barrier.id)? {
                    break;
                }
                if is_in_vain {
                    let id = &barrier.id;
                    let why = Error::temporary(format_args!("no snapshot {id} in {}", folder.display()));
                    return Ok(Some(
                        why.hint("the stage died before its state was saved; start the whole pipeline again"),
                    ));
                }
                self.disk.pause();
            }
            // The rename is visible; this makes it last, whether or not the stage itself has come to it.
            self.disk.sync_dir(&folder).map_err(|error| Error::io(folder.display(), &error))?;
        }
        Ok(None)
    }

    /// Whether the stage has died whose folder this is, or the pipe before a sink that waits: what dies in a pipe takes the
    /// source along, or is taken along by it. Those between may live on, blocked in a write to us.
    fn waits_in_vain(&self, folder: &Path, pause: u32) -> bool {
        let looks = pause.is_multiple_of(PAUSES_A_LOOK);
        let has_another_run =
            || checkpoint::live_run(&*self.disk, &self.dir).is_ok_and(|live| live.is_some_and(|live| live != self.run));
        (self.upstream_has_gone)()
            || pause == self.pauses_max
            || looks && ((self.stage_has_gone)(folder) || (self.source_has_gone)(&self.dir) || has_another_run())
    }

    pub(crate) fn committed(&self) -> Result<Option<Committed>, Error> {
        Ok(checkpoint::read_committed(&*self.disk, &self.dir)?)
    }

    /// For a source, which holds the lock: the folder is this run's from now on.
    pub(crate) fn begin(&self) -> Result<(), Error> {
        Ok(checkpoint::begin_run(&*self.disk, &self.dir, &self.run)?)
    }

    /// The copy of what is committed, as this run knows it. A sink that was stopped since does not disturb a younger run.
    pub(crate) fn set_committed(&self, barrier: &Barrier, target: &str, now_ms: i64) -> Result<(), Error> {
        let committed = Committed {
            id: barrier.id.clone(),
            sink: target.to_owned(),
            snapshots: barrier.snapshots.clone(),
            at: rfc3339(now_ms),
        };
        Ok(checkpoint::write_committed_in(&*self.disk, &self.dir, &self.run, &committed)?)
    }

    /// A copied checkpoint comes without the output that it was committed to: it may begin a new one.
    fn begins_from_a_savepoint(&self, hello: &Hello, truth: &Truth) -> Result<bool, Error> {
        let copy = self.committed()?.filter(|copy| copy.sink == checkpoint::SAVEPOINT);
        Ok(truth.id.is_none() && copy.is_some_and(|copy| Some(copy.id) == hello.restore.id))
    }

    /// Whether a commit can have been made with this state folder: one to files has the source's snapshot there.
    fn may_be_of(&self, id: &CheckpointId, target: &str) -> Result<bool, Error> {
        if target != FILES || self.committed()?.is_some() {
            return Ok(true);
        }
        let names = self.disk.list(&self.dir).map_err(|error| Error::io(self.dir.display(), &error))?;
        let has_one = |name: &String| checkpoint::has_snapshot(&*self.disk, &self.dir.join(name), id).unwrap_or(false);
        Ok(names.iter().any(has_one))
    }

    /// The sink's comparison at its start: does the run go on from what the target says?
    ///
    /// # Errors
    /// When it does not. The copy is mended, so that the next start does.
    pub(crate) fn compare(&self, hello: &Hello, truth: Truth, target: &str, now_ms: i64) -> Result<(), Error> {
        if recovery::agrees(&hello.restore, &truth) || self.begins_from_a_savepoint(hello, &truth)? {
            return Ok(());
        }
        let shown = |truth: &Truth| truth.id.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let (restored, known) = (shown(&hello.restore), shown(&truth));
        let Some(id) = truth.id else {
            return Err(Error::data(format_args!(
                "the state folder goes on from {restored}, the output knows no commit"
            ))
            .hint("another output than before? A new pipeline begins with an empty state folder"));
        };
        if hello.restore.id.is_none() && !self.may_be_of(&id, target)? {
            return Err(Error::data(format_args!("{known} is committed in the output, and \"{}\" has no state of it", self.dir.display()))
                .hint("bring the state folder back that the output was written with, or begin anew with an empty folder and another output"));
        }
        let snapshots = self.committed()?.map(|old| old.snapshots).unwrap_or_default();
        let barrier = Barrier { id, positions: truth.positions, snapshots, drain: false };
        self.set_committed(&barrier, target, now_ms)?;
        Err(Error::temporary(format_args!(
            "this run goes on from {restored}, but {known} is committed: an older run committed after this one began"
        ))
        .hint("start the pipeline again; the state folder is right now"))
    }
}

impl Default for Keeper {
    fn default() -> Self {
        Self::new()
    }
}

impl Saver {
    fn spawn(save: Save) -> Self {
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
    fn run(self, snapshot: Snapshot) {
        let result = self.save_and_tidy(snapshot);
        let mut desk = locked(&self.desk);
        desk.saves_under_way -= 1;
        if let Err(error) = result {
            desk.failed.get_or_insert(error);
        }
        drop(desk);
        self.merge_beside();
    }

    fn save_and_tidy(&self, snapshot: Snapshot) -> Result<(), Error> {
        let mut folder = locked(&self.folder);
        self.must_be_alone(&snapshot.id)?;
        folder.save(snapshot)?;
        if let Some(committed) = checkpoint::read_committed(&*self.disk, &self.dir)? {
            folder.prune(&committed.id)?;
        }
        Ok(())
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
                desk.failed.get_or_insert(error);
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
fn unless_stale(disk: &dyn Disk, dir: &Path, known: &CheckpointId, error: Error) -> Error {
    match checkpoint::read_committed(disk, dir) {
        Ok(Some(now)) if now.id > *known && error.exit == Exit::Data => {
            Error::temporary(format_args!("another run has committed {} since this one began", now.id))
        }
        _ => error,
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For people.
pub(crate) fn rfc3339(now_ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// `3-aggregate`, or the name of `--as`; in a shard with its number, as all shards have the same stages.
pub(crate) fn folder_name(hello: &Hello, tool: &str, name: Option<&str>) -> String {
    let name = name.map_or_else(|| format!("{}-{tool}", hello.hop), str::to_owned);
    if hello.shard.is_empty() { name } else { format!("{name}.shard-{}", hello.shard) }
}

impl From<checkpoint::Error> for Error {
    fn from(error: checkpoint::Error) -> Self {
        use checkpoint::Error as From;
        match &error {
            From::Io { path, source } => Self::io(path.display(), source),
            From::Missing { .. } => Self::data(error)
                .hint("is --state the folder of this pipeline? A stage that moved keeps its state with --as NAME"),
            From::Damaged { .. } => Self::data(error).hint(DAMAGED_HINT),
            From::OtherFlags { .. } => Self::data(error)
                .hint("give the old flags, or begin anew with an empty --state folder and another output"),
            From::InUse { .. } => {
                Self::temporary(error).hint("one pipeline at a time can use a state folder or an output")
            }
        }
    }
}
