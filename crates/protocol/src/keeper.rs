//! A stage's dealings with the state folder. The protocol says when, `checkpoint` knows how; this says who does the
//! work: a thread beside the stream, or a scheduler.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use checkpoint::{Committed, Disk, Lock, Part, RealDisk, SHARD, Snapshot, StageFolder};
use stream::{Error, Exit};
use time_text::format_rfc3339;

use crate::fit::{self, Folder, Loading};
use crate::hello::{Barrier, Hello, Truth};
use crate::recovery;
use crate::saving::{AtOnce, Executor, Save, SaveJobs, SaveState, Watch, locked, must_be_there, unless_stale};
use crate::station::Target;

/// What the source of a pipe holds, in the state folder.
pub const LOCK: &str = "lock";
/// A sink waits this often for a millisecond until a snapshot is there.
const PAUSES_MAX: u32 = 60_000;
/// The pauses of a scheduler are steps of a test.
const SCHEDULED_PAUSES_MAX: u32 = 500;
/// So often it looks whether there is a source still.
const PAUSES_A_LOOK: u32 = 16;

/// What one stage has in the state folder.
pub struct Keeper {
    pub disk: Arc<dyn Disk>,
    executor: Arc<dyn Executor>,
    /// True once nothing more can come from the stage before this one.
    upstream_has_gone: Box<dyn Fn() -> bool + Send>,
    /// True once nobody holds the lock of the state folder.
    source_has_gone: Box<dyn Fn(&Path) -> bool + Send>,
    /// Processes show by the folders of their stages that they live.
    shows_life: bool,
    /// True once the stage with this folder is dead.
    stage_has_gone: Box<dyn Fn(&Path) -> bool + Send>,
    pauses_max: u32,
    pub dir: PathBuf,
    /// The stage's own folder in it.
    pub name: String,
    run: String,
    /// The folder said that it is this run's.
    has_begun: bool,
    folder: Option<Arc<Mutex<StageFolder>>>,
    state: Arc<Mutex<SaveState>>,
}

impl Keeper {
    /// On the computer's disk, where processes show by locks that they live.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        let source_has_gone = Box::new(|dir: &Path| Lock::is_free(&dir.join(LOCK)));
        let stage_has_gone = Box::new(Lock::is_left);
        let rest = Self::with(Arc::new(RealDisk), executor);
        Self { source_has_gone, shows_life: true, stage_has_gone, pauses_max: PAUSES_MAX, ..rest }
    }

    /// On any disk, snapshots written by whoever takes the jobs.
    pub fn scheduled(disk: Arc<dyn Disk>, jobs: SaveJobs) -> Self {
        Self::with(disk, jobs)
    }

    fn with(disk: Arc<dyn Disk>, executor: Arc<dyn Executor>) -> Self {
        Self {
            disk,
            executor,
            upstream_has_gone: Box::new(|| false),
            source_has_gone: Box::new(|_| false),
            shows_life: false,
            stage_has_gone: Box::new(|_| false),
            pauses_max: SCHEDULED_PAUSES_MAX,
            dir: PathBuf::new(),
            name: String::new(),
            run: String::new(),
            has_begun: false,
            folder: None,
            state: Arc::default(),
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
    pub fn open(&mut self, dir: &Path, run: &str, name: Option<&str>) -> Result<(), Error> {
        (self.dir, self.run) = (dir.to_owned(), run.to_owned());
        self.name = name.unwrap_or_default().to_owned();
        self.has_begun = checkpoint::live_run(&*self.disk, dir)?.as_deref() == Some(run);
        if let Some(name) = name {
            let folder = StageFolder::open(Arc::clone(&self.disk), dir, name, run)?;
            if self.shows_life {
                let path = dir.join(name);
                self.disk.create_dir(&path).map_err(|error| Error::io(path.display(), &error))?;
                locked(&self.state).alive = Lock::share(&path);
            }
            self.folder = Some(Arc::new(Mutex::new(folder)));
        }
        Ok(())
    }

    /// For a sink: its source sees that the hello has come to it.
    pub fn show_sink(&self) -> Result<(), Error> {
        Ok(checkpoint::show_sink(&*self.disk, &self.dir, &self.run)?)
    }

    /// For a source: whether its hello has come to a sink.
    pub fn has_sink(&self) -> Result<bool, Error> {
        Ok(checkpoint::sink_run(&*self.disk, &self.dir)?.as_deref() == Some(&self.run))
    }

    /// Gives a stage of this tool the parts of the snapshot that the run restores, if it restores one.
    pub fn load(
        &self,
        hello: &Hello,
        tool: &str,
        flags: &str,
        take: &mut dyn FnMut(Part<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (Some(folder), Some(id)) = (&self.folder, &hello.restore.id) else { return Ok(()) };
        let place = self.dir.join(&self.name).join(id.to_string());
        // What a stage cannot take was damaged in spite of its checksum, or is of another version.
        let mut take = |part: Part<'_>| {
            take(part).map_err(|error| match error.exit {
                Exit::Data => Error::data(format_args!("{}: {error}", place.display())).hint(checkpoint::DAMAGED_HINT),
                _ => error,
            })
        };
        let loaded = locked(folder).load(id, flags, &mut |part| take(part).map_err(Loading::Stage));
        loaded.map_err(|error| unless_stale(&*self.disk, &self.dir, id, self.seen().explain(error, hello, tool)))
    }

    fn seen(&self) -> Folder<'_> {
        Folder { disk: &*self.disk, dir: &self.dir, name: &self.name }
    }

    /// Compares, for a sink at its start, what the run goes on from with what the target says.
    ///
    /// # Errors
    /// When it does not agree. Where an older run has committed since, the copy is mended, so that the next start does.
    pub fn compare(&self, hello: &Hello, truth: Truth, target: &dyn Target, now_ms: i64) -> Result<(), Error> {
        if recovery::agrees(&hello.restore, &truth) {
            return Ok(());
        }
        let copy = self.committed()?;
        if fit::begins_from_a_savepoint(hello, &truth, copy.as_ref()) {
            return Ok(());
        }
        let Some(id) = truth.id.clone() else { return Err(fit::no_commit(hello)) };
        // An older run had its snapshots here before it committed: without them it was not this folder.
        if !target.is_in_state_folder() && self.seen().folders_with(&id)?.is_empty() {
            let known = hello.restore.id.as_ref().map_or(&id, |restored| restored.max(&id));
            return Err(unless_stale(&*self.disk, &self.dir, known, fit::another_folder(&self.dir, hello, &truth)));
        }
        let error = fit::committed_since(hello, &truth);
        let snapshots = copy.map(|old| old.snapshots).unwrap_or_default();
        self.set_committed(
            &Barrier { id, positions: truth.positions, snapshots, drain: false },
            target.name(),
            now_ms,
        )?;
        Err(error)
    }

    /// Saves beside the stream.
    pub fn save(&mut self, snapshot: Snapshot, watch: Watch) -> Result<(), Error> {
        self.check()?;
        let Some(folder) = &self.folder else { return Ok(()) };
        let save = Save {
            disk: Arc::clone(&self.disk),
            dir: self.dir.clone(),
            name: self.name.clone(),
            run: self.run.clone(),
            has_begun: self.has_begun,
            folder: Arc::clone(folder),
            state: Arc::clone(&self.state),
            executor: Arc::clone(&self.executor),
            watch,
        };
        locked(&self.state).saves_under_way += 1;
        self.executor.save(Box::new(move || save.run(snapshot)));
        Ok(())
    }

    /// True while a snapshot is being written: look again soon.
    ///
    /// # Errors
    /// That of a save that failed.
    pub fn check(&self) -> Result<bool, Error> {
        let state = locked(&self.state);
        match &state.failed {
            Some(error) => Err(error.clone()),
            None => Ok(state.saves_under_way > 0),
        }
    }

    /// Waits until all is saved: the process may end then. With a scheduler, all jobs are its own.
    pub fn finish(&self) -> Result<(), Error> {
        if !self.executor.finish() {
            return Err(Error::temporary("the thread that saves the state died"));
        }
        self.check().map(|_| ())
    }

    /// For a sink: returns when every stage's snapshot is safe, or with the reason why one will never be. A stage may still
    /// be writing its own.
    pub fn wait_for(&self, barrier: &Barrier) -> Result<Option<Error>, Error> {
        for name in &barrier.snapshots {
            let folder = self.dir.join(name);
            for pause in 1_u32.. {
                if pause.is_multiple_of(PAUSES_A_LOOK) {
                    self.must_be_there()?;
                }
                // Looked at first: what comes in between counts.
                let is_in_vain = self.waits_in_vain(&folder, pause);
                if checkpoint::has_snapshot(&*self.disk, &folder, &barrier.id)? {
                    break;
                }
                if is_in_vain {
                    let id = &barrier.id;
                    let why = Error::temporary(format_args!("no snapshot {id} in {}", folder.display()));
                    return Ok(Some(why.hint(
                        "that stage died, or could not save its state: then its own message says why; start the whole pipeline again",
                    )));
                }
                self.disk.pause();
            }
            // The rename is visible; this makes it last, whether or not the stage itself has come to it.
            let synced = self.disk.sync_dir(&folder);
            self.unless_removed(synced.map_err(|error| Error::io(folder.display(), &error)))?;
        }
        self.must_be_there().map(|()| None)
    }

    /// # Errors
    /// When somebody has removed the folder since.
    fn must_be_there(&self) -> Result<(), Error> {
        must_be_there(&*self.disk, &self.dir, self.has_begun)
    }

    /// A failure to write or read that has this reason is told with it.
    fn unless_removed<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| self.must_be_there().err().unwrap_or(error))
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

    pub fn committed(&self) -> Result<Option<Committed>, Error> {
        Ok(checkpoint::read_committed(&*self.disk, &self.dir)?)
    }

    /// For a source, which holds the lock: the folder is this run's from now on.
    pub fn begin(&mut self) -> Result<(), Error> {
        self.has_begun = true;
        Ok(checkpoint::begin_run(&*self.disk, &self.dir, &self.run)?)
    }

    /// The copy of what is committed, as this run knows it. A sink that was stopped since does not disturb a younger run.
    pub fn set_committed(&self, barrier: &Barrier, target: &str, now_ms: i64) -> Result<(), Error> {
        let committed = Committed {
            id: barrier.id.clone(),
            sink: target.to_owned(),
            snapshots: barrier.snapshots.clone(),
            at: format_rfc3339(now_ms),
        };
        let written = checkpoint::write_committed_in(&*self.disk, &self.dir, &self.run, &committed);
        self.unless_removed(written.map_err(Error::from))
    }
}

impl Default for Keeper {
    /// On the computer's disk, snapshots written at once.
    fn default() -> Self {
        Self::new(Arc::new(AtOnce))
    }
}

/// `3-aggregate`, or the name of `--as`; in a shard with its number, as all shards have the same stages.
pub fn folder_name(hello: &Hello, tool: &str, name: Option<&str>) -> String {
    let name = name.map_or_else(|| format!("{}-{tool}", hello.hop), str::to_owned);
    if hello.shard.is_empty() { name } else { format!("{name}{SHARD}{}", hello.shard) }
}
