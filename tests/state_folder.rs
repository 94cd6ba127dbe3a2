//! What can be wrong with a state folder: each a clear message, the right exit code, and no damage.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};

use testkit::{Ran, bash};

const TOOLS: [&str; 5] = ["generate", "window", "aggregate", "file-cat-out", "state"];

/// A pipeline that was stopped in the middle, with all that it left.
struct Stopped {
    dir: tempfile::TempDir,
}

/// `RATE` makes it slower, and changes nothing else.
const JOB: &str = "generate -n 30000 --rate ${RATE-30000}/s --event-rate 30000/s --keys 5 --exactly-once --state state --interval 50ms \\
    | window --size 1s --lateness 1ms | aggregate --by key n=count total=sum:value | file-cat-out result";

impl Stopped {
    fn new() -> Self {
        let stopped = Self { dir: tempfile::tempdir().unwrap() };
        stopped.run(&stopped_when("[[ -s state/committed ]]", "")).ok();
        assert!(stopped.committed().contains("\"id\""));
        stopped
    }

    fn run(&self, script: &str) -> Ran {
        bash(&TOOLS, &format!("cd {}\n{script}", self.dir.path().display()))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn committed(&self) -> String {
        fs::read_to_string(self.path("state/committed")).unwrap()
    }

    /// The file with the committed state of a stage.
    fn snapshot(&self, stage: &str) -> PathBuf {
        let committed: serde_json::Value = serde_json::from_str(&self.committed()).unwrap();
        self.path(&format!("state/{stage}/{}.ndjson", committed["id"].as_str().unwrap()))
    }

    /// The pipeline goes on and gives what it should.
    fn goes_on(&self) {
        self.run(JOB).ok();
        let script = "generate -n 30000 --event-rate 30000/s --keys 5 | window --size 1s --lateness 1ms | aggregate --by key n=count total=sum:value";
        let expected = self.run(script).ok();
        assert_eq!(self.result(), expected);
    }

    fn result(&self) -> String {
        let mut parts: Vec<_> = fs::read_dir(self.path("result")).unwrap().map(|part| part.unwrap().path()).collect();
        parts.retain(|path| path.extension().is_some());
        parts.sort();
        parts.iter().map(|part| fs::read_to_string(part).unwrap()).collect()
    }
}

/// The job in the background, slow; when the condition holds, something else, and then a stop.
fn stopped_when(condition: &str, then: &str) -> String {
    let with_pid = JOB.replacen("generate", "(echo $BASHPID > pid; exec generate", 1).replace("50ms", "50ms)");
    format!(
        "(RATE=1000; {with_pid}) 2> first & job=$!
         until {condition}; do kill -0 $job; sleep 0.02; done
         {then}
         kill -TERM $(cat pid); wait $job"
    )
}

/// Fails with this code and these words on stderr, and leaves what is committed as it was.
fn refused(stopped: &Stopped, script: &str, code: i32, words: &[&str]) {
    let before = (stopped.committed(), stopped.result());
    let ran = stopped.run(&format!("{script} || rc=(\"${{PIPESTATUS[@]}}\")\nprintf '%s\\n' \"${{rc[@]}}\""));
    assert!(ran.stdout.lines().any(|line| line == code.to_string()), "exit codes:\n{}\n{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "no {word:?} in:\n{}", ran.stderr);
    }
    assert_eq!((stopped.committed(), stopped.result()), before);
}

#[test]
fn a_stopped_pipeline_goes_on() {
    Stopped::new().goes_on();
}

#[test]
fn other_flags_are_told_with_both() {
    let stopped = Stopped::new();
    refused(
        &stopped,
        &JOB.replace("--by key", "--by path"),
        1,
        &["aggregate: ", "made with other flags", ".path", "hint: "],
    );
    refused(&stopped, &JOB.replace("--size 1s", "--size 2s"), 1, &["window: ", "made with other flags", "--size 2s"]);
    refused(&stopped, &JOB.replace("--keys 5", "--keys 6"), 1, &["generate: ", "made with other flags", "--keys 6"]);
    stopped.goes_on();
}

#[test]
fn a_snapshot_that_is_missing_is_named() {
    let stopped = Stopped::new();
    let snapshot = stopped.snapshot("3-aggregate");
    fs::rename(&snapshot, stopped.path("kept")).unwrap();
    refused(&stopped, JOB, 1, &["aggregate: ", "3-aggregate", "there is no such snapshot", "hint: "]);
    fs::rename(stopped.path("kept"), snapshot).unwrap();
    stopped.goes_on();
}

#[test]
fn a_snapshot_that_is_damaged_is_named() {
    let stopped = Stopped::new();
    for stage in ["1-generate", "2-window", "3-aggregate"] {
        let snapshot = stopped.snapshot(stage);
        let good = fs::read(&snapshot).unwrap();
        for at in [0, good.len() / 2, good.len() - 3] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&snapshot, &bad).unwrap();
            refused(&stopped, JOB, 1, &[stage, "hint: state check"]);
        }
        fs::write(&snapshot, &good[..good.len() - 20]).unwrap();
        refused(&stopped, JOB, 1, &[stage]);
        let checked = stopped.run("state check state");
        assert!(checked.code == Some(1) && (checked.stdout.clone() + &checked.stderr).contains(stage), "{checked:?}");
        fs::write(&snapshot, &good).unwrap();
    }
    stopped.goes_on();
}

#[test]
fn the_folder_of_another_pipeline_does_not_fit() {
    let (one, other) = (Stopped::new(), Stopped::new());
    let foreign = other.path("state");
    let script = JOB.replace("--state state", &format!("--state {}", foreign.display()));
    refused(&one, &script, 75, &["file-cat-out: this run goes on from", "hint: "]);
    let empty = JOB.replace("--state state", "--state new");
    for _ in 0..2 {
        refused(
            &one,
            &empty,
            1,
            &["is committed in the output, and", "/new\" has no state of it", "and another output"],
        );
    }
    one.goes_on();
}

#[test]
fn a_second_pipeline_on_the_folder_is_refused_with_the_pid_of_the_first() {
    let stopped = Stopped::new();
    let script = stopped_when("[[ $(cat state/run) != \"$before\" ]]", &format!("({JOB}) || true"));
    let ran = stopped.run(&format!("before=$(cat state/run)\n{script}"));
    assert!(ran.stderr.contains("generate: ") && ran.stderr.contains("in use by process "), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(stopped.path("first")).unwrap(), "");
    stopped.goes_on();
}

#[test]
fn a_disk_that_is_full_stops_the_stage_whose_state_it_was_and_a_restart_goes_on() {
    let stopped = Stopped::new();
    // The limit on the size of files stands for the disk: a stage's snapshot does not fit.
    let full = JOB
        .replace("| aggregate --by key", "| (trap '' XFSZ; ulimit -f 0; exec aggregate --by key")
        .replace("value |", "value) |");
    let before = stopped.result();
    let ran = stopped.run(&format!("{full} || echo \"${{PIPESTATUS[@]}}\""));
    assert!(ran.stdout.contains("75"), "{ran:?}");
    assert!(ran.stderr.contains("aggregate: ") && ran.stderr.contains("3-aggregate"), "{}", ran.stderr);
    assert_eq!(stopped.result(), before, "nothing is committed without its state");
    stopped.goes_on();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let stopped = Stopped::new();
    refused(
        &stopped,
        &JOB.replace("--state state", "--state result/.millpipe/manifest/x"),
        1,
        &["generate: ", "result/.millpipe/manifest"],
    );
    refused(&stopped, &JOB.replace("--state state", "--state /proc/state"), 1, &["generate: /proc/state: "]);
    stopped.goes_on();
}

#[test]
fn the_state_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let stopped = Stopped::new();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&stopped.path("state")), 0o700);
    assert_eq!(mode(&stopped.snapshot("2-window")) & 0o077, 0);
}
