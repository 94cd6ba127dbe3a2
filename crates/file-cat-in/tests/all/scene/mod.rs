//! A folder to work in, and a reader that goes on reading.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;
use testkit::Ran;

pub const BIN: &str = env!("CARGO_BIN_EXE_file-cat-in");

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    pub fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.0.path().join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.0.path().join(from), self.0.path().join(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.0.path().join(name)).unwrap();
    }

    /// Runs a script in the folder, with fresh tools.
    pub fn bash(&self, script: &str) -> Ran {
        let tools = ["file-cat-in", "file-cat-out", "window", "aggregate"];
        testkit::bash(&tools, &format!("cd '{}'\n{script}", self.0.path().display()))
    }
}

pub fn numbers(range: std::ops::Range<u64>) -> String {
    range.map(|n| format!("{{\"n\":{n}}}\n")).collect()
}

/// A `file-cat-in` that goes on reading.
pub struct Reading {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Reading {
    pub fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command = Command::new(BIN);
        command.current_dir(folder.0.path()).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    pub fn ends_on(self, signal: &str) -> Ran {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        self.child.wait_with_output().unwrap().into()
    }
}
