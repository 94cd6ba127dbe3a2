//! Runs the shell blocks of a page as a reader would: in a folder of its own, with the tools on the PATH.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use testkit::{Broker, HANGS_AFTER, Rest};

use crate::{root, tools};

/// Pages name these brokers; the test puts its own in their place.
const BROKERS: [&str; 3] = ["localhost:9092", "one:9092", "two:9092"];

/// A script that never ends and never rests gets its Ctrl-C when it has used this much of a processor: on any machine it has done
/// some work by then.
const BUSY_AT_MOST: Duration = Duration::from_secs(10);

/// A script that waits for a broker, or for its turn on a busy machine, rests for a while too. So this many looks must find it at rest,
/// but not all in a row, because a script that gets a line now and then never rests for long.
const PATIENT_LOOKS: u32 = 10;

/// Between two looks at what runs.
const LOOK: Duration = Duration::from_millis(5);
const REST_LOOK: Duration = Duration::from_millis(50);

/// The folder in which the blocks of one section run, one after the other.
pub struct Folder {
    dir: TempDir,
    broker: Option<String>,
}

/// The result of a block: its exit status, and the text that a terminal would have shown.
#[derive(Debug)]
pub struct Ran {
    pub status: ExitStatus,
    pub shown: String,
    /// It did not end by itself, as it said it would not.
    pub stopped: bool,
}

impl Ran {
    /// Ended well, by itself or, when it was to, by Ctrl-C.
    pub fn is_good(&self) -> bool {
        self.status.success() || (self.stopped && self.status.code() == Some(130))
    }
}

impl Folder {
    /// With the project's scripts and examples at hand, as in its root.
    pub fn new(broker: Option<&Broker>) -> Self {
        let dir = tempfile::Builder::new().prefix("millpipe-docs-").tempdir().unwrap();
        for name in ["scripts", "examples", "bench", "docs"] {
            symlink(root().join(name), dir.path().join(name)).unwrap();
        }
        fs::create_dir(dir.path().join("home")).unwrap();
        Self { dir, broker: broker.map(|broker| broker.address().to_owned()) }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs one block. One that says "until Ctrl-C" gets it when it has nothing more to do.
    pub fn run(&self, script: &str) -> Ran {
        self.run_once(script, script.contains("Ctrl-C"))
    }

    /// Runs an example that may or may not end by itself: when it has nothing more to do it gets a Ctrl-C.
    pub fn try_out(&self, script: &str) -> Ran {
        self.run_once(script, true)
    }

    fn run_once(&self, script: &str, goes_on: bool) -> Ran {
        let script = match &self.broker {
            Some(address) => BROKERS.iter().fold(script.to_owned(), |script, broker| script.replace(broker, address)),
            None => script.to_owned(),
        };
        let shown_file = self.path().join("home/shown");
        let mut child = self.spawn(&script, &shown_file);
        let stopped = goes_on && !ends_or_rests(&mut child);
        if stopped {
            signal_group(&child, Signal::INT);
        }
        let status = wait(&mut child).unwrap_or_else(|| {
            signal_group(&child, Signal::KILL);
            child.wait().unwrap()
        });
        let mut shown = String::from_utf8_lossy(&fs::read(&shown_file).unwrap()).into_owned();
        if let Some(address) = &self.broker {
            shown = shown.replace(address, BROKERS[0]);
        }
        Ran { status, shown, stopped }
    }

    fn spawn(&self, script: &str, shown: &Path) -> Child {
        let out = File::create(shown).unwrap();
        Command::new("bash")
            .args(["-c", &format!("set -euo pipefail\n{script}")])
            .current_dir(self.path())
            .env("PATH", format!("{}:{}", binaries().display(), std::env::var("PATH").unwrap()))
            .env("TMPDIR", self.path().join("home"))
            .env("LC_ALL", "C.UTF-8")
            .env_remove("MILLPIPE_METRICS")
            .stdin(Stdio::null())
            .stderr(out.try_clone().unwrap())
            .stdout(out)
            .process_group(0)
            .spawn()
            .unwrap()
    }
}

/// True when a script needs the broker.
pub fn wants_broker(script: &str) -> bool {
    BROKERS.iter().any(|broker| script.contains(broker))
}

/// Returns true when the script has ended, false when it has nothing more to do, or continues to work.
fn ends_or_rests(child: &mut Child) -> bool {
    let until = Instant::now() + HANGS_AFTER;
    let (mut rest, mut rested) = (Rest::default(), 0);
    while Instant::now() < until && rested < PATIENT_LOOKS && rest.used() <= BUSY_AT_MOST {
        thread::sleep(REST_LOOK);
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        rested += u32::from(rest.look(&group(child.id())));
    }
    false
}

/// The processes of a group, and those that they have started in groups of their own, as crash-test does.
fn group(id: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let processes: Vec<[u32; 3]> = processes
        .filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(process.path().join("stat")).ok()?;
            let mut after_the_name = stat.rsplit_once(") ")?.1.split(' ').skip(1);
            let mut number = || after_the_name.next()?.parse().ok();
            Some([pid, number()?, number()?])
        })
        .collect();
    let mut members: Vec<u32> = processes.iter().filter(|[_, _, group]| *group == id).map(|[pid, ..]| *pid).collect();
    let mut looked = 0;
    while let Some(&parent) = members.get(looked) {
        looked += 1;
        for [pid, its_parent, _] in &processes {
            if *its_parent == parent && !members.contains(pid) {
                members.push(*pid);
            }
        }
    }
    members
}

/// Nothing when it hangs.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let until = Instant::now() + HANGS_AFTER;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(LOOK);
    }
    None
}

fn signal_group(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let _ = kill_process_group(pid, signal);
}

/// The folder with all tools and the one of docs/adding-a-tool.md, freshly built.
fn binaries() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let tools = tools();
        let names = tools.iter().map(clap::Command::get_name).chain(["thin"]);
        let built: Vec<PathBuf> = names.map(testkit::bin).collect();
        built[0].parent().unwrap().to_owned()
    });
    &FOLDER
}
