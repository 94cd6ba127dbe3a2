//! One running process: lines go to its stdin while its stdout and stderr are read, so that neither side can
//! wait for the other for ever.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGKILL, SIGTERM};
use stream::Exit;

use crate::programs::processes::Processes;
use crate::programs::stderr_tail::StderrTail;

/// The room that a pipe to or from a process gets where the system allows it.
const PIPE_BYTES: usize = 1 << 20;
/// How much is read at once.
const READ_BYTES: usize = 256 << 10;
/// How often a wait looks whether the run is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Why a process did not do its work.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It could not be started.
    Start(io::Error),
    /// It ended, and should not have, or not so.
    Ended(ExitStatus),
    TooMuchOutput(usize),
    TooSlow(Duration),
    /// It wrote more lines than it got, which were so many.
    TooManyLines(usize),
    Io(io::Error),
    /// It was ended with the run.
    Over,
}

/// What a process may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub output_bytes: usize,
    /// From the start to the end, or where lines are counted, from one to the next.
    pub time: Option<Duration>,
}

/// How far an exchange goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The end of its output, after the end of its input.
    End,
    /// So many lines of output.
    Lines(usize),
}

pub(crate) struct Child {
    process: process::Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    pub said: StderrTail,
    processes: Processes,
}

impl Trouble {
    /// Whether somebody else has ended the process, or it asks for a new start (75): its lines are not known to be bad. A shell
    /// that ran it says 128 and the signal.
    pub fn is_temporary(&self) -> bool {
        const FROM_OUTSIDE: [i32; 4] = [SIGHUP, SIGINT, SIGKILL, SIGTERM];
        match self {
            Self::Ended(status) => match (status.signal(), status.code()) {
                (Some(signal), _) => FROM_OUTSIDE.contains(&signal),
                (None, Some(code)) => code == Exit::Temporary as i32 || FROM_OUTSIDE.contains(&(code - 128)),
                (None, None) => false,
            },
            _ => false,
        }
    }
}

impl Child {
    pub fn start(program: &OsString, args: &[OsString], processes: &Processes) -> Result<Self, Trouble> {
        let mut command = process::Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = match processes.start(&mut command) {
            Ok(process) => process,
            Err(_) if processes.are_over() => return Err(Trouble::Over),
            Err(error) => return Err(Trouble::Start(error)),
        };
        let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let child = Self { process, stdin, stdout, stderr, said: StderrTail::default(), processes: processes.clone() };
        child.prepare_pipes().map_err(Trouble::Io)?;
        Ok(child)
    }

    fn prepare_pipes(&self) -> io::Result<()> {
        if let Some(stdin) = &self.stdin {
            rustix::fs::fcntl_setfl(stdin, OFlags::NONBLOCK)?;
            // Smaller pipes work as well, with more turns.
            let _ = rustix::pipe::fcntl_setpipe_size(stdin, PIPE_BYTES);
        }
        if let Some(stdout) = &self.stdout {
            let _ = rustix::pipe::fcntl_setpipe_size(stdout, PIPE_BYTES);
        }
        Ok(())
    }

    /// Writes the input and appends the output, both at once.
    pub fn exchange(
        &mut self,
        mut input: &[u8],
        until: Until,
        out: &mut Vec<u8>,
        limits: Limits,
    ) -> Result<(), Trouble> {
        let mut deadline = limits.time.map(|time| Instant::now() + time);
        let mut lines = 0;
        loop {
            if until == Until::End && input.is_empty() {
                self.stdin = None;
            }
            // A program may close its output and still take input.
            let takes_input = until == Until::End && self.stdin.is_some() && !input.is_empty();
            if self.stdout.is_none() && !takes_input {
                return self.after_output(until, lines, deadline, limits);
            }
            let ready = self.wait(!input.is_empty(), deadline, limits)?;
            if ready.stderr {
                self.said.read(&mut self.stderr);
            }
            if ready.stdin {
                self.write(&mut input)?;
            }
            if ready.stdout {
                let before = out.len();
                self.read(out)?;
                lines += memchr::memchr_iter(b'\n', &out[before..]).count();
                check_output(out, lines, until, limits)?;
                if until != Until::End {
                    deadline = limits.time.map(|time| Instant::now() + time);
                }
            }
            if until == Until::Lines(lines) && input.is_empty() {
                return Ok(());
            }
        }
    }

    /// The output has ended: that is right at the end of the input only, and with status 0.
    fn after_output(
        &mut self,
        until: Until,
        lines: usize,
        deadline: Option<Instant>,
        limits: Limits,
    ) -> Result<(), Trouble> {
        self.stdin = None;
        let status = self.wait_for_end(deadline, limits)?;
        match until {
            _ if !status.success() => Err(Trouble::Ended(status)),
            Until::Lines(given) if lines != given => Err(Trouble::Ended(status)),
            _ => Ok(()),
        }
    }

    /// True when there is output that nobody asked for, or the end of it.
    pub fn has_spoken(&self) -> bool {
        self.stdout.as_ref().is_none_or(|stdout| is_readable(stdout, Duration::ZERO))
    }

    fn wait(&self, has_input: bool, deadline: Option<Instant>, limits: Limits) -> Result<Ready, Trouble> {
        self.check_time(deadline, limits)?;
        let ports = [
            (self.stdin.as_ref().filter(|_| has_input).map(AsFd::as_fd), PollFlags::OUT),
            (self.stdout.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.stderr.as_ref().map(AsFd::as_fd), PollFlags::IN),
        ];
        let open = ports.iter().filter_map(|(fd, flags)| fd.map(|fd| PollFd::from_borrowed_fd(fd, *flags)));
        let mut fds: Vec<PollFd<'_>> = open.collect();
        match rustix::event::poll(&mut fds, Some(&timespec(LOOK_EVERY))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Trouble::Io(error.into())),
        }
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let [stdin, stdout, stderr] = ports.map(|(fd, _)| fd.is_some() && ready.next().unwrap_or(false));
        Ok(Ready { stdin, stdout, stderr })
    }

    fn check_time(&self, deadline: Option<Instant>, limits: Limits) -> Result<(), Trouble> {
        if self.processes.are_over() {
            return Err(Trouble::Over);
        }
        match (deadline, limits.time) {
            (Some(deadline), Some(time)) if Instant::now() >= deadline => Err(Trouble::TooSlow(time)),
            _ => Ok(()),
        }
    }

    /// A process that wants no more input closes its stdin; whether that is right, its status tells.
    fn write(&mut self, input: &mut &[u8]) -> Result<(), Trouble> {
        let Some(stdin) = &self.stdin else { return Ok(()) };
        match rustix::io::write(stdin, input) {
            Ok(n) => *input = &input[n..],
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::PIPE) => {
                self.stdin = None;
                *input = &[];
            }
            Err(error) => return Err(Trouble::Io(error.into())),
        }
        Ok(())
    }

    fn read(&mut self, out: &mut Vec<u8>) -> Result<(), Trouble> {
        let Some(stdout) = &self.stdout else { return Ok(()) };
        out.reserve(READ_BYTES);
        match rustix::io::read(stdout, spare_capacity(out)) {
            Ok(0) => self.stdout = None,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(Trouble::Io(error.into())),
        }
        Ok(())
    }

    /// Reads what it says on stderr until it has ended. Its output has ended before, so that is mostly at once.
    fn wait_for_end(&mut self, deadline: Option<Instant>, limits: Limits) -> Result<ExitStatus, Trouble> {
        let mut pause = Duration::from_micros(20);
        loop {
            let ended = self.processes.ended(&mut self.process).map_err(Trouble::Io)?;
            self.drain_stderr(if ended.is_some() { Duration::ZERO } else { pause });
            if let Some(status) = ended {
                return if self.processes.are_over() { Err(Trouble::Over) } else { Ok(status) };
            }
            self.check_time(deadline, limits)?;
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    /// Reads what is there now, or comes within the pause.
    fn drain_stderr(&mut self, mut pause: Duration) {
        while let Some(stderr) = &self.stderr {
            if !is_readable(stderr, pause) {
                return;
            }
            self.said.read(&mut self.stderr);
            pause = Duration::ZERO;
        }
        std::thread::sleep(pause);
    }

    /// Ends it at once, if it has not ended itself, and takes what it has still said.
    pub fn end(&mut self) {
        self.processes.end(&mut self.process);
        self.drain_stderr(Duration::ZERO);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.processes.end(&mut self.process);
    }
}

struct Ready {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

fn check_output(out: &[u8], lines: usize, until: Until, limits: Limits) -> Result<(), Trouble> {
    if out.len() > limits.output_bytes {
        return Err(Trouble::TooMuchOutput(limits.output_bytes));
    }
    let Until::Lines(given) = until else { return Ok(()) };
    let surplus = lines > given || (lines == given && out.last().is_some_and(|last| *last != b'\n'));
    if surplus { Err(Trouble::TooManyLines(given)) } else { Ok(()) }
}

/// True when there is something to read, or the end, within the time.
fn is_readable(fd: &impl AsFd, within: Duration) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    matches!(rustix::event::poll(&mut fds, Some(&timespec(within))), Ok(n) if n > 0)
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) | Self::Io(error) => {
                let text = error.to_string();
                f.write_str(text.split(" (os error").next().unwrap_or(&text))
            }
            Self::Ended(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(f, "exited with status {code}"),
                (None, Some(signal)) => match signal_hook::low_level::signal_name(signal) {
                    Some(name) => write!(f, "was killed by signal {signal} ({name})"),
                    None => write!(f, "was killed by signal {signal}"),
                },
                (None, None) => f.write_str("ended"),
            },
            Self::TooMuchOutput(limit) => write!(f, "wrote more than {limit} bytes (--max-output)"),
            Self::TooSlow(time) => write!(f, "gave no answer within {time:?} (--timeout)"),
            Self::TooManyLines(0) => f.write_str("wrote a line that was not asked for"),
            Self::TooManyLines(given) => write!(f, "wrote more than {given} lines for {given} lines"),
            Self::Over => f.write_str("was ended with the run"),
        }
    }
}
