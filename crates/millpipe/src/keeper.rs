//! A stage's dealings with the state folder. The protocol says when, `checkpoint` knows how; this says who does the
//! work: a thread beside the stream, or a scheduler.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use checkpoint::{Committed, Disk, Lock, Part, RealDisk, SHARD, Snapshot, StageFolder};
use stream::{Error, Exit};

use crate::fit::Loading;
use crate::hello::{Barrier, Hello};
use crate::saving::{Desk, Hands, Jobs, Save, Saver, locked, must_be_there, unless_stale};

/// What the source of a pipe holds, in the state folder.
pub(crate) const LOCK: &str = "lock";
/// A sink waits this often for a millisecond until a snapshot is there.
const PAUSES_MAX: u32 = 60_000;
/// The pauses of a scheduler are steps of a test.
const SCHEDULED_PAUSES_MAX: u32 = 500;
/// So often it looks whether there is a source still.
const PAUSES_A_LOOK: u32 = 16;

/// What one stage has in the state folder.
pub struct Keeper {
    pub(crate) disk: Arc<dyn Disk>,
    hands: Hands,
    /// True once nothing more can come from the stage before this one.
    upstream_has_gone: Box<dyn Fn() -> bool + Send>,
    /// True once nobody holds the lock of the state folder.
    source_has_gone: Box<dyn Fn(&Path) -> bool + Send>,
    /// Processes show by the folders of their stages that they live.
    shows_life: bool,
    /// True once the stage with this folder is dead.
    stage_has_gone: Box<dyn Fn(&Path) -> bool + Send>,
    pauses_max: u32,
    pub(crate) dir: PathBuf,
    /// The stage's own folder in it.
    pub(crate) name: String,
    run: String,
    /// The folder said that it is this run's.
    has_begun: bool,
    folder: Option<Arc<Mutex<StageFolder>>>,
    saver: Option<Saver>,
    desk: Arc<Mutex<Desk>>,
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
            stage_has_gone: Box::new(|_| false),
            pauses_max: SCHEDULED_PAUSES_MAX,
            dir: PathBuf::new(),
            name: String::new(),
            run: String::new(),
            has_begun: false,
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
        self.has_begun = checkpoint::live_run(&*self.disk, dir)?.as_deref() == Some(run);
        if let Some(name) = name {
            let folder = StageFolder::open(Arc::clone(&self.disk), dir, name, run)?;
            if self.shows_life {
                let path = dir.join(name);
                self.disk.create_dir(&path).map_err(|error| Error::io(path.display(), &error))?;
                locked(&self.desk).alive = Lock::share(&path);
            }
            self.folder = Some(Arc::new(Mutex::new(folder)));
        }
        Ok(())
    }

    /// For a sink: its source sees that the hello has come to it.
    pub(crate) fn show_sink(&self) -> Result<(), Error> {
        Ok(checkpoint::show_sink(&*self.disk, &self.dir, &self.run)?)
    }

    /// For a source: whether its hello has come to a sink.
    pub(crate) fn has_sink(&self) -> Result<bool, Error> {
        Ok(checkpoint::sink_run(&*self.disk, &self.dir)?.as_deref() == Some(&self.run))
    }

    /// Gives a stage of this tool the parts of the snapshot that the run restores, if it restores one.
    pub(crate) fn load(
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
        loaded.map_err(|error| unless_stale(&*self.disk, &self.dir, id, self.explain(error, hello, tool)))
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
            has_begun: self.has_begun,
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

    pub(crate) fn committed(&self) -> Result<Option<Committed>, Error> {
        Ok(checkpoint::read_committed(&*self.disk, &self.dir)?)
    }

    /// For a source, which holds the lock: the folder is this run's from now on.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        self.has_begun = true;
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
        let written = checkpoint::write_committed_in(&*self.disk, &self.dir, &self.run, &committed);
        self.unless_removed(written.map_err(Error::from))
    }
}

impl Default for Keeper {
    fn default() -> Self {
        Self::new()
    }
}

/// For people.
pub(crate) fn rfc3339(now_ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// `3-aggregate`, or the name of `--as`; in a shard with its number, as all shards have the same stages.
pub(crate) fn folder_name(hello: &Hello, tool: &str, name: Option<&str>) -> String {
    let name = name.map_or_else(|| format!("{}-{tool}", hello.hop), str::to_owned);
    if hello.shard.is_empty() { name } else { format!("{name}{SHARD}{}", hello.shard) }
}
