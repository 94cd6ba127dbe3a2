//! The binary with real commands.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::{Ran, run, wait_for_rest, wait_until};

const BIN: &str = env!("CARGO_BIN_EXE_exec-cat-out");

/// A folder with a state folder, in which commands run.
struct Scene {
    dir: TempDir,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("state")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs with a shell script as the command, in the folder.
    fn run(&self, flags: &[&str], script: &str, input: &str) -> Ran {
        let script = self.script(script);
        run(BIN, &[flags, &["--", "bash", "-c", &script]].concat(), input)
    }

    fn start(&self, flags: &[&str], script: &str) -> Child {
        let command = ["--", "bash", "-c", &self.script(script)];
        Command::new(BIN).args(flags).args(command).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn script(&self, script: &str) -> String {
        format!("cd {} && {{ {script}; }}", self.dir.path().display())
    }

    /// The first line of a stream of this run that goes on from a checkpoint.
    fn hello(&self, run: &str, restore: Option<&str>) -> String {
        let state = self.path("state");
        let restore = restore.map_or("null".to_owned(), |id| format!("{{\"id\":\"{id}\",\"positions\":{{}}}}"));
        format!(
            "{{\"$\":\"hello\",\"v\":1,\"run\":\"{run}\",\"hop\":1,\"state\":\"{}\",\"restore\":{restore},\"sink\":null,\"interval_ms\":1000}}\n",
            state.display()
        )
    }
}

fn barrier(id: &str, lines: usize) -> String {
    format!(
        "{{\"$\":\"barrier\",\"id\":\"{id}\",\"lines\":{lines},\"positions\":{{}},\"hops\":[\"source\"],\"snapshots\":[]}}\n"
    )
}

const END: &str = "{\"$\":\"end\",\"lines\":0,\"drain\":false}\n";
/// Notes the epoch's id and its lines.
const NOTE: &str = "{ echo \"$CHECKPOINT_ID:\"; cat; } >> log";

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for args in [&[][..], &["cat"], &["--max-epoch", "7", "--", "cat"], &["--timeout", "7", "--", "cat"]] {
        assert_eq!(run(BIN, args, "").code, Some(2), "{args:?}");
    }
}

#[test]
fn a_plain_stream_is_one_epoch() {
    let scene = Scene::new();
    scene.run(&[], NOTE, "1\n2\n").ok();
    assert_eq!(scene.text("log"), ":\n1\n2\n");
    scene.run(&[], NOTE, "").ok();
    assert_eq!(scene.text("log"), ":\n1\n2\n", "no lines, no run");
    scene.run(&["--empty"], NOTE, "").ok();
    scene.run(&["--empty"], NOTE, "{\"$\":\"watermark\",\"time\":null}\n").ok();
    assert_eq!(scene.text("log"), ":\n1\n2\n", "nor for a source that has failed before it said anything");
    scene.run(&[], NOTE, "1\nno\n").fails_with(1, "line 2, byte 2: not JSON");
    assert_eq!(scene.text("log"), ":\n1\n2\n", "all of it or nothing");
}

#[test]
fn lines_of_a_plain_stream_wait_where_nobody_else_reads_them() {
    let scene = Scene::new();
    let folder = "folder=$(dirname $(readlink /proc/self/fd/0)); stat -c %a $folder $(readlink /proc/self/fd/0) > log";
    for umask in ["0", "22", "77"] {
        let command = format!("umask {umask}; exec {BIN} -- bash -c '{}'", scene.script(folder));
        run("bash", &["-c", &command], "1\n").ok();
        assert_eq!(scene.text("log"), "700\n600\n", "umask {umask}");
    }
}

#[test]
fn what_the_command_writes_is_our_output() {
    assert_eq!(Scene::new().run(&["--text"], "cat", "a\n").ok(), "a\n");
}

#[test]
fn each_epoch_with_lines_is_given_under_its_id() {
    let scene = Scene::new();
    let input =
        [&scene.hello("r", None), "1\n2\n", &barrier("r.1", 2), &barrier("r.2", 0), "3\n", &barrier("r.3", 1), END];
    let ran = scene.run(&["-v"], NOTE, &input.concat());
    assert!(ran.stderr.contains("in 3 = out 3 + late 0 + rejected 0 + held 0"), "{}", ran.stderr);
    ran.ok();
    assert_eq!(scene.text("log"), "r.1:\n1\n2\nr.3:\n3\n");
    assert!(scene.text("state/committed").contains("\"id\":\"r.3\",\"sink\":\"command\""));
}

#[test]
fn empty_epochs_are_given_when_asked_for() {
    let scene = Scene::new();
    let input = [&scene.hello("r", None), &barrier("r.1", 0)[..], "1\n", &barrier("r.2", 1), END].concat();
    scene.run(&["--empty"], NOTE, &input).ok();
    assert_eq!(scene.text("log"), "r.1:\nr.2:\n1\n");
}

#[test]
fn a_rejected_line_ends_it_with_a_way_out_that_there_is() {
    let scene = Scene::new();
    let reject = "{\"$\":\"reject\",\"by\":\"window\",\"why\":\"late\",\"at\":\"line 7\",\"line\":\"1\"}\n";
    for (line, said) in [(reject, "window rejected line 7: late"), ("{x\n", "exec-cat-out rejected line 2: not JSON")] {
        let ran = scene.run(&[], NOTE, &[&scene.hello("r", None), line].concat());
        assert!(ran.stderr.contains("hint: no rejected line can be kept here: give that stage --on-error skip"));
        assert!(!ran.stderr.contains("--dead-letter"), "{}", ran.stderr);
        ran.fails_with(1, said);
    }
}

#[test]
fn an_epoch_that_was_refused_comes_again_before_all_else() {
    let scene = Scene::new();
    let fails_once = format!("{NOTE}; [ -e fine ]");
    let first = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), "2\n", &barrier("r.2", 1), END].concat();
    let ran = scene.run(&[], &fails_once, &first);
    assert!(ran.stderr.contains("hint: at the next start it gets the same lines again"), "{}", ran.stderr);
    ran.fails_with(75, "exec-cat-out: bash exited with status 1 with the lines of r.1");
    fs::write(scene.path("fine"), "").unwrap();
    let stale = [&scene.hello("s", None), "1\n", &barrier("s.1", 1), END].concat();
    scene.run(&[], &fails_once, &stale).fails_with(75, "this run goes on from nothing, but r.1 is committed");
    let next = [&scene.hello("t", Some("r.1")), "2\n", &barrier("t.1", 1), END].concat();
    scene.run(&[], &fails_once, &next).ok();
    assert_eq!(scene.text("log"), "r.1:\n1\nr.1:\n1\nt.1:\n2\n");
}

#[test]
fn retries_are_with_the_same_id_and_lines() {
    let scene = Scene::new();
    let input = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), END].concat();
    let third_time = format!("{NOTE}; [ $(grep -c : log) = 3 ]");
    scene.run(&["--retries", "2"], &third_time, &input).ok();
    assert_eq!(scene.text("log"), "r.1:\n1\n".repeat(3));
    let plain = scene.run(&["--retries", "1"], "exit 3", "1\n");
    plain.fails_with(75, "bash exited with status 3, tried 2 times");
    scene.run(&[], "kill -9 $$", "1\n").fails_with(75, "bash was killed by signal 9");
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let missing = run(BIN, &["--", "no-such-command"], "1\n");
    missing.fails_with(1, "exec-cat-out: cannot start \"no-such-command\": No such file or directory");
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_that_it_has_started() {
    let scene = Scene::new();
    let begun = Instant::now();
    let slow = scene.run(&["--timeout", "300ms"], "sleep 100 & echo $! > pid; wait", "1\n");
    slow.fails_with(75, "bash did not end within 300ms (--timeout)");
    assert!(begun.elapsed() < Duration::from_secs(90));
    wait_until("the sleep has ended", || has_ended(&scene.text("pid")));
    scene.run(&["--timeout", "1m"], NOTE, "1\n").ok();
}

#[test]
fn an_epoch_that_is_too_large_stops_the_run() {
    let scene = Scene::new();
    let ran = scene.run(&["--max-epoch", "10B"], NOTE, "11111\n22222\n");
    assert!(ran.stderr.contains("hint: a shorter --interval"), "{}", ran.stderr);
    ran.fails_with(1, "an epoch of more than 10 bytes (--max-epoch)");
    assert_eq!(scene.text("log"), "");
}

#[test]
fn a_command_does_not_outlive_us_and_a_new_run_waits_for_what_it_had_started() {
    let scene = Scene::new();
    // The command itself dies with us; the process that it has started goes on for a while, as a transaction would.
    let slow = "cat > taken; (sleep 1; echo late >> log) & echo $$ > pid; wait";
    let mut first = scene.start(&[], slow);
    let input = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), END].concat();
    first.stdin.as_mut().unwrap().write_all(input.as_bytes()).unwrap();
    wait_until("the command runs", || scene.text("pid").ends_with('\n'));
    first.kill().unwrap();
    first.wait().unwrap();
    wait_until("the command has ended too", || has_ended(&scene.text("pid")));
    let next = [&scene.hello("s", None), END].concat();
    scene.run(&[], NOTE, &next).fails_with(75, "r.1 is committed");
    assert_eq!(scene.text("log"), "late\nr.1:\n1\n");
}

#[test]
fn a_second_one_on_the_same_state_is_refused() {
    let scene = Scene::new();
    let mut first = scene.start(&[], NOTE);
    let hello = scene.hello("r", None);
    first.stdin.as_mut().unwrap().write_all(hello.as_bytes()).unwrap();
    let said = format!("in use by process {}", first.id());
    wait_for_rest(&[first.id()]);
    let second = scene.run(&[], NOTE, &format!("{}{END}", scene.hello("s", None)));
    assert!(second.stderr.contains(&said), "{}", second.stderr);
    first.stdin.as_mut().unwrap().write_all(END.as_bytes()).unwrap();
    assert!(first.wait().unwrap().success());
}

#[test]
fn an_epoch_that_was_lost_is_an_error() {
    let scene = Scene::new();
    let input = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), END].concat();
    scene.run(&[], "exit 1", &input).fails_with(75, "status 1");
    fs::write(scene.path("state/exec-cat-out/r.1.epoch"), "").unwrap();
    let next = [&scene.hello("s", Some("r.1")), END].concat();
    scene.run(&[], NOTE, &next).fails_with(1, "r.1.epoch: 0 bytes, it should be 2");
    fs::write(scene.path("state/exec-cat-out/ledger"), "{").unwrap();
    scene.run(&[], NOTE, &next).fails_with(1, "exec-cat-out/ledger: damaged");
}

/// A process that nobody has waited for has ended too.
fn has_ended(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}
