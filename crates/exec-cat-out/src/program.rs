//! The command, run with a file as its input.
#![allow(unsafe_code)] // For what a child does between fork and exec.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use checkpoint::{CheckpointId, Disk, RealDisk};
use millpipe::Error;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, kill_process_group, pidfd_open, set_parent_process_death_signal,
};
use units::{DurationMs, format_duration};

use crate::cli::Cli;
use crate::sink::Target;

/// How many pauses of a millisecond a command of a run that died may still go on.
const PAUSES_MAX: u32 = 10_000;

/// `CMD ARG…`, and how often and how long it may try.
pub struct Program {
    program: OsString,
    args: Vec<OsString>,
    retries: u32,
    timeout: Option<DurationMs>,
    /// The lock that every running CMD shares with us.
    turn: Option<File>,
}

/// Why a run of the command was in vain.
enum Trouble {
    Ended(ExitStatus),
    TooSlow(DurationMs),
}

impl Program {
    pub fn new(cli: &Cli) -> Self {
        let mut command = cli.command.iter().cloned();
        Self {
            program: command.next().unwrap_or_default(),
            args: command.collect(),
            retries: cli.retries,
            timeout: cli.timeout,
            turn: None,
        }
    }

    fn run(&self, id: Option<&CheckpointId>, epoch: &Path) -> Result<Result<(), Trouble>, Error> {
        let input = File::open(epoch).map_err(|error| Error::io(epoch.display(), &error))?;
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(input).stdout(Stdio::inherit()).env_remove("CHECKPOINT_ID");
        if let Some(id) = id {
            command.env("CHECKPOINT_ID", id.to_string());
        }
        // A Ctrl-C at the terminal is the source's business: it ends the stream, and what is open still comes.
        command.process_group(0);
        die_with_us(&mut command);
        let mut child = command.spawn().map_err(|error| self.cannot("start", &error))?;
        match self.wait(&mut child).map_err(|error| self.cannot("wait for", &error))? {
            Some(status) if status.success() => Ok(Ok(())),
            Some(status) => Ok(Err(Trouble::Ended(status))),
            None => Ok(Err(Trouble::TooSlow(self.timeout.unwrap_or_default()))),
        }
    }

    /// The status, or none when the time was over.
    fn wait(&self, child: &mut Child) -> io::Result<Option<ExitStatus>> {
        let Some(timeout) = self.timeout else { return child.wait().map(Some) };
        let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return child.wait().map(Some) };
        let process = pidfd_open(pid, PidfdFlags::empty())?;
        let limit = Timespec { tv_sec: timeout.0 / 1000, tv_nsec: timeout.0 % 1000 * 1_000_000 };
        let has_ended = loop {
            match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)) {
                Err(Errno::INTR) => {}
                ready => break ready? > 0,
            }
        };
        if !has_ended {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let status = child.wait()?;
        Ok(has_ended.then_some(status))
    }

    fn cannot(&self, what: &str, error: &io::Error) -> Error {
        Error::io(format_args!("cannot {what} {:?}", self.program), error)
    }

    /// Takes the lock that tells whether a command is running: each one inherits it, and holds it as long as it and
    /// what it has started live, whatever becomes of us.
    fn take_turn(&mut self, path: &Path, waits: bool) -> Result<(), Error> {
        if self.turn.is_some() {
            return Ok(());
        }
        let failed = |error: &io::Error| Error::io(path.display(), error);
        let file = File::options().create(true).append(true).open(path).map_err(|error| failed(&error))?;
        for pause in 0.. {
            if file.try_lock().is_ok() || !waits {
                break;
            }
            if pause == PAUSES_MAX {
                return Err(Error::temporary(format_args!("{:?} of an earlier run is still at work", self.program))
                    .hint(format_args!("it, or a process that it has left behind, holds {}", path.display())));
            }
            RealDisk.pause();
        }
        fcntl_setfd(&file, FdFlags::empty()).map_err(|error| failed(&error.into()))?;
        self.turn = Some(file);
        Ok(())
    }
}

impl Target for Program {
    fn give(&mut self, id: Option<&CheckpointId>, epoch: &Path, again: bool) -> Result<(), Error> {
        let running: PathBuf = epoch.with_file_name("running");
        self.take_turn(&running, again)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let Err(trouble) = self.run(id, epoch)? else { return Ok(()) };
            if tries > self.retries {
                let name = Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy();
                let tried = if tries > 1 { format!(", tried {tries} times") } else { String::new() };
                let with = id.map_or_else(String::new, |id| format!(" with the lines of {id}"));
                let error = Error::temporary(format_args!("{name} {trouble}{with}{tried}"));
                return Err(if id.is_some() {
                    error.hint("at the next start it gets the same lines again")
                } else {
                    error
                });
            }
        }
    }
}

/// The command does not go on without us.
fn die_with_us(command: &mut Command) {
    let parent = getpid();
    let prepare = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // We may have died before that.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    };
    // SAFETY: `prepare` makes two system calls that are safe between fork and exec, and allocates nothing.
    unsafe { command.pre_exec(prepare) };
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(f, "exited with status {code}"),
                (None, Some(signal)) => write!(f, "was killed by signal {signal}"),
                (None, None) => f.write_str("ended"),
            },
            Self::TooSlow(time) => write!(f, "did not end within {} (--timeout)", format_duration(time.0)),
        }
    }
}
