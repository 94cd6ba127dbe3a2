//! The processes of a run: how they end, and that none is left.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use millpipe::Error;
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long what a script has started may outlive it.
const GRACE: Duration = Duration::from_secs(2);
/// How long what is told to end may take for it.
const GRACE_OF_TERM: Duration = Duration::from_secs(1);
const LOOK_FIRST: Duration = Duration::from_micros(500);
const LOOK_LAST: Duration = Duration::from_millis(10);

/// Says that a run is over, or that all of them are to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    this: Arc<AtomicBool>,
    /// The number of the signal that wants all to end, or 0.
    all: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Takes the signals that end this process: what runs is killed before it ends.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn by_signals() -> Result<Self, Error> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&interrupt.all), number)
                .map_err(|error| Error::io("signal handler", &error))?;
        }
        Ok(interrupt)
    }

    /// Returns one for a run of its own.
    #[must_use]
    pub fn of_a_run(&self) -> Self {
        Self { this: Arc::default(), all: Arc::clone(&self.all) }
    }

    pub fn set(&self) {
        self.this.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_set(&self) -> bool {
        self.this.load(Ordering::Relaxed) || self.signal().is_some()
    }

    /// Returns the signal that wants all to end.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        i32::try_from(self.all.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Code(i32),
    Signal(i32),
    /// It took longer than it may, and was killed.
    OutOfTime,
    Interrupted,
}

/// How it ended, and what it said.
#[derive(Clone, Debug)]
pub struct Ended {
    pub over: Over,
    pub stderr: String,
    /// Something that it started was still there when it had ended.
    pub left_behind: bool,
}

/// What happens to a run that is not over in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is killed as it stands, so that it can be looked at.
    AtOnce,
    /// It is told to end first: it has processes of its own to clean up.
    Gently,
}

/// Waits for a process group. Its stderr must be a pipe: that is closed when all of its processes have ended.
///
/// # Errors
/// The system's.
pub fn wait(mut child: Child, limit: Duration, interrupt: &Interrupt, stop: Stop) -> Result<Ended, Error> {
    let began = Instant::now();
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(0));
    let listener = child.stderr.take().map(listen);
    let over = watch(&mut child, limit, interrupt, began)?;
    let by_itself = matches!(over, Over::Code(_) | Over::Signal(_));
    let left_behind = by_itself && listener.as_ref().is_some_and(|(_, is_done)| !ends_soon(is_done));
    if !by_itself
        && stop == Stop::Gently
        && let Some(group) = group
    {
        let _ = kill_process_group(group, Signal::TERM);
        ends_after_term(&mut child);
    }
    if let Some(group) = group {
        // None of it may be left: most often there is none.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
    let stderr = listener.map(|(listener, _)| listener.join().unwrap_or_default()).unwrap_or_default();
    Ok(Ended { over, stderr, left_behind })
}

/// What is told to end may have to clean up.
fn ends_after_term(child: &mut Child) {
    let until = Instant::now() + GRACE_OF_TERM;
    while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(LOOK_LAST);
    }
}

/// All that holds the pipe ends within the grace.
fn ends_soon(is_done: &AtomicBool) -> bool {
    let until = Instant::now() + GRACE;
    while !is_done.load(Ordering::Acquire) {
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(LOOK_FIRST);
    }
    true
}

/// Reads to the end in a thread of its own.
fn listen(mut stderr: ChildStderr) -> (thread::JoinHandle<String>, Arc<AtomicBool>) {
    let is_done = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&is_done);
    let listener = thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is what there is.
        let _ = stderr.read_to_end(&mut bytes);
        done.store(true, Ordering::Release);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    (listener, is_done)
}

fn watch(child: &mut Child, limit: Duration, interrupt: &Interrupt, began: Instant) -> Result<Over, Error> {
    let mut look = LOOK_FIRST;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| Error::io("waiting for the script", &error))? {
            return Ok(ended(status));
        }
        if interrupt.is_set() {
            return Ok(Over::Interrupted);
        }
        if began.elapsed() >= limit {
            return Ok(Over::OutOfTime);
        }
        thread::sleep(look);
        look = (look * 2).min(LOOK_LAST).min(limit);
    }
}

fn ended(status: ExitStatus) -> Over {
    match (status.code(), status.signal()) {
        (Some(code), _) => Over::Code(code),
        (None, signal) => Over::Signal(signal.unwrap_or(0)),
    }
}

/// Starts a command in a process group of its own.
///
/// # Errors
/// When it cannot be started.
pub fn spawn(command: &mut Command) -> Result<Child, Error> {
    use std::os::unix::process::CommandExt;
    let what = command.get_program().to_string_lossy().into_owned();
    command.process_group(0).spawn().map_err(|error| Error::usage(Error::io(what, &error).message))
}
