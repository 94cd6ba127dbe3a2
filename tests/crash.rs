//! The standard job under `crash-test`, for the tests beside this file.
//!
//! By itself each test does about ten kills in well under a minute. The long form is, for so many kills of these kinds on
//! so many lines (the kinds as in `crash-test --what`, else each test's own):
//!
//! ```sh
//! MILLPIPE_KILLS=100 MILLPIPE_WHAT=any MILLPIPE_JOB_LINES=2000000 \
//!     scripts/test -p pipelines --test exactly_once_kafka -- --nocapture
//! ```
#![allow(dead_code)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;
use testkit::{Ran, bash, shared};

/// The job of README: `| window | pace | aggregate |`.
pub const STAGES: &str = "window --size 10s --time timestamp --lateness 2s | pace \
    | aggregate --by key count sum:value avg:value min:value max:value p50:value p90:value p95:value p99:value";

/// While kills are to come, a foreign program that lets 16 KiB pass and pauses: so the job is long enough for all of them, and
/// the pipes before it are full. When they are done nothing slows it down. `print` writes what a stop in the middle of a write
/// has left.
const PACE: &str = "pace() {
    if [[ $CRASH_TEST_KILLS_LEFT == 0 ]]; then cat
    else perl -e '$| = 1; while (sysread STDIN, $b, 16384) { print $b; select undef, undef, undef, PAUSE_S }'
    fi
}";
const BLOCK_BYTES: u64 = 16_384;
/// What a line is behind `window`, about.
const LINE_BYTES: u64 = 200;
/// How much time the job has for each kill: several times what a start takes on a quiet machine.
const FLOW_PER_KILL_MS: u64 = 1800;

const LINES: u64 = 500_000;

pub fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().map_or(default, |n| n.parse().unwrap())
}

/// The job's data and its right result, made once for all tests of a process.
struct Data {
    folder: TempDir,
    check: PathBuf,
    lines: u64,
}

impl Data {
    /// Nothing where the shared data is missing, which is an error in CI.
    fn shared() -> Option<&'static Self> {
        static DATA: LazyLock<Option<Data>> = LazyLock::new(Data::make);
        DATA.as_ref()
    }

    fn make() -> Option<Self> {
        let makers = shared("job/gen.py")?.parent().unwrap().to_owned();
        let data = Self {
            folder: tempfile::tempdir().unwrap(),
            check: makers.join("check.py"),
            lines: number("MILLPIPE_JOB_LINES", LINES),
        };
        let (makers, lines, dir) = (makers.display(), data.lines, data.folder.path().display());
        bash(
            &[],
            &format!("python3 {makers}/gen.py {lines} {dir}/in; python3 {makers}/oracle.py {dir}/in {dir}/oracle"),
        )
        .ok();
        Some(data)
    }
}

/// A folder in which the job runs, with the files `in` and `oracle`.
pub struct Job {
    folder: TempDir,
    data: &'static Data,
    pub kills: u64,
}

impl Job {
    pub fn new(kills: u64) -> Option<Self> {
        let data = Data::shared()?;
        let job = Self { folder: tempfile::tempdir().unwrap(), data, kills: number("MILLPIPE_KILLS", kills) };
        for file in ["in", "oracle"] {
            symlink(data.folder.path().join(file), job.path().join(file)).unwrap();
        }
        Some(job)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A script with tools, in the job's folder.
    pub fn run(&self, tools: &[&str], script: &str) -> Ran {
        bash(tools, &format!("cd {}\n{script}", self.path().display()))
    }

    /// Kills this pipeline; what `crash-test` reports. It must have done all kills and found the output the
    /// same as the undisturbed run's.
    pub fn survives(&self, tools: &[&str], pipeline: &str, what: &str, flags: &str) -> Value {
        let pace = Pace { kills: self.kills, slower: 1, bytes: self.data.lines * LINE_BYTES };
        survives(self.path(), &pace, tools, pipeline, what, flags)
    }

    /// What the oracle says of a file in the job's folder, which has one line for each cell.
    pub fn is_exact(&self, result: &str) {
        let verdict = self.run(&[], &format!("python3 {} oracle {result}", self.data.check.display())).ok();
        assert!(verdict.contains("\"verdict\": \"exact\""), "{verdict}");
    }
}

/// How slow `pace` has to be in a pipeline.
pub struct Pace {
    pub kills: u64,
    /// So many times slower than the usual job, for one that has little input.
    pub slower: u64,
    /// How much goes through it.
    pub bytes: u64,
}

/// Kills a pipeline, of which `pace` is a stage, in a folder; what `crash-test` reports.
pub fn survives(dir: &Path, pace: &Pace, tools: &[&str], pipeline: &str, what: &str, flags: &str) -> Value {
    let Pace { kills, slower, bytes } = *pace;
    let pause_s = (slower * kills * FLOW_PER_KILL_MS) as f64 / 1000.0 * BLOCK_BYTES as f64 / bytes as f64;
    let pace = PACE.replace("PAUSE_S", &format!("{pause_s:.6}"));
    fs::write(dir.join("job.sh"), format!("set -euo pipefail\n{pace}\n{pipeline}\n")).unwrap();
    let script = format!(
        "crash-test -v --kills {kills} --what {what} --dir {dir}/runs {flags} -- {dir}/job.sh || {{ tail {dir}/runs/*.log >&2; exit 1; }}",
        what = std::env::var("MILLPIPE_WHAT").unwrap_or(what.to_owned()),
        dir = dir.display(),
    );
    // In the project's root, where scripts/kafka is.
    let ran = bash(&[&["crash-test"], tools].concat(), &script);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["kills"]["done"].as_u64(), Some(kills), "{report}");
    println!("{report}");
    report
}
