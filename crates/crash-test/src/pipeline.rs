//! The user's script, and one start of it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use millpipe::Error;

use crate::children::{Children, bash};
use crate::process_table::{HOOK_VARIABLE, START_VARIABLE};

/// The last words of a script that are shown: so many lines, from the last so many bytes of its log.
const WORDS_LINES: usize = 3;
const WORDS_BYTES: u64 = 4096;

/// Which of the two runs: a word of the environment and of file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    Undisturbed,
    Disturbed,
}

impl Run {
    pub fn name(self) -> &'static str {
        match self {
            Self::Undisturbed => "undisturbed",
            Self::Disturbed => "disturbed",
        }
    }
}

/// The script, with the folder and the log of one run.
pub struct Pipeline {
    script: Vec<OsString>,
    pub run: Run,
    pub dir: PathBuf,
    pub log: PathBuf,
    pub starts: u32,
}

impl Pipeline {
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(script: &[OsString], run: Run, folder: &Path) -> Result<Self, Error> {
        let dir = folder.join(run.name());
        fs::create_dir(&dir).map_err(|e| Error::io(dir.display(), &e))?;
        let log = folder.join(format!("{}.log", run.name()));
        Ok(Self { script: script.to_vec(), run, dir, log, starts: 0 })
    }

    /// Starts the script, in a process group of its own. It is told how many kills are still to come.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, kills_left: u64, children: &mut Children) -> Result<Life, Error> {
        self.starts += 1;
        let mut command = self.with_environment(self.command());
        command.env(START_VARIABLE, self.starts.to_string()).env_remove(HOOK_VARIABLE).process_group(0);
        command.env("CRASH_TEST_KILLS_LEFT", kills_left.to_string());
        command.stdin(Stdio::null()).stdout(self.open_log()?).stderr(self.open_log()?);
        Ok(Life::new(self.starts, children.start(&mut command)?))
    }

    /// A shell's command in the same environment.
    pub fn shell(&self, command: &OsString) -> Result<Command, Error> {
        let mut command = self.with_environment(bash(command));
        command.stderr(self.open_log()?);
        Ok(command)
    }

    fn command(&self) -> Command {
        let (program, args) =
            self.script.split_first().map_or((None, &[][..]), |(program, args)| (Some(program), args));
        let program = program.cloned().unwrap_or_default();
        // A name with a slash, or of a file in this folder that no shell would find otherwise.
        let is_plain_file =
            fs::metadata(&program).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 == 0);
        let mut command = Command::new(if is_plain_file { OsString::from("bash") } else { program.clone() });
        if is_plain_file {
            command.arg(program);
        }
        command.args(args);
        command
    }

    fn with_environment(&self, mut command: Command) -> Command {
        command.env("CRASH_TEST_DIR", &self.dir).env("CRASH_TEST_RUN", self.run.name());
        command
    }

    fn open_log(&self) -> Result<File, Error> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        log.map_err(|e| Error::io(self.log.display(), &e))
    }

    /// What the script said last, for a message.
    pub fn last_words(&self) -> String {
        let text = end_of_file(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(WORDS_LINES)..];
        if last.is_empty() { "it said nothing".to_owned() } else { format!("it said last: {}", last.join("; ")) }
    }
}

fn end_of_file(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(WORDS_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(WORDS_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One start of the script, until its first process ends.
#[derive(Debug)]
pub struct Life {
    /// Counted from 1.
    pub number: u32,
    /// The script's own process, and leader of its group.
    pub leader: i32,
    pub started: Instant,
    pub commits: u64,
    /// Something was done to it or to its broker.
    pub is_struck: bool,
    /// One of its own processes was killed: it may end as it likes.
    pub is_hurt: bool,
    /// Its first commit was the one that a kill's time was measured to.
    pub ended_a_wait: bool,
}

impl Life {
    fn new(number: u32, leader: i32) -> Self {
        let started = Instant::now();
        Self { number, leader, started, commits: 0, is_struck: false, is_hurt: false, ended_a_wait: false }
    }

    /// Takes note of a commit; says how long the first one took.
    pub fn commit(&mut self, now: Instant) -> Option<Duration> {
        self.commits += 1;
        (self.commits == 1).then(|| now - self.started)
    }

    pub fn strike(&mut self, hurts: bool) {
        self.is_struck = true;
        self.is_hurt |= hurts;
    }
}
