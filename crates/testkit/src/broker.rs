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
/// A pid file's number can be another process's by then: one with the folder in its command line is the broker.
const WATCHMAN: &str = r#"trap "" INT TERM; cat > /dev/null; pid=$(cat "$1/pid" 2> /dev/null)
{ tr "\0" "\n" < "/proc/$pid/cmdline"; } 2> /dev/null | grep -qxF "$(realpath "$1")/server.properties" &&
    kill -KILL "$pid" 2> /dev/null
rm -rf "$1""#;

/// A running broker.
#[derive(Debug)]
pub struct Broker {
    dir: PathBuf,
    arguments: Vec<String>,
    address: String,
    watchman: Child,
}

impl Broker {
    /// Flags of a Kafka tool that waits for a broker that comes back for as long as a start of it may take: on a busy machine that
    /// is longer than the default of `--broker-timeout`.
    pub const PATIENT: [&'static str; 2] = ["--broker-timeout", "5m"];

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn status(temporary: &Path, arguments: &[&str]) -> crate::Ran {
        let mut script = Command::new(root().join("scripts/kafka"));
        script.arg("status").args(arguments).env("TMPDIR", temporary).stdin(Stdio::null());
        script.output().unwrap().into()
    }

    #[test]
    fn a_brokers_folder_that_others_could_have_made_is_not_taken() {
        let temporary = tempfile::tempdir().unwrap();
        status(temporary.path(), &[]).fails_with(1, "");
        let id = Command::new("id").arg("-u").output().unwrap().stdout;
        let default = temporary.path().join(format!("millpipe-kafka-{}", String::from_utf8(id).unwrap().trim()));
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), &default).unwrap();
        status(temporary.path(), &[]).fails_with(1, "is a link to another place");
        fs::remove_file(&default).unwrap();
        fs::create_dir(&default).unwrap();
        fs::set_permissions(&default, fs::Permissions::from_mode(0o777)).unwrap();
        status(temporary.path(), &[]).fails_with(1, "can be written by others");
        fs::set_permissions(&default, fs::Permissions::from_mode(0o755)).unwrap();
        let ran = status(temporary.path(), &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "not running\n"), "{}", ran.stderr);
    }
}
