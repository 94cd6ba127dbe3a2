//! Freshly built tools, run as a user runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{LazyLock, Mutex};

use crate::shared::root;
use crate::waiting::{HANGS_AFTER, wait_until};

/// With a test among the targets, cargo minds what tests depend on.
const A_SMALL_TEST: &str = "giant_line";

/// How a process ended and what it said.
#[derive(Debug)]
pub struct Ran {
    /// The exit code, or `None` after death by a signal.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The standard output of a run that must have succeeded.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "signal {:?}, stderr:\n{}", self.signal, self.stderr);
        self.stdout
    }

    /// Fails unless the run ended with this exit code and these words on stderr.
    pub fn fails_with(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "signal {:?}, stderr:\n{}", self.signal, self.stderr);
        assert!(self.stderr.contains(words), "no {words:?} in stderr:\n{}", self.stderr);
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The path of a tool, built from the sources as they are now: a stale file under `target` would be a trap.
pub fn bin(tool: &str) -> PathBuf {
    bins(&[tool]).remove(0)
}

/// The same for several, in one go.
pub fn bins(tools: &[&str]) -> Vec<PathBuf> {
    static BUILT: LazyLock<Mutex<BTreeMap<String, PathBuf>>> = LazyLock::new(Mutex::default);
    let mut built = BUILT.lock().unwrap_or_else(|e| e.into_inner());
    let missing: Vec<&str> = tools.iter().filter(|tool| !built.contains_key(**tool)).copied().collect();
    if !missing.is_empty() {
        built.extend(build(&missing));
    }
    tools.iter().map(|tool| built[*tool].clone()).collect()
}

/// As `cargo test --workspace` builds them. For a package alone, and without any test, cargo chooses other features for what they
/// depend on, builds all of that again, and puts another program in the place of the first.
fn build(tools: &[&str]) -> BTreeMap<String, PathBuf> {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .current_dir(root())
        .args([
            "build",
            "--quiet",
            "--message-format=json",
            "--profile",
            profile,
            "--workspace",
            "--test",
            A_SMALL_TEST,
        ])
        .args(tools.iter().flat_map(|tool| ["--bin", tool]))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success(), "{tools:?} do not build");
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let executable = |message: serde_json::Value| {
        let name = message["target"]["name"].as_str().filter(|name| tools.contains(name))?;
        Some((name.to_owned(), PathBuf::from(message["executable"].as_str()?)))
    };
    let found: BTreeMap<String, PathBuf> = messages.filter_map(executable).collect();
    assert_eq!(found.len(), tools.len(), "cargo names no executable for some of {tools:?}");
    found
}

/// Returns a PATH on which these tools come first.
pub fn path_with(tools: &[&str]) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders: BTreeSet<PathBuf> = bins(tools).iter().filter_map(|bin| bin.parent().map(Path::to_owned)).collect();
    folders.iter().fold(path, |path, folder| format!("{}:{path}", folder.display()))
}

/// Runs a bash script with these tools on its PATH, `set -euo pipefail`, in the project's root.
pub fn bash(tools: &[&str], script: &str) -> Ran {
    let script = format!("set -euo pipefail\n{script}");
    Command::new("bash")
        .current_dir(root())
        .env("PATH", path_with(tools))
        .args(["-c", &script])
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

/// Runs one program with this text on its stdin. One that hangs is killed.
pub fn run(program: impl AsRef<Path>, args: &[&str], input: &str) -> Ran {
    run_bytes(program, args, input.as_bytes())
}

/// The same, but the input stays open until the program has written these words.
pub fn run_until_it_says(program: impl AsRef<Path>, args: &[&str], input: &str, words: &str) -> Ran {
    let shown = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(program.as_ref());
    command.args(args).stdin(Stdio::piped()).stdout(shown.reopen().unwrap()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    let text = || fs::read_to_string(shown.path()).unwrap();
    wait_until(&format!("it writes {words:?}"), || text().contains(words) || child.try_wait().unwrap().is_some());
    drop(stdin);
    let ended = child.wait_with_output().unwrap();
    Ran { stdout: text(), ..ended.into() }
}

/// [`run`] with bytes that need not be text. The program may end before it has read everything.
pub fn run_bytes(program: impl AsRef<Path>, args: &[&str], input: &[u8]) -> Ran {
    let mut command = assert_cmd::Command::new(program.as_ref());
    command.args(args).write_stdin(input).timeout(HANGS_AFTER).output().unwrap().into()
}
