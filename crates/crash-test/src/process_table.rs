//! The processes below this one, as /proc shows them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use millpipe::Error;
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

/// In the environment of each start of the script, with its number: it says which start a process belongs to, also when
/// its parents are gone.
pub const START_VARIABLE: &str = "CRASH_TEST_START";
/// In the environment of the commands that kill and restore a broker: what they start is not the pipeline's.
pub const HOOK_VARIABLE: &str = "CRASH_TEST_HOOK";

const SHELLS: [&str; 11] = ["ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "pdksh", "sh", "yash", "zsh"];

/// The kernel cuts names behind so many bytes.
const NAME_BYTES_MAX: usize = 15;

/// Whose process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The pipeline's start of this number.
    Start(u32),
    /// A command for the broker.
    Hook,
    /// A process that forgot its environment, and whose parent did too.
    Unknown,
}

/// One process.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: i32,
    pub name: String,
    pub owner: Owner,
    parent: i32,
    /// In ticks since the system's start: with the pid, what no other process has.
    started: u64,
    state: char,
    /// A shell, whatever script it runs.
    runs_shell: bool,
    executable: PathBuf,
}

impl Process {
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't')
    }

    /// It has ended, and nobody has asked how.
    fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// True when the signal reached this very process and not another one that got its number meanwhile.
    pub fn send(&self, signal: Signal) -> bool {
        let Some(pid) = Pid::from_raw(self.pid) else { return false };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
        read(self.pid).is_some_and(|now| now.started == self.started && !now.is_over())
            && pidfd_send_signal(handle, signal).is_ok()
    }
}

/// The living processes below this one, oldest first.
#[derive(Clone, Debug, Default)]
pub struct ProcessTable(Vec<Process>);

impl ProcessTable {
    /// # Errors
    /// When there is no /proc.
    pub fn look() -> Result<Self, Error> {
        let entries = fs::read_dir("/proc").map_err(|e| Error::io("/proc", &e))?;
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let all: BTreeMap<i32, Process> = pids.filter_map(read).map(|process| (process.pid, process)).collect();
        let own = getpid().as_raw_nonzero().get();
        let mut below: Vec<Process> = all.values().filter(|p| is_below(p, own, &all)).cloned().collect();
        below.sort_by_key(|process| (process.started, process.pid));
        for process in &mut below {
            process.owner = owner(process, own, &all);
            process.executable = fs::read_link(proc_file(process.pid, "exe")).unwrap_or_default();
            process.runs_shell = SHELLS.contains(&process.name.as_str());
            process.name = whole_name(&process.name, process.pid);
        }
        below.retain(|process| !process.is_over());
        Ok(Self(below))
    }

    /// All but what the commands for the broker have started.
    pub fn of_the_pipeline(&self) -> impl Iterator<Item = &Process> {
        self.0.iter().filter(|process| process.owner != Owner::Hook)
    }

    /// Those of one start.
    pub fn of_start(&self, number: u32) -> impl Iterator<Item = &Process> {
        self.0.iter().filter(move |process| process.owner == Owner::Start(number))
    }

    /// What the pipeline's shells have started: no shells, except those that run another script.
    pub fn stages(&self) -> Vec<&Process> {
        self.awake().filter(|process| !self.is_shell(process)).collect()
    }

    /// Those of this name.
    pub fn named(&self, name: &str) -> Vec<&Process> {
        self.awake().filter(|process| process.name == name).collect()
    }

    /// What can be killed: not what is stopped, and of a script not its subshells, which are there for an instant.
    fn awake(&self) -> impl Iterator<Item = &Process> {
        self.of_the_pipeline().filter(|process| !process.is_stopped() && !self.is_subshell(process))
    }

    fn is_subshell(&self, process: &Process) -> bool {
        process.runs_shell && self.0.iter().any(|other| other.pid == process.parent && other.name == process.name)
    }

    /// Processes without children: a pipeline whose stages are parts of one shell script has no others.
    pub fn leaves(&self) -> Vec<&Process> {
        let is_leaf = |process: &&Process| !self.0.iter().any(|other| other.parent == process.pid);
        self.of_the_pipeline().filter(|process| !process.is_stopped()).filter(is_leaf).collect()
    }

    /// A shell without a script, the script that was started, or a subshell of it: that has its name and program.
    pub fn is_shell(&self, process: &Process) -> bool {
        if SHELLS.contains(&process.name.as_str()) {
            return true;
        }
        let own = getpid().as_raw_nonzero().get();
        let started = self.0.iter().filter(|other| other.parent == own);
        let mut scripts = started.filter(|other| other.runs_shell || self.has_children(other));
        scripts.any(|script| script.name == process.name && script.executable == process.executable)
    }

    fn has_children(&self, process: &Process) -> bool {
        self.0.iter().any(|other| other.parent == process.pid)
    }
}

fn proc_file(pid: i32, name: &str) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join(name)
}

/// Nothing when it has just ended.
fn read(pid: i32) -> Option<Process> {
    parse_stat(&fs::read_to_string(proc_file(pid, "stat")).ok()?)
}

/// `123 (a name) S 1 …`; the name may have parentheses and spaces.
fn parse_stat(text: &str) -> Option<Process> {
    let (pid, rest) = text.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Process {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        owner: Owner::Unknown,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
        state: fields.first()?.chars().next()?,
        runs_shell: false,
        executable: PathBuf::new(),
    })
}

fn is_below(process: &Process, top: i32, all: &BTreeMap<i32, Process>) -> bool {
    ancestors(process, all).any(|parent| parent == top)
}

/// The numbers of its parent, of its parent's parent, and so on. Two looks at /proc are not one moment, so that a ring
/// is possible: it ends.
fn ancestors<'a>(process: &Process, all: &'a BTreeMap<i32, Process>) -> impl Iterator<Item = i32> + use<'a> {
    let mut parent = process.parent;
    let steps = std::iter::from_fn(move || {
        let this = parent;
        parent = all.get(&this).map_or(0, |process| process.parent);
        (this > 0).then_some(this)
    });
    steps.take(all.len())
}

/// What the process itself knows, else what the nearest of its parents knows.
fn owner(process: &Process, top: i32, all: &BTreeMap<i32, Process>) -> Owner {
    let line = std::iter::once(process.pid).chain(ancestors(process, all).take_while(|pid| *pid != top));
    line.map(owner_by_environment).find(|owner| *owner != Owner::Unknown).unwrap_or(Owner::Unknown)
}

fn owner_by_environment(pid: i32) -> Owner {
    let environment = fs::read(proc_file(pid, "environ")).unwrap_or_default();
    let value = |name: &str| {
        let mut variables = environment.split(|byte| *byte == 0);
        variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    };
    if value(HOOK_VARIABLE).is_some() {
        return Owner::Hook;
    }
    let number = value(START_VARIABLE).and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
    number.map_or(Owner::Unknown, Owner::Start)
}

/// The kernel's name, but of a shell that runs a script the script's, and what the kernel has cut from the command line.
fn whole_name(name: &str, pid: i32) -> String {
    let is_shell = SHELLS.contains(&name);
    if name.len() < NAME_BYTES_MAX && !is_shell {
        return name.to_owned();
    }
    let command = fs::read(proc_file(pid, "cmdline")).unwrap_or_default();
    let words = command.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    name_by_command(name, &words.take(2).collect::<Vec<_>>())
}

/// From a program and its first argument.
fn name_by_command(name: &str, command: &[String]) -> String {
    let last_part = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
    let found = if SHELLS.contains(&name) {
        command.get(1).filter(|word| !word.starts_with('-')).map(last_part)
    } else {
        command.iter().map(last_part).find(|whole| whole.starts_with(name))
    };
    found.filter(|found| !found.is_empty()).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_read_whole() {
        let text = "12 (a) S (b) T 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 1 1";
        let process = parse_stat(text).unwrap();
        assert_eq!((process.pid, process.name.as_str(), process.parent), (12, "a) S (b", 7));
        assert_eq!((process.started, process.is_stopped()), (99, true));
        assert!(parse_stat("12 (a").is_none());
    }

    fn process(pid: i32, parent: i32) -> (i32, Process) {
        let text = format!("{pid} (p) S {parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 1 1");
        (pid, parse_stat(&text).unwrap())
    }

    #[test]
    fn grandchildren_are_found_and_a_ring_of_parents_ends() {
        let all = BTreeMap::from([process(2, 1), process(3, 2), process(4, 3), process(8, 9), process(9, 8)]);
        assert!(is_below(&all[&4], 2, &all));
        assert!(!is_below(&all[&2], 4, &all));
        assert!(!is_below(&all[&8], 2, &all));
    }

    #[test]
    fn a_script_has_its_own_name_and_a_long_name_is_whole() {
        let name = |name: &str, command: &[&str]| {
            name_by_command(name, &command.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(name("bash", &["bash", "/x/worker"]), "worker");
        assert_eq!(name("bash", &["bash", "-c"]), "bash");
        assert_eq!(name("sh", &["sh"]), "sh");
        assert_eq!(name("my-own-long-nam", &["/x/my-own-long-name"]), "my-own-long-name");
        assert_eq!(name("my-own-long-nam", &["/usr/bin/python3", "./my-own-long-name"]), "my-own-long-name");
        assert_eq!(name("my-own-long-nam", &["renamed"]), "my-own-long-nam");
    }

    #[test]
    fn this_process_reads_itself() {
        let own = getpid().as_raw_nonzero().get();
        let process = read(own).unwrap();
        assert_eq!(process.pid, own);
        assert!(process.started > 0 && !process.is_over());
    }
}
