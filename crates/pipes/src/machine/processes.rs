//! What the kernel tells of processes and pipes, from /proc.
//!
//! A pipe is opened from outside for its reading end only, without blocking, and closed at once: an open writing end would hold
//! back the end of the stream, and an open reading end keeps its writer from SIGPIPE as long as it is open.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::ioctl_fionread;
use rustix::pipe::fcntl_getpipe_size;

use crate::facts::Pipe;
use crate::machine::stage::{Kernel, Moved, Wait};

/// The processes of this machine.
pub struct Processes {
    root: PathBuf,
    /// All processes are shown, also those of other users.
    shows_all: bool,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    pub parent: u32,
    pub session: u32,
    /// The command's name, up to 15 characters of it.
    pub name: String,
    pub state: char,
    pub start_ticks: u64,
    pub cpu_ticks: u64,
    /// The pipe that its stdin is.
    pub input: Option<u64>,
    /// The pipe that its stdout is.
    pub output: Option<u64>,
}

impl Processes {
    /// Takes a folder like /proc.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let shows_all = root.join("1").exists();
        Self { root, shows_all }
    }

    pub fn shows_all(&self) -> bool {
        self.shows_all
    }

    /// Returns a process with its pipes; nothing when there is none, or when it has ended and its parent has not asked how.
    pub fn get(&self, pid: u32) -> Option<Process> {
        let stat = fs::read(self.root.join(pid.to_string()).join("stat")).ok()?;
        let process = read_stat(pid, &String::from_utf8_lossy(&stat))?;
        if matches!(process.state, 'Z' | 'X') {
            return None;
        }
        Some(Process { input: self.pipe(pid, 0), output: self.pipe(pid, 1), ..process })
    }

    /// Returns all processes that this user may see.
    pub fn all(&self) -> Vec<Process> {
        self.pids().into_iter().filter_map(|pid| self.get(pid)).collect()
    }

    /// Returns their numbers: one look for many questions.
    pub fn pids(&self) -> BTreeSet<u32> {
        let Ok(entries) = fs::read_dir(&self.root) else { return BTreeSet::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// Returns what the kernel says of a running process.
    pub fn kernel(&self, process: &Process) -> Kernel {
        let folder = self.root.join(process.pid.to_string());
        let wchan = fs::read_to_string(folder.join("wchan")).unwrap_or_default();
        let moved = fs::read_to_string(folder.join("io")).ok().and_then(|text| read_io(&text));
        Kernel { state: process.state, waits: wait_of(&wchan), cpu_ticks: process.cpu_ticks, moved }
    }

    /// Returns the words of its command line.
    pub fn words(&self, pid: u32) -> Vec<String> {
        let line = fs::read(self.root.join(pid.to_string()).join("cmdline")).unwrap_or_default();
        let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// Returns the pipes that it has open beside stdin, stdout and stderr.
    pub fn held(&self, pid: u32) -> Vec<u64> {
        let Ok(entries) = fs::read_dir(self.root.join(pid.to_string()).join("fd")) else { return Vec::new() };
        let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let mut pipes: Vec<u64> = numbers.filter(|fd| *fd > 2).filter_map(|fd| self.pipe(pid, fd)).collect();
        pipes.sort_unstable();
        pipes.dedup();
        pipes
    }

    /// Returns how full the pipe is that a process has at `fd`; nothing when it has another one there now.
    pub fn fill(&self, pid: u32, fd: u32, pipe: u64) -> Option<Pipe> {
        if self.pipe(pid, fd) != Some(pipe) {
            return None;
        }
        let path = self.root.join(format!("{pid}/fd/{fd}"));
        let end = open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).ok()?;
        if fstat(&end).ok()?.st_ino != pipe {
            return None;
        }
        let size = fcntl_getpipe_size(&end).ok()?;
        Some(Pipe { pipe, bytes: Some(ioctl_fionread(&end).ok()?), size: u64::try_from(size).ok() })
    }

    fn pipe(&self, pid: u32, fd: u32) -> Option<u64> {
        let target = fs::read_link(self.root.join(format!("{pid}/fd/{fd}"))).ok()?;
        target.to_str()?.strip_prefix("pipe:[")?.strip_suffix(']')?.parse().ok()
    }
}

/// A name may have spaces and brackets in it: the fields begin after the last one.
fn read_stat(pid: u32, text: &str) -> Option<Process> {
    let (before, after) = text.rsplit_once(") ")?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split(' ').collect();
    let number = |at: usize| fields.get(at)?.trim().parse::<u64>().ok();
    let small = |at: usize| u32::try_from(number(at)?).ok();
    Some(Process {
        pid,
        name,
        state: fields.first()?.chars().next()?,
        parent: small(1)?,
        session: small(3)?,
        cpu_ticks: number(11)?.saturating_add(number(12)?),
        start_ticks: number(19)?,
        input: None,
        output: None,
    })
}

fn read_io(text: &str) -> Option<Moved> {
    let number = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some(Moved { read: number("rchar:")?, written: number("wchar:")? })
}

/// `anon_pipe_read` in Linux 6.18, `pipe_read` before; `pipe_wait` in old ones says no direction.
fn wait_of(wchan: &str) -> Option<Wait> {
    match wchan.trim() {
        name if name.ends_with("pipe_read") => Some(Wait::PipeRead),
        name if name.ends_with("pipe_write") => Some(Wait::PipeWrite),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_move_the_fields() {
        let text = "7 (a) b (c) S 5 6 4 0 -1 0 0 0 0 0 11 22 0 0 20 0 1 0 8437221 1 2\n";
        let process = read_stat(7, text).unwrap();
        assert_eq!((process.name.as_str(), process.state, process.parent, process.session), ("a) b (c", 'S', 5, 4));
        assert_eq!((process.cpu_ticks, process.start_ticks), (33, 8_437_221));
        assert_eq!(read_stat(7, "7 (a) S 5"), None);
    }

    #[test]
    fn waits_are_known_by_their_tails() {
        let told = ["anon_pipe_read", "pipe_read", "anon_pipe_write\n", "do_poll", "0", ""].map(wait_of);
        let [read, write] = [Some(Wait::PipeRead), Some(Wait::PipeWrite)];
        assert_eq!(told, [read, read, write, None, None, None]);
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn a_real_pipe_is_seen_from_outside_and_its_writer_still_finds_its_reader_gone() {
        let mut child =
            std::process::Command::new("sleep").arg("60").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        to.write_all(b"four").unwrap();
        let processes = Processes::new("/proc");
        let process = processes.get(child.id()).unwrap();
        let pipe = process.input.unwrap();
        let fill = processes.fill(child.id(), 0, pipe).unwrap();
        assert_eq!((fill.bytes, fill.pipe), (Some(4), pipe));
        assert!(fill.size.unwrap() >= 4096);
        assert_eq!(processes.fill(child.id(), 0, pipe + 1), None);
        assert!(processes.held(std::process::id()).contains(&pipe));
        testkit::wait_until("its words", || processes.words(child.id()).last().is_some_and(|word| word == "60"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(processes.get(child.id()), None);
        assert!(to.write_all(b"more").is_err(), "no reading end is left open");
    }
}
