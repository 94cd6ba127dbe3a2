//! What the metrics files of a pipeline say, also while it stands still.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use testkit::{Ran, bash, path_with, wait_until};

const TOOLS: [&str; 6] = ["generate", "window", "aggregate", "throttle", "filter", "file-cat-out"];

/// A pipeline that runs in a folder, with its metrics there; it is killed with all of its processes at the end.
struct Running {
    folder: tempfile::TempDir,
    child: Child,
}

impl Running {
    fn start(pipeline: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new("setsid")
            .args(["bash", "-c", &format!("set -o pipefail; {pipeline}")])
            .current_dir(folder.path())
            .env("PATH", path_with(&TOOLS))
            .env("MILLPIPE_METRICS", folder.path().join("metrics"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { folder, child }
    }

    /// The file of a stage, once it is there and is as it should be.
    fn file(&self, stage: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let mut file = Value::Null;
        wait_until(&format!("the metrics of {stage} are right"), || {
            file = read(&self.folder.path().join("metrics"), stage);
            !file.is_null() && is_right(&file)
        });
        file
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("pkill").args(["-KILL", "-s", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Runs a script in a folder of its own.
fn in_folder(script: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    bash(&TOOLS, &format!("cd '{}'; set +e +o pipefail; {script}", folder.path().display()))
}

/// Null where the stage has none yet.
fn read(dir: &Path, stage: &str) -> Value {
    let Ok(files) = fs::read_dir(dir) else { return Value::Null };
    let name = |name: &str| name.starts_with(&format!("{stage}.")) && name.ends_with(".json");
    let file = files.flatten().find(|file| file.file_name().to_str().is_some_and(name));
    let text = file.map(|file| fs::read_to_string(file.path()).unwrap_or_default());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

#[test]
fn a_stage_that_stands_still_says_so_and_since_when() {
    let running = Running::start("generate --lines 10000000 | window --size 1s --time timestamp | sleep 1000");
    // Two renewals and more since it wrote last: the file is not made by the loop.
    let window = running.file("window", |file| file["now"] == "output" && file["now_ms"].as_u64() > Some(2500));
    assert!(window["longest_wait_ms"]["output"].as_u64() > Some(2000), "{window}");
    let counts = |member: &str| window[member].as_u64().unwrap();
    assert!(counts("lines_in") > 0, "{window}");
    assert_eq!(
        counts("lines_in"),
        counts("lines_settled") + counts("lines_held") + counts("lines_left_out"),
        "{window}"
    );
    let source = running.file("generate", |file| file["now"] == "output");
    assert_eq!((&source["role"], &window["role"]), (&"source".into(), &"stage".into()));
    assert_eq!(source["out"]["pipe"], window["in"]["pipe"], "the pipe between them");
    assert!(window["in"]["bytes"].as_u64() > Some(0), "it is full: {window}");
    let share = |span: &str| {
        let shares = window["shares"][span].as_object().unwrap();
        shares.values().map(|share| share.as_f64().unwrap()).sum::<f64>()
    };
    assert!((share("60s") - 1.0).abs() < 0.01 && (share("1s") - 1.0).abs() < 0.01, "{window}");
    assert!(window["rss_bytes"].as_u64() > Some(100_000) && window["start_ticks"].is_u64(), "{window}");
    assert_eq!(window["args"], serde_json::json!(["--size", "1s", "--time", "timestamp"]));
}

#[test]
fn a_stage_that_waits_by_its_rate_is_not_kept_by_its_reader() {
    let running = Running::start("generate --lines 100000 | throttle --rate 1/s > /dev/null");
    // What a tool says of its state may be a second older than the counts.
    let is_right = |file: &Value| {
        file["shares"]["1s"]["pace"].as_f64() > Some(0.5) && file["facts"]["queue_lines"] == file["lines_held"]
    };
    let throttle = running.file("throttle", is_right);
    assert!(throttle["lines_held"].as_u64() > Some(0), "{throttle}");
}

#[test]
fn what_has_ended_says_with_which_code() {
    let running =
        Running::start("generate --lines 10 | filter .nothing.like.it | aggregate --by key count --no-such-flag");
    let filter = running.file("filter", |file| file["ended"].is_object());
    assert!([0, 141].contains(&filter["ended"]["code"].as_u64().unwrap()), "{filter}");
    let ran = in_folder("export MILLPIPE_METRICS=$PWD; echo nonsense | filter . ; cat filter.*.json");
    let file: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(file["ended"]["code"], 1, "{file}");
    let last = file["messages"].as_array().unwrap().first().unwrap();
    assert_eq!(last["level"], "error");
    assert!(last["text"].as_str().unwrap().starts_with("line 1"), "{file}");
}

#[test]
fn what_fails_before_its_run_says_so_too() {
    let ended = |script: &str, stage: &str| {
        let ran = in_folder(&format!("export MILLPIPE_METRICS=$PWD/m; {script}; cat m/{stage}.*.json"));
        let file: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{script}: {}", ran.stderr));
        (file["ended"]["code"].clone(), file["messages"][0]["text"].as_str().unwrap_or_default().to_owned())
    };
    let (code, text) = ended("generate --lines 10 | window --sizze 1s", "window");
    assert_eq!((code, text.as_str()), (2.into(), "unexpected argument '--sizze' found"));
    let (code, text) = ended("generate --lines 10 | window --size 10x", "window");
    assert!(code == 2 && text.starts_with("invalid value '10x' for '--size"), "{code}: {text}");
    let (code, text) = ended("echo | filter '.a ==' --metrics m2 -v; mv m2 m", "filter");
    assert_eq!(code, 2, "{text}");
    let in_use = "mkdir s; exec 9> s/lock; flock 9; generate --lines 10 --exactly-once --state s --metrics m | file-cat-out -o out";
    let (code, text) = ended(in_use, "generate");
    assert!(code == 75 && text.contains("lock"), "{code}: {text}");
    let help = in_folder("MILLPIPE_METRICS=$PWD/m window --help > /dev/null; ls m");
    assert!(help.stderr.contains("No such file"), "help is no run: {}", help.stdout);
}

#[test]
fn a_source_with_a_rate_waits_by_it() {
    let running = Running::start("generate --rate 100/s > /dev/null");
    running.file("generate", |file| file["shares"]["1s"]["pace"].as_f64() > Some(0.5));
}

#[test]
fn rejected_lines_are_shown_with_the_reason_and_the_place() {
    let lines = r#"{"timestamp":"2026-01-01T00:00:00Z"}\n{"timestamp":"soon"}\n"#;
    let script = format!(
        "export MILLPIPE_METRICS=$PWD; printf '{lines}' | window --size 1s --time timestamp --on-error skip > /dev/null
         cat window.*.json"
    );
    let file: Value = serde_json::from_str(&in_folder(&script).stdout).unwrap();
    let rejects = file["rejects"].as_array().unwrap();
    assert_eq!((rejects.len(), &file["lines_rejected"]), (1, &1.into()));
    assert_eq!((&rejects[0]["place"], &rejects[0]["line"]), (&"line 2".into(), &r#"{"timestamp":"soon"}"#.into()));
    assert!(rejects[0]["why"].as_str().unwrap().contains("soon"), "{file}");
    assert_eq!(file["facts"]["holder"]["time"], "2026-01-01T00:00:00Z");
}

#[test]
fn checkpoints_are_seen_on_their_way_through_the_pipe() {
    let running = Running::start(
        "generate --rate 1000/s --exactly-once --state state --interval 200ms \\
            | window --size 1s --time timestamp | aggregate --by key count | file-cat-out out",
    );
    let sink = running.file("file-cat-out", |file| file["commit"].is_object());
    let is_right =
        |file: &Value| file["barrier"]["snapshot_bytes"].as_u64() > Some(0) && file["facts"]["keys"].as_u64() > Some(0);
    let stage = running.file("aggregate", is_right);
    let source = running.file("generate", |file| file["commit"].is_object());
    let hops = [&source, &stage, &sink].map(|file| file["hop"].as_u64().unwrap());
    assert_eq!(hops, [1, 3, 4]);
    assert!(source["run"] == stage["run"] && stage["run"] == sink["run"] && sink["run"].is_string());
    assert!(stage["barrier"]["latency_ms"].is_u64() && stage["barrier"]["snapshot_ms"].is_u64(), "{stage}");
    let of_run = |id: &Value| id.as_str().unwrap().starts_with(sink["run"].as_str().unwrap());
    assert!(of_run(&sink["commit"]["id"]) && of_run(&stage["barrier"]["id"]), "{sink}");
    let window = running.file("window", |file| file["facts"]["holder"].is_object() && file["watermark"].is_string());
    assert!(window["facts"]["holder"]["time"].is_string(), "{window}");
}

#[test]
fn keys_that_come_often_are_named() {
    let running = Running::start(
        "yes '{\"user\":\"bot\",\"at\":1}' | head -n 100000 | window --size 1s --time at --time-unit s \
            | aggregate --by user count | sleep 1000",
    );
    let aggregate = running.file("aggregate", |file| file["facts"]["hot_keys"][0]["share"].is_number());
    assert_eq!(aggregate["facts"]["hot_keys"], serde_json::json!([{ "key": "bot", "share": 1.0 }]), "{aggregate}");
}

#[test]
fn a_variable_that_is_set_to_nothing_asks_for_no_metrics() {
    let ran = in_folder("export MILLPIPE_METRICS=; generate --lines 1; ls -A");
    assert_eq!((ran.stderr.as_str(), ran.stdout.lines().count()), ("", 1), "{}", ran.stdout);
}

#[test]
fn messages_are_json_lines_when_told_so() {
    let ran = in_folder("export MILLPIPE_LOG=json; echo nonsense | aggregate --by key count > /dev/null");
    let lines: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["stage"] == "aggregate" && line["pid"].is_u64() && line["at"].is_string()));
    assert!(lines.iter().any(|line| line["level"] == "error"), "{}", ran.stderr);
    let checked = in_folder(
        "export MILLPIPE_LOG=json; generate --lines 5 --exactly-once --state s \\
            | aggregate --by nowhere count | file-cat-out out",
    );
    let line: Value = serde_json::from_str(checked.stderr.lines().next().unwrap()).unwrap();
    assert_eq!((&line["stage"], &line["hop"]), (&"aggregate".into(), &2.into()), "{}", checked.stderr);
    assert!(line["run"].is_string());
}

#[test]
fn a_long_run_shows_on_a_terminal_how_far_it_is_and_then_takes_it_away() {
    let on_a_terminal = |command: &str| in_folder(&format!("script -qec '{command}' /dev/null")).stdout;
    let shown = on_a_terminal("generate --lines 50 --rate 15/s | filter true > /dev/null");
    assert!(shown.contains("generate: ") && shown.contains(" of 50 lines, "), "{shown:?}");
    assert!(shown.ends_with("\r\u{1b}[K"), "{shown:?}");
    let data = on_a_terminal("generate --lines 50 --rate 15/s");
    assert!(!data.contains("generate: "), "lines are on the terminal: {data:?}");
    let quiet = in_folder("generate --lines 50 --rate 15/s > /dev/null");
    assert_eq!(quiet.stderr, "");
}
