//! What the tests stand on: folders of metrics files, and processes.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use testkit::{Ran, path_with, run};
use time_text::format_rfc3339;

pub const PIPES: &str = env!("CARGO_BIN_EXE_pipes");

/// A folder of metrics files.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The file of a process, with these members.
    pub fn stage(&self, name: &str, pid: u32, members: &str) {
        let written = format_rfc3339(now_ms());
        let text = format!("{{\"stage\":\"{name}\",\"pid\":{pid},\"written\":\"{written}\",{members}}}\n");
        self.write(&format!("{name}.{pid}.json"), &text);
    }

    pub fn pipes(&self, arguments: &str) -> Ran {
        let mut words: Vec<&str> = arguments.split(' ').collect();
        let dir = self.path().to_string_lossy();
        words.extend(["--metrics", &dir]);
        run(PIPES, &words, "")
    }
}

pub fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A program that is ended with the test.
pub struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

impl Program {
    pub fn start(script: &str) -> Self {
        Self(shell(script).spawn().unwrap())
    }

    /// A pipeline whose stages write their metrics into a folder; its files are in another one.
    pub fn pipeline(tools: &[&str], script: &str, metrics: &Folder, files: &Path) -> Self {
        let mut bash = shell(script);
        bash.current_dir(files).env("PATH", path_with(tools)).env("MILLPIPE_METRICS", metrics.path());
        Self(bash.stderr(Stdio::null()).spawn().unwrap())
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits for its end.
    pub fn ended(mut self) {
        self.0.wait().unwrap();
    }
}

fn shell(script: &str) -> Command {
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
    bash
}

pub fn start_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap()
}

/// A number that no process has: it is above the highest one.
pub const NOBODY: u32 = 4_194_400;

pub fn json(ran: &Ran) -> Vec<serde_json::Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
