//! A real Kafka broker for tests, started by `scripts/kafka`.
//!
//! A test that needs it fails when it cannot start: it never passes by skipping. The broker lives in a folder
//! of its own and dies with the test process, however that ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use crate::shared::root;
use crate::waiting::wait_until;

/// The watchman holds a pipe from the test process. When it closes, the broker and its folder go.
const WATCHMAN: &str = r#"trap "" INT TERM; cat > /dev/null; kill -KILL "$(cat "$1/pid")" 2> /dev/null; rm -rf "$1""#;

/// A running broker.
#[derive(Debug)]
pub struct Broker {
    dir: PathBuf,
    arguments: Vec<String>,
    address: String,
    watchman: Child,
}

impl Broker {
    /// A broker of its own on a free port, in about 4 s.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more arguments for `scripts/kafka start`, such as `--sasl`.
    pub fn start_with(arguments: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("millpipe-broker-").tempdir().unwrap().keep();
        let watchman =
            Command::new("sh").args(["-c", WATCHMAN, "watchman"]).arg(&dir).stdin(Stdio::piped()).spawn().unwrap();
        let arguments = arguments.iter().map(|&a| a.to_owned()).collect();
        let mut broker = Self { dir, arguments, address: String::new(), watchman };
        broker.restart();
        broker
    }

    /// One broker for all tests of this process.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Broker> = LazyLock::new(Broker::start);
        &SHARED
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The address that wants user `tester` and password `tester-secret` (with `--sasl`).
    pub fn sasl_address(&self) -> String {
        fs::read_to_string(self.dir.join("sasl-address")).unwrap().trim().to_owned()
    }

    /// Makes a topic.
    pub fn topic(&self, name: &str, partitions: u32) {
        self.script(&["topic", name, &partitions.to_string()]);
    }

    /// Ends the broker at once, as a power cut does. Its data stays for a [`Broker::restart`].
    pub fn kill(&self) {
        let pid = fs::read_to_string(self.dir.join("pid")).unwrap();
        let killed = Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap();
        assert!(killed.success());
        // It takes a while to give its memory back, and until then a start would find it running.
        let cmdline = Path::new("/proc").join(pid.trim()).join("cmdline");
        wait_until("the broker is gone", || fs::read(&cmdline).map_or(true, |words| words.is_empty()));
    }

    /// Starts it again on the same port.
    pub fn restart(&mut self) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.script(&[&["start"], &arguments[..]].concat());
        self.address = fs::read_to_string(self.dir.join("address")).unwrap().trim().to_owned();
    }

    fn script(&self, arguments: &[&str]) {
        let ran = Command::new(root().join("scripts/kafka"))
            .args(arguments)
            .arg("--dir")
            .arg(&self.dir)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "scripts/kafka {arguments:?}: {stderr}");
    }

    /// Where the broker keeps its data and log.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.watchman.stdin.take());
        let _ = self.watchman.wait();
    }
}
