//! A running shell pipeline: lines go to its stdin while its stdout and stderr are read.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use protocol::Port;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;
use rustix::io::Errno;
use stream::{Error, Exit, Fault};

use crate::pipes::poll::poll;
use crate::programs::child::Trouble;
use crate::programs::processes::Processes;
use crate::programs::stderr_tail::StderrTail;

/// The room that a pipe to or from it gets where the system allows it: what is on its way in a shard.
const PIPE_BYTES: usize = 256 << 10;
/// What a process that has closed its output may still take to end.
const LAST_WORDS_MAX: Duration = Duration::from_secs(5);
/// A shell that died of a signal, or whose program did, says 128 and the signal.
const SIGNAL_STATUS: i32 = 128;

/// One of the shards.
pub(crate) struct SubPipe {
    number: usize,
    process: Child,
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
    pub stderr: Option<ChildStderr>,
    said: StderrTail,
    status: Option<ExitStatus>,
    processes: Processes,
}

impl SubPipe {
    /// Starts `bash -o pipefail -c SCRIPT` with `SHARD` and `SHARDS` in its environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(script: &OsStr, number: usize, of: usize, processes: &Processes) -> Result<Self, Error> {
        let mut command = Command::new("bash");
        command.args(["-o", "pipefail", "-c"]).arg(script);
        command.env("SHARD", number.to_string()).env("SHARDS", of.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = processes.start(&mut command).map_err(|error| Error::io("cannot start bash", &error))?;
        let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        if let Some(stdin) = &stdin {
            rustix::fs::fcntl_setfl(stdin, OFlags::NONBLOCK).map_err(|error| Error::io("a pipe", &error.into()))?;
            // Smaller pipes work as well, with more turns.
            let _ = rustix::pipe::fcntl_setpipe_size(stdin, PIPE_BYTES);
        }
        if let Some(stdout) = &stdout {
            let _ = rustix::pipe::fcntl_setpipe_size(stdout, PIPE_BYTES);
        }
        let (said, processes) = (StderrTail::default(), processes.clone());
        Ok(Self { number, process, stdin, stdout, stderr, said, status: None, processes })
    }

    /// Writes what it takes now. One that wants no more closes its input; whether that is right, its status tells.
    ///
    /// # Errors
    /// A failed write.
    pub fn write(&mut self, port: &mut Port) -> Result<(), Fault> {
        let Some(stdin) = &self.stdin else { return Ok(()) };
        match rustix::io::write(stdin, port.waiting()) {
            Ok(n) => port.wrote(n),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::PIPE) => {
                self.stdin = None;
                port.close();
            }
            Err(error) => return Err(Error::io(format_args!("shard {}", self.number), &error.into()).into()),
        }
        Ok(())
    }

    /// Reads what there is; none at the end of its output.
    ///
    /// # Errors
    /// A failed read.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Fault> {
        let Some(stdout) = &self.stdout else { return Ok(None) };
        loop {
            match rustix::io::read(stdout, &mut *buffer) {
                Ok(0) => {
                    self.stdout = None;
                    return Ok(None);
                }
                Ok(n) => return Ok(Some(n)),
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::io(format_args!("shard {}", self.number), &error.into()).into()),
            }
        }
    }

    /// Passes on what it says on stderr.
    pub fn hear(&mut self) {
        self.said.read(&mut self.stderr);
    }

    /// Whether its output has ended and itself has not: look again soon.
    pub fn lingers(&self) -> bool {
        self.stdout.is_none() && self.status.is_none()
    }

    pub fn has_ended(&self) -> bool {
        self.status.is_some()
    }

    /// Looks whether it has ended.
    ///
    /// # Errors
    /// When it did so badly.
    pub fn look(&mut self) -> Result<(), Fault> {
        if self.status.is_none()
            && let Some(status) = self.ended()?
        {
            self.status = Some(status);
            self.hear_out();
            if !status.success() {
                return Err(self.died(status).into());
            }
        }
        Ok(())
    }

    /// Its output has ended too early, which is this error for whoever reads it. If its process has failed, that says more.
    pub fn verdict(&mut self, error: Error) -> Error {
        let deadline = Instant::now() + LAST_WORDS_MAX;
        while Instant::now() < deadline {
            match self.ended() {
                Ok(None) => self.wait_for_words(),
                Ok(Some(status)) => {
                    self.hear_out();
                    let is_cut_short = error.exit == Exit::Temporary;
                    return if is_cut_short || !status.success() { self.died(status) } else { error };
                }
                Err(error) => return error,
            }
        }
        let number = self.number;
        Error::temporary(format_args!("shard {number} has closed its output before the end of the stream"))
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.processes.ended(&mut self.process).map_err(|error| Error::io("a shard", &error))
    }

    /// Reads what it says for a moment.
    fn wait_for_words(&mut self) {
        match self.stderr.as_ref().map(|stderr| is_readable(stderr.as_fd(), Duration::from_millis(10))) {
            Some(true) => self.hear(),
            Some(false) => {}
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }

    /// Reads what it has said before it ended.
    fn hear_out(&mut self) {
        while self.stderr.as_ref().is_some_and(|stderr| is_readable(stderr.as_fd(), Duration::ZERO)) {
            self.hear();
        }
    }

    fn died(&mut self, status: ExitStatus) -> Error {
        let words = self.said.take();
        let separator = if words.is_empty() { "" } else { ": " };
        let number = self.number;
        let what = match status.success() {
            true => "ended before the end of the stream".to_owned(),
            false => Trouble::Ended(status).to_string(),
        };
        let message = format!("shard {number} {what}{separator}{words}");
        match status.code() {
            Some(0 | 75) | None => Error::temporary(message),
            Some(code) if code >= SIGNAL_STATUS => Error::temporary(message),
            Some(_) => Error::data(message),
        }
    }
}

impl Drop for SubPipe {
    fn drop(&mut self) {
        self.processes.end(&mut self.process);
    }
}

fn is_readable(fd: BorrowedFd<'_>, within: Duration) -> bool {
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(within)).unwrap_or(false)
}
