//! The processes that this one has started, and those that are left to it: how they ended, and that none outlives it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use millpipe::Error;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, set_child_subreaper, wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::process_table::{HOOK_VARIABLE, ProcessTable, START_VARIABLE};

/// How often the world is looked at.
pub const TICK: Duration = Duration::from_millis(2);
/// A process that was killed and is still there after this waits for the kernel, and we do not.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Code(i32),
    Signal(i32),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => f.write_str(&signal_name(*signal)),
        }
    }
}

/// `SIGKILL`
pub fn signal_name(signal: i32) -> String {
    signal_hook::low_level::signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

/// Orphans below this process become its children, so that what a killed shell leaves behind can still be found.
pub struct Children {
    waited_for: BTreeSet<i32>,
    ended: BTreeMap<i32, End>,
    /// The number of the signal that wants this process to end, or 0.
    stop: Arc<AtomicUsize>,
}

impl Children {
    /// Also catches the signals that end this process: [`Children::tend`] then fails, and the drop kills what is left.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn adopt() -> Result<Self, Error> {
        set_child_subreaper(Some(getpid())).map_err(|e| Error::io("adopting orphans", &e.into()))?;
        let stop = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&stop), number)
                .map_err(|e| Error::io("signal handler", &e))?;
        }
        Ok(Self { waited_for: BTreeSet::new(), ended: BTreeMap::new(), stop })
    }

    /// The signal that wants this process to end.
    pub fn stopped_by(&self) -> Option<i32> {
        i32::try_from(self.stop.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }

    /// Starts a program whose end somebody will ask for.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, command: &mut Command) -> Result<i32, Error> {
        let what = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().map_err(|e| Error::io(format_args!("could not start \"{what}\""), &e))?;
        let pid = i32::try_from(child.id()).unwrap_or_default();
        self.waited_for.insert(pid);
        Ok(pid)
    }

    /// How a process ended, once.
    pub fn end_of(&mut self, pid: i32) -> Option<End> {
        self.ended.remove(&pid)
    }

    /// Takes note of what has ended, then waits for a tick.
    ///
    /// # Errors
    /// When this process is to end.
    pub fn tend(&mut self) -> Result<(), Error> {
        self.reap();
        if let Some(signal) = self.stopped_by() {
            return Err(Error::temporary(format_args!("stopped by {}", signal_name(signal))));
        }
        sleep(TICK);
        Ok(())
    }

    fn reap(&mut self) {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let pid = pid.as_raw_nonzero().get();
                    let code = status.exit_status().map(End::Code);
                    let end = code.or_else(|| status.terminating_signal().map(End::Signal));
                    if self.waited_for.remove(&pid) {
                        self.ended.insert(pid, end.unwrap_or(End::Code(0)));
                    }
                }
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// When it takes longer than the limit, or this process is to end.
    pub fn run(&mut self, command: &mut Command, limit: Duration) -> Result<End, Error> {
        let pid = self.start(command)?;
        let began = Instant::now();
        loop {
            self.tend()?;
            if let Some(end) = self.end_of(pid) {
                return Ok(end);
            }
            if began.elapsed() > limit {
                let what = command.get_args().last().unwrap_or(command.get_program()).to_string_lossy().into_owned();
                return Err(Error::data(format_args!("\"{what}\" did not end within {limit:?}")));
            }
        }
    }

    /// Kills the processes of one start of the pipeline, or of all, and waits until they are gone.
    ///
    /// # Errors
    /// When they do not go, or there is no /proc.
    pub fn kill_what_is_left(&mut self, of: Option<u32>) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            self.reap();
            let table = ProcessTable::look()?;
            let left: Vec<_> = match of {
                Some(number) => table.of_start(number).collect(),
                None => table.of_the_pipeline().collect(),
            };
            let Some(one) = left.first() else { return Ok(()) };
            for process in &left {
                process.send(Signal::KILL);
            }
            if began.elapsed() > DEATH_LIMIT {
                return Err(Error::temporary(format_args!("{} (pid {}) cannot be killed", one.name, one.pid)));
            }
            sleep(TICK);
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        let _ = self.kill_what_is_left(None);
    }
}

/// A command line for bash.
pub fn bash(command: &OsStr) -> Command {
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(command).stdin(std::process::Stdio::null());
    bash
}

/// The same as part of the test, not of the pipeline: what it starts stays.
pub fn hook(command: &OsStr) -> Command {
    let mut bash = bash(command);
    bash.env(HOOK_VARIABLE, "1").env_remove(START_VARIABLE);
    bash
}

/// Sends a signal to a whole process group.
pub fn send_to_group(leader: i32, signal: Signal) {
    if let Some(leader) = Pid::from_raw(leader) {
        let _ = rustix::process::kill_process_group(leader, signal);
    }
}
