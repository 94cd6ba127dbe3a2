//! A simulated process, and what all of them share.

use std::fmt::Display;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::coroutine::{Wait, leave};
use crate::dice::Dice;
use crate::tally::Tally;

/// The clock of every schedule begins here: 2026-02-01T00:00:00Z, later than all times in lines.
pub const BEGIN_MS: i64 = 1_769_904_000_000;

/// What processes share: chance, the clock, the state of the machine.
pub struct World {
    dice: Mutex<Dice>,
    now_ms: AtomicI64,
    pub steps: AtomicU64,
    pub disk_is_full: AtomicBool,
    /// So many operations from now one fails; below 0 none does.
    pub disk_fails_in: AtomicI64,
    pub tally: Mutex<Tally>,
    /// What is told of a schedule that is replayed.
    story: Option<Mutex<Vec<String>>>,
    /// What must never happen, and did.
    wrong: Mutex<Option<String>>,
}

impl World {
    pub fn new(seed: u64, is_told: bool) -> Arc<Self> {
        Arc::new(Self {
            dice: Mutex::new(Dice::new(seed)),
            now_ms: AtomicI64::new(BEGIN_MS),
            steps: AtomicU64::new(0),
            disk_is_full: AtomicBool::new(false),
            disk_fails_in: AtomicI64::new(-1),
            tally: Mutex::default(),
            story: is_told.then(Mutex::default),
            wrong: Mutex::new(None),
        })
    }

    pub fn dice(&self) -> MutexGuard<'_, Dice> {
        locked(&self.dice)
    }

    pub fn now_ms(&self) -> i64 {
        self.now_ms.load(Relaxed)
    }

    /// Time never goes back.
    pub fn advance_to(&self, now_ms: i64) {
        self.now_ms.fetch_max(now_ms, Relaxed);
    }

    pub fn count(&self, what: impl FnOnce(&mut Tally)) {
        what(&mut locked(&self.tally));
    }

    /// Adds to the story, if it is told.
    pub fn tell(&self, who: &str, what: impl FnOnce() -> String) {
        if let Some(story) = &self.story {
            let (step, ms) = (self.steps.load(Relaxed), self.now_ms() - BEGIN_MS);
            locked(story).push(format!("{step:6} {ms:6} ms  {who}: {}", what()));
        }
    }

    pub fn story(&self) -> Vec<String> {
        self.story.as_ref().map(|story| std::mem::take(&mut *locked(story))).unwrap_or_default()
    }

    /// The schedule has failed; the first reason counts.
    pub fn is_wrong(&self, what: impl Display) {
        self.tell("WRONG", || what.to_string());
        locked(&self.wrong).get_or_insert_with(|| what.to_string());
    }

    pub fn wrong(&self) -> Option<String> {
        locked(&self.wrong).clone()
    }
}

pub fn locked<T: ?Sized>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One process of a run. What it does goes through here, and has no effect any more once it is dead.
pub struct Process {
    pub world: Arc<World>,
    pub name: String,
    pub pid: u32,
    is_dead: AtomicBool,
}

impl Process {
    pub fn new(world: &Arc<World>, name: String, pid: u32) -> Arc<Self> {
        Arc::new(Self { world: Arc::clone(world), name, pid, is_dead: AtomicBool::new(false) })
    }

    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Relaxed)
    }

    pub fn die(&self) {
        self.is_dead.store(true, Relaxed);
    }

    /// Lets others go on. False when this process was killed meanwhile: it must do nothing more.
    pub fn wait(&self, wait: Wait) -> bool {
        // A dead process is only led out of its calls.
        if !self.is_dead() {
            leave(wait);
        }
        !self.is_dead()
    }

    /// A point between two effects on the world.
    ///
    /// # Errors
    /// When the process was killed there.
    pub fn step(&self) -> io::Result<()> {
        if self.wait(Wait::default()) { Ok(()) } else { Err(io::Error::other("killed")) }
    }

    pub fn tell(&self, what: impl FnOnce() -> String) {
        if !self.is_dead() {
            self.world.tell(&self.name, what);
        }
    }
}
