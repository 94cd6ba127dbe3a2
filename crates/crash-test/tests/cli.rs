//! The binary on small shell pipelines that are right, or wrong in one way: it must find each.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use testkit::{Ran, bin, wait_until};

/// Enough for all kills on a machine that has other things to do.
const LINES: usize = 120;

/// Reads on behind what is committed: numbers, slowly.
const SOURCE: &str = r#"
read -r n _ 2> /dev/null < committed || n=0
while ((n < LINES)); do echo "$((++n))"; sleep 0.01; done"#;

/// A pipeline of two scripts with names of their own.
const JOB: &str = r#"set -euo pipefail
here=$PWD; cd "$CRASH_TEST_DIR"; mkdir -p output; echo "$CRASH_TEST_KILLS_LEFT" >> kills_left
"$here/source" | "$here/worker""#;

/// The same line again goes over the first one. A mv that outlives its shell for a moment moves that shell's file, and one
/// that is killed alone ends it, before the line is committed.
const IDEMPOTENT: &str = r#"
set -e
while read -r n; do
    echo "{\"n\":$n,\"key\":$((n % 7))}" > output/.$$; mv output/.$$ "output/$n"
    echo "$n" > .$$; mv .$$ committed
done"#;

/// The line is in the output, then, most of the time later, it is committed.
const AT_LEAST_ONCE: &str = r#"
while read -r n; do
    echo "{\"n\":$n}" >> output/lines; sleep 0.02
    echo "$n" > .new; mv .new committed
done"#;

/// It is committed, then, most of the time later, it is in the output.
const AT_MOST_ONCE: &str = r#"
while read -r n; do
    echo "$n" > .new; mv .new committed; sleep 0.02
    echo "{\"n\":$n}" >> output/lines
done"#;

/// Each line once, but what it remembers is gone after a kill.
const FORGETFUL: &str = r#"
while read -r n; do
    echo "{\"n\":$n,\"sum\":$((sum += n))}" > output/.new; mv output/.new "output/$n"
    echo "$n" > .new; mv .new committed
done"#;

/// What is not committed is taken back at the start: right, as long as no other one wakes up.
const UNFENCED: &str = r#"
read -r _ bytes 2> /dev/null < committed || bytes=0
truncate -s "$bytes" output/lines
while read -r n; do
    echo "{\"n\":$n}" >> output/lines
    echo "$n $(stat -c %s output/lines)" > ".$$"; mv ".$$" committed; sleep 0.01
done"#;

fn executable(script: &str) -> String {
    format!("#!/usr/bin/env bash{}", script.replace("LINES", &LINES.to_string()))
}

struct Folder(TempDir);

impl Folder {
    fn new(worker: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("job.sh", JOB);
        folder.write("source", &executable(SOURCE));
        folder.write("worker", &executable(worker));
        for name in ["source", "worker"] {
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn script(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("job.sh", text);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn command(&self, flags: &str) -> Command {
        let mut command = Command::new(bin("crash-test"));
        command.current_dir(self.path()).stdin(Stdio::null()).args(["--dir", "runs", "--stuck-after", "60s"]);
        command.args(flags.split_whitespace()).args(["--", "job.sh"]);
        command
    }

    fn run(&self, flags: &str) -> Tested {
        let ran: Ran = self.command(flags).output().unwrap().into();
        let report = serde_json::from_str(&ran.stdout).unwrap_or(Value::Null);
        Tested { ran, report }
    }
}

struct Tested {
    ran: Ran,
    report: Value,
}

impl Tested {
    fn number(&self, path: &str) -> u64 {
        let value = self.report.pointer(path).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("no {path} in {}\n{}", self.report, self.ran.stderr))
    }

    #[track_caller]
    fn has_verdict(&self, code: i32, verdict: &str) {
        assert_eq!(self.report["verdict"], verdict, "{}\n{}", self.report, self.ran.stderr);
        assert_eq!(self.ran.code, Some(code), "{}", self.ran.stderr);
    }
}

const QUICK: &str = "--kills 6 --seed 7 --between 20ms..60ms --what source,worker";

#[test]
fn a_pipeline_that_is_right_survives() {
    let folder = Folder::new(IDEMPOTENT);
    let tested = folder.run(&format!("{QUICK} -v"));
    tested.has_verdict(0, "exact");
    assert_eq!(tested.number("/kills/done"), 6);
    assert_eq!(tested.number("/lines/expected"), LINES as u64);
    assert_eq!(tested.number("/lines/got"), LINES as u64);
    assert_eq!(tested.number("/starts"), 7);
    let kills_left = |run| fs::read_to_string(folder.path().join("runs").join(run).join("kills_left")).unwrap();
    assert_eq!(kills_left("undisturbed"), "0\n");
    assert_eq!(kills_left("disturbed"), "6\n5\n4\n3\n2\n1\n0\n");
    let by_process = ["source", "worker"].map(|name| tested.report["kills"]["processes"][name].as_u64().unwrap_or(0));
    assert_eq!(by_process.iter().sum::<u64>(), 6, "{}", tested.report);
    assert!(tested.number("/flows_again_ms/count") >= 1);
    assert!(tested.ran.stderr.contains(" s: killed "), "{}", tested.ran.stderr);
}

#[test]
fn the_same_seed_kills_the_same() {
    let kinds = |seed: u64| {
        let flags = format!("--kills 4 --between 20ms..60ms --what source=1,worker=1,all=2 --seed {seed}");
        Folder::new(IDEMPOTENT).run(&flags).report["kills"]["by"].to_string()
    };
    assert_eq!(kinds(3), kinds(3));
}

#[test]
fn lost_lines_are_found() {
    let tested = Folder::new(AT_MOST_ONCE).run(&QUICK.replace("source,", ""));
    tested.has_verdict(1, "wrong");
    assert!(tested.number("/lines/lost") > 0);
    assert_eq!((tested.number("/lines/doubled"), tested.number("/lines/wrong")), (0, 0));
    assert!(tested.ran.stderr.contains("crash-test: lost: {\"n\":"), "{}", tested.ran.stderr);
    assert!(tested.ran.stderr.contains(" lines ") && tested.ran.stderr.contains("runs\n"), "{}", tested.ran.stderr);
}

#[test]
fn doubled_lines_are_found() {
    let tested = Folder::new(AT_LEAST_ONCE).run(&QUICK.replace("source,", ""));
    tested.has_verdict(1, "wrong");
    assert!(tested.number("/lines/doubled") > 0);
    assert_eq!((tested.number("/lines/lost"), tested.number("/lines/wrong")), (0, 0));
}

#[test]
fn wrong_values_are_told_from_lost_lines_by_their_key() {
    let tested = Folder::new(FORGETFUL).run(&format!("{QUICK} --by n"));
    tested.has_verdict(1, "wrong");
    assert!(tested.number("/lines/wrong") > 0);
    assert_eq!((tested.number("/lines/lost"), tested.number("/lines/doubled")), (0, 0));
    assert!(tested.ran.stderr.contains(" instead of {"), "{}", tested.ran.stderr);
}

#[test]
fn all_processes_at_once_are_killed_as_by_a_power_cut() {
    let tested = Folder::new(UNFENCED).run("--kills 5 --between 20ms..60ms --what all");
    tested.has_verdict(0, "exact");
    assert_eq!(tested.report["ends"]["SIGKILL"], 5, "{}", tested.report);
}

#[test]
fn a_zombie_that_wakes_up_beside_the_next_run_does_its_harm() {
    // All lines are in the pipe when the worker is stopped: it has something to write when it wakes up.
    let hasty = SOURCE.replace("sleep 0.01", ":");
    let job = |flags: &str| {
        let folder = Folder::new(UNFENCED);
        folder.write("source", &executable(&hasty));
        folder.run(flags)
    };
    job("--kills 4 --between 20ms..60ms --what worker").has_verdict(0, "exact");
    let tested = job("--kills 4 --between 50ms..100ms --what zombie --zombie-for 200ms");
    tested.has_verdict(1, "wrong");
    assert!(tested.number("/lines/doubled") > 0, "{}", tested.report);
}

#[test]
fn a_broker_goes_and_comes_back_by_the_users_commands() {
    let folder = Folder::new(&IDEMPOTENT.replace("read -r n; do", "read -r n; do [[ ! -e ../../down ]] || exit 75"));
    let hooks = ["--kill-command", "touch down; echo died", "--restore-command", "rm down"];
    let mut command = folder.command("--kills 3 --between 30ms..60ms --what broker --down-for 100ms..150ms");
    let ran: Ran = reordered(&mut command, &hooks).output().unwrap().into();
    let report: Value = serde_json::from_str(&ran.ok()).unwrap();
    assert_eq!(report["kills"]["by"]["broker"], 3, "{report}");
    assert!(report["ends"]["75"].as_u64().unwrap() >= 3, "{report}");
    assert!(report["flows_again_ms"]["max"].as_u64().unwrap() >= 100, "{report}");
    assert_eq!(fs::read_to_string(folder.path().join("runs/broker.log")).unwrap(), "died\n".repeat(3));
}

#[test]
fn a_command_for_the_broker_that_fails_ends_the_test() {
    let folder = Folder::new(IDEMPOTENT);
    let hooks = ["--kill-command", "exit 3", "--restore-command", "rm down"];
    let mut command = folder.command("--kills 3 --between 30ms..60ms --what broker");
    let ran: Ran = reordered(&mut command, &hooks).output().unwrap().into();
    ran.fails_with(1, "crash-test: the broker's --kill-command ended with exit code 3\ncrash-test: hint: ");
}

/// After a crash its number can be anybody's.
#[test]
fn a_pid_file_that_names_another_process_than_the_broker_kills_nobody() {
    let folder = Folder::new(IDEMPOTENT);
    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    fs::write(folder.path().join("pid"), format!("{}\n", bystander.id())).unwrap();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
    std::os::unix::fs::symlink(scripts, folder.path().join("scripts")).unwrap();
    let hooks = ["--broker-dir", folder.path().to_str().unwrap()];
    let mut command = folder.command("--kills 3 --between 30ms..60ms --what broker");
    let ran: Ran = reordered(&mut command, &hooks).output().unwrap().into();
    let lives = bystander.try_wait().unwrap().is_none();
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    assert!(lives, "it was killed");
    ran.fails_with(1, "crash-test: the broker's --kill-command ended with exit code 1");
    let said = fs::read_to_string(folder.path().join("runs/broker.log")).unwrap();
    assert!(said.contains("kafka: no broker runs in ") && said.contains(": nothing is killed"), "{said}");
}

#[test]
fn a_pipeline_that_breaks_by_itself_ends_the_test_with_its_last_words() {
    let folder = Folder::script(
        "mkdir \"$CRASH_TEST_DIR/output\"; echo 1 > \"$CRASH_TEST_DIR/output/1\"
        [[ $CRASH_TEST_RUN == undisturbed ]] || { echo 'window: no field \"x\"' >&2; exit 1; }",
    );
    let tested = folder.run("--kills 3");
    tested.has_verdict(1, "broken");
    let said = "crash-test: start 1 ended with exit code 1, and none of its processes was killed; \
                it said last: window: no field \"x\"\ncrash-test: hint: ";
    assert!(tested.ran.stderr.contains(said), "{}", tested.ran.stderr);
}

#[test]
fn an_undisturbed_run_that_fails_ends_the_test() {
    let tested = Folder::script("exit 75").run("--kills 3");
    tested.ran.fails_with(1, "crash-test: the undisturbed run ended with exit code 75; it said nothing\n");
}

#[test]
fn a_pipeline_that_hangs_is_given_up() {
    let folder = Folder::script("echo waiting; sleep 100");
    let mut command = Command::new(bin("crash-test"));
    command.current_dir(folder.path()).args(["--stuck-after", "200ms", "--", "bash", "job.sh"]);
    let ran: Ran = command.output().unwrap().into();
    ran.fails_with(1, "nothing was committed for 200ms (--stuck-after), in start 1; it said last: waiting");
}

#[test]
fn a_pipeline_that_is_over_too_soon_is_no_success() {
    let tested = Folder::new(IDEMPOTENT).run("--kills 50 --between 200ms..300ms --what worker");
    tested.has_verdict(1, "too few kills");
    assert!((1..50).contains(&tested.number("/kills/done")), "{}", tested.report);
    assert_eq!(tested.number("/lines/lost"), 0);
    assert!(tested.ran.stderr.contains(" of 50 kills\ncrash-test: hint: "), "{}", tested.ran.stderr);
}

#[test]
fn a_name_that_no_process_has_is_answered_with_those_that_are_there() {
    let tested = Folder::new(IDEMPOTENT).run("--kills 1 --between 30ms --what wroker");
    tested.has_verdict(1, "too few kills");
    assert!(tested.ran.stderr.contains("it had ") && tested.ran.stderr.contains("worker"), "{}", tested.ran.stderr);
}

#[test]
fn an_output_can_come_from_a_command_and_the_expectation_from_a_file() {
    let folder = Folder::new(IDEMPOTENT);
    let expected: String = (1..=LINES).map(|n| format!("{n}\n")).collect();
    folder.write("right", &expected);
    let mut command = folder.command("--kills 2 --between 20ms..50ms --expect right --ordered");
    let cat = "cat \"$CRASH_TEST_DIR\"/output/* | grep -o '[0-9]*,' | tr -d , | sort -n";
    let ran: Ran = reordered(&mut command, &["--output-command", cat]).output().unwrap().into();
    let report: Value = serde_json::from_str(&ran.ok()).unwrap();
    assert_eq!(report["verdict"], "exact");
    assert!(!folder.path().join("runs/undisturbed").exists());
}

/// The same command with more flags, in front of the script.
fn reordered(command: &mut Command, more: &[&str]) -> Command {
    let flags: Vec<_> = command.get_args().take_while(|arg| *arg != "--").map(ToOwned::to_owned).collect();
    let mut other = Command::new(command.get_program());
    other.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    other.args(flags).args(more).args(["--", "job.sh"]);
    other
}

#[test]
fn nothing_outlives_the_test() {
    let folder = Folder::script(
        "(setsid sleep 1000 & echo $! > daemon; env -i sleep 1000 & echo $! > orphan)
        mkdir \"$CRASH_TEST_DIR/output\"; echo 1 > \"$CRASH_TEST_DIR/output/1\"",
    );
    folder.run("--kills 0").has_verdict(0, "exact");
    for name in ["daemon", "orphan"] {
        assert!(is_gone(&folder, name), "{name} is still there");
    }
}

#[test]
fn nothing_outlives_a_test_that_is_interrupted() {
    let folder = Folder::script("setsid sleep 1000 & echo $! > new; mv new daemon; sleep 1000");
    for signal in ["TERM", "INT"] {
        let _ = fs::remove_dir_all(folder.path().join("runs"));
        let _ = fs::remove_file(folder.path().join("daemon"));
        let mut test = folder.command("--kills 1").spawn().unwrap();
        wait_until("the daemon runs", || folder.path().join("daemon").exists());
        let sent = Command::new("kill").args([format!("-{signal}"), test.id().to_string()]).status().unwrap();
        assert!(sent.success() && !test.wait().unwrap().success());
        assert!(is_gone(&folder, "daemon"), "SIG{signal}");
    }
}

/// Of a process whose number is in a file.
fn is_gone(folder: &Folder, name: &str) -> bool {
    let pid = fs::read_to_string(folder.path().join(name)).unwrap();
    fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default().is_empty()
}

#[test]
fn flags_that_make_no_sense_are_usage_errors() {
    let folder = Folder::new(IDEMPOTENT);
    for (flags, words) in [
        ("--what broker", "--what broker needs to know how to kill it\ncrash-test: hint: --broker-dir"),
        ("--broker-dir x", "commands for a broker, and --what has none"),
        ("--what any,,all", "a name is empty"),
        ("--what any=0", "say how often with a number"),
        ("--between 5", "has no unit"),
        ("--between 2s..1s", "the first one is longer"),
        ("--by a..b", "field path \"a..b\""),
        ("--what zombie --zombie-for 60s", "--zombie-for 1m and --stuck-after 1m\ncrash-test: hint: "),
        ("--output /x", "would be the same for both runs"),
        ("--expect x --output y --output-command z", "cannot be used with"),
        ("--restart-on 999", "999 is not in 0..=255"),
        ("--dir .", "cannot be used multiple times"),
    ] {
        let ran: Ran = folder.command(flags).output().unwrap().into();
        ran.fails_with(2, words);
        assert!(ran.stderr.starts_with("crash-test: "), "{}", ran.stderr);
    }
    let ran: Ran = Command::new(bin("crash-test")).output().unwrap().into();
    ran.fails_with(2, "crash-test: the following required arguments were not provided");
    fs::create_dir_all(folder.path().join("runs/old")).unwrap();
    folder.run("").ran.fails_with(2, "crash-test: --dir \"runs\" is not empty");
}

#[test]
fn a_kill_of_a_helper_that_nobody_misses_does_not_stop_the_test() {
    let folder = Folder::new(IDEMPOTENT);
    folder.write("job.sh", &JOB.replace("\"$here/source\"", "sleep 600 & \"$here/source\""));
    folder.write("source", &executable(&SOURCE.replace("0.01", "0.03")));
    let tested = folder.run("--kills 2 --between 20ms..30ms --what sleep");
    tested.has_verdict(0, "exact");
}
