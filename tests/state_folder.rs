//! What can be wrong with a state folder: each a clear message, the right exit code, and no damage.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use testkit::{Ran, bash};

const TOOLS: [&str; 6] = ["generate", "window", "aggregate", "parallel-map", "file-cat-out", "state"];

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
    let words = ["is committed in the output, and", "an older copy or that of another pipeline", "another output"];
    for _ in 0..2 {
        refused(&one, &script, 1, &words);
    }
    other.goes_on();
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

/// The stage cannot end by itself: it is blocked in a write to the sink, which waits for its snapshot.
#[test]
fn a_stage_that_cannot_save_its_state_does_not_stand_still_before_a_sink_that_waits_for_it() {
    let stopped = Stopped::new();
    let flood = "generate -n 3000000 --keys 5 --exactly-once --state new --interval 50ms \\
        | (trap '' XFSZ; ulimit -f 0; exec window --size 1s --lateness 1ms) | file-cat-out new-result";
    let begun = Instant::now();
    let ran = stopped.run(&format!("{flood} || echo \"code ${{PIPESTATUS[2]}}\""));
    // A sink that waits in vain gives up after a minute of pauses.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert!(ran.stdout.contains("code 75"), "{ran:?}");
    assert!(ran.stderr.contains("window: ") && ran.stderr.contains("File too large"), "{}", ran.stderr);
}

#[test]
fn a_state_folder_that_is_removed_while_the_pipeline_runs_ends_it_with_75() {
    // Whole, and file by file.
    for removed in ["state", "state/3-aggregate", "state/3-aggregate/*"] {
        let stopped = Stopped::new();
        let job = JOB.replace("-n 30000", "-n 3000000");
        let ran = stopped.run(&format!(
            "rm state/sink; ({job}) & until [[ -e state/sink && state/committed -nt state/sink ]]; do sleep 0.01; done
            # Somebody may write there meanwhile.
            while rm -rf {removed} || true; [[ {removed} == *'*' ]] && kill -0 $!; do sleep 0.01; done
            wait $! || echo \"code $?\""
        ));
        assert!(ran.stdout.contains("code 75"), "{removed}: {ran:?}");
        // Or just while a snapshot was on its way there.
        let is_told = [": removed while the pipeline ran", ": removed while it was being written"];
        assert!(is_told.iter().any(|told| ran.stderr.contains(told)), "{removed}: {}", ran.stderr);
    }
}

#[test]
fn a_state_folder_of_a_backup_is_told_to_be_older_than_the_output() {
    let stopped = Stopped::new();
    stopped.run("cp -r state backup; cp -r state newest").ok();
    stopped.run(&JOB.replace("--interval 50ms", "--interval 50ms --no-drain")).ok();
    stopped.run("rm -r newest; mv state newest; mv backup state").ok();
    let words = [
        "file-cat-out: ",
        "an older copy or that of another pipeline",
        "state save ",
        "NEW, then --state NEW, another output",
    ];
    for _ in 0..2 {
        refused(&stopped, JOB, 1, &words);
    }
    // Both ways that the message names.
    let elsewhere =
        JOB.replace("--state state", "--state copy").replace("file-cat-out result", "file-cat-out result-of-copy");
    stopped.run(&format!("state save state copy; {elsewhere}")).ok();
    stopped.run("rm -r state; mv newest state").ok();
    stopped.goes_on();
}

#[test]
fn a_stage_that_is_put_in_between_and_names_given_later_keep_the_state() {
    let stopped = Stopped::new();
    let changed =
        JOB.replace("| window", "| parallel-map -j 1 . | window --as w").replace("aggregate", "aggregate --as totals");
    let hints = [
        "window: hint: a stage that has moved, or has another name, keeps its state so: state save /",
        "/state NEW --rename 2-window=w, then --state NEW",
        "/state NEW --rename 3-aggregate=totals, then --state NEW",
        "folders that have it: 1-generate, 2-window, 3-aggregate",
    ];
    refused(&stopped, &changed, 1, &hints);
    stopped.run("state save state NEW --rename 2-window=w --rename 3-aggregate=totals").ok();
    let expected = "generate -n 30000 --rate 30000/s --keys 5 | window --size 1s --lateness 1ms | aggregate --by key n=count total=sum:value";
    stopped.run(&changed.replace("--state state", "--state NEW")).ok();
    assert_eq!(stopped.result(), stopped.run(expected).ok());
    // Places move too, all at once.
    let again = Stopped::new();
    again.run("state save state NEW --rename 2-window=3-window --rename 3-aggregate=4-aggregate").ok();
    let moved = JOB.replace("| window", "| parallel-map -j 1 . | window").replace("--state state", "--state NEW");
    again.run(&moved).ok();
    assert_eq!(again.result(), again.run(expected).ok());
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
