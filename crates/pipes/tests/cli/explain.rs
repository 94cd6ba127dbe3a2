//! Each rule of `pipes explain` on real pipelines, or, where a broker or a minute is needed, on files as stages write them.

use testkit::wait_until_or_tell;
use time_text::format_rfc3339;

use crate::scene::{Folder, NOBODY, Program, json, now_ms, start_ticks};

/// The rules of all sentences, the first sentence first.
fn rules(folder: &Folder) -> Vec<String> {
    json(&folder.pipes("explain --json")).iter().map(|line| line["rule"].as_str().unwrap().to_owned()).collect()
}

fn tools(script: &str) -> Vec<&str> {
    let known =
        ["aggregate", "exec-cat-out", "file-cat-in", "file-cat-out", "filter", "generate", "throttle", "window"];
    known.into_iter().filter(|tool| script.contains(tool)).collect()
}

/// Runs a pipeline to its end.
#[track_caller]
fn ends_with(script: &str, rule: &str) {
    let (folder, files) = (Folder::new(), tempfile::tempdir().unwrap());
    Program::pipeline(&tools(script), script, &folder, files.path()).ended();
    assert_eq!(rules(&folder)[0], rule, "{script}: {}", folder.pipes("explain").stdout);
}

/// Runs a pipeline until this is its first sentence.
#[track_caller]
fn comes_to(script: &str, rule: &str) -> String {
    let (folder, files) = (Folder::new(), tempfile::tempdir().unwrap());
    let _program = Program::pipeline(&tools(script), script, &folder, files.path());
    wait_until_or_tell(
        || rules(&folder).first().is_some_and(|first| first == rule),
        || format!("{script} does not come to {rule}, but to {}", folder.pipes("explain").stdout),
    );
    folder.pipes("explain").stdout
}

#[test]
fn pipelines_that_have_ended() {
    ends_with("generate --lines 5000 | filter '.status == \"500\"' > out", "filtered");
    ends_with("env -u MILLPIPE_METRICS generate --lines 5000 > e; tac e > f; window --size 10ms < f > out", "late");
    ends_with("generate --lines 5000 | window --size 1s --time ts --on-error skip > out", "rejected");
    ends_with("generate --lines 5000 | aggregate --by pathh n=count > out", "misnamed");
    ends_with("echo '{\"timestamp\":1781064800}' | window --size 1s --time-unit ms > out", "time-unit");
    ends_with("generate --lines 5000 | window --size 1s --time ts > out", "died");
    ends_with("generate --lines 5000 | window --sizze 1s > out", "died");
    ends_with("generate --lines 5000 | window --size 1s > out", "ended");
    ends_with("generate | window --size 1s | head -n 5 > out", "ended");
    let ahead = "env -u MILLPIPE_METRICS generate --lines 50 --start now > e; jq -c '.timestamp |= sub(\"^20\"; \"21\")' e > f; \
        window --size 1s --max-ahead 1m --on-error skip < f > out";
    ends_with(ahead, "ahead-of-the-clock");
}

#[test]
fn pipelines_that_stand() {
    comes_to("generate | window --size 1s | sleep 60", "reader-blocked");
    comes_to("generate --rate 4/s | window --size 1s | jq -c . | aggregate n=count > out", "foreign-keeps-back");
    comes_to("sleep 60 | window --size 1s > out", "starved");
    comes_to("generate --exactly-once --state s --rate 100/s | window --size 1s > out", "no-sink");
    let killed = "generate --rate 100/s | (echo $BASHPID > pid; exec window --size 1s) | aggregate n=count > out & sleep 2; kill -9 $(cat pid); wait";
    comes_to(killed, "died");
    let stopped = "generate --rate 100/s | (echo $BASHPID > pid; exec window --size 1s) > out & sleep 2; kill -STOP $(cat pid); wait";
    comes_to(stopped, "stopped");
}

#[test]
fn pipelines_that_wait_or_are_slow() {
    comes_to("generate | throttle --rate 100/s > out", "pace");
    comes_to("generate --start now --rate 1000/s | window --size 1h | aggregate n=count > out", "window-is-open");
    let follows = "generate --lines 2000 > e; file-cat-in --follow e | window --size 1s | aggregate n=count > out";
    assert!(comes_to(follows, "caught-up").contains("aggregate keeps 1 window open"));
    let slow = "generate | window --size 1s | python3 -c 'import sys, time\nfor line in sys.stdin: time.sleep(0.01)'";
    comes_to(slow, "reader-slow");
    // Slow by far: of two stages that are alike neither is the bottleneck.
    comes_to("generate | filter '[range(3000)] | add > 0' > /dev/null", "busy");
    comes_to("generate --rate 1000/s | window --size 1s > out", "flows");
}

#[test]
fn a_file_that_stands_still_holds_the_time() {
    let script = "generate --lines 20000 --event-rate 1000/s > a; head -n 1 a > b; \
        file-cat-in --follow --marks --parts files a b | window --size 1s --idle 60s | aggregate n=count > out";
    let told = comes_to(script, "watermark-is-held");
    assert!(told.contains("b holds the watermark at 2026-01-01T00:00:00Z"), "{told}");
}

#[test]
fn a_command_of_the_sink_that_does_not_end_holds_the_commit() {
    let script = "generate --exactly-once --state s --rate 100/s | exec-cat-out --exactly-once -- sh -c 'cat > /dev/null; sleep 60'";
    comes_to(script, "commit-waits-for-target");
}

/// A file of a process that runs: it sleeps.
struct Sleeper {
    folder: Folder,
    program: Program,
}

impl Sleeper {
    fn start() -> Self {
        Self { folder: Folder::new(), program: Program::start("exec sleep 60") }
    }

    /// It is the only stage of its folder.
    #[track_caller]
    fn says(self, stage: &str, members: &str, rule: &str) {
        let pid = self.program.id();
        self.folder.stage(stage, pid, &format!("\"start_ticks\":{},{members}", start_ticks(pid)));
        let told = rules(&self.folder);
        assert_eq!(told.first().map(String::as_str), Some(rule), "{told:?}");
    }
}

#[test]
fn what_needs_a_broker_or_a_minute() {
    let source = |partition: &str| {
        format!(
            r#""role":"source","now":"input","now_ms":12000,"facts":{{"partitions":[{{"partition":"t/0",{partition}}}]}}"#
        )
    };
    Sleeper::start().says(
        "kafka-cat-in",
        &source(r#""position":8,"end":9,"stable_end":8,"lag":1"#),
        "open-transaction",
    );
    Sleeper::start().says(
        "kafka-cat-in",
        &source(r#""position":8,"end":9,"stable_end":9,"lag":1"#),
        "source-is-silent",
    );
    let ago = format_rfc3339(now_ms() - 60_000);
    let commits = format!(
        r#""role":"sink","now":"work","rates":{{"10s":{{"lines_in":100}}}},"commit":{{"id":"r/3","at":"{ago}","ms":15}}"#
    );
    Sleeper::start().says("kafka-cat-out", &commits, "commit-is-old");
}

#[test]
fn a_barrier_that_has_not_passed_and_counts_that_do_not_add_up() {
    let folder = Folder::new();
    let [slow, sink] = [Program::start("exec sleep 60"), Program::start("exec sleep 61")];
    let of = |program: &Program| format!("\"start_ticks\":{},\"run\":\"r\"", start_ticks(program.id()));
    let barrier = |id: u32| format!(r#""barrier":{{"id":"r/{id}"}}"#);
    folder.stage(
        "aggregate",
        slow.id(),
        &format!(r#"{},"hop":1,"now":"work","now_ms":9000,{}"#, of(&slow), barrier(3)),
    );
    let commits = format!(r#"{},"hop":2,"role":"sink","now":"commit","now_ms":9000,{}"#, of(&sink), barrier(4));
    folder.stage("kafka-cat-out", sink.id(), &commits);
    assert_eq!(rules(&folder)[0], "commit-waits-for-snapshot");
    let lost = Folder::new();
    let counts =
        r#""lines_in":9,"lines_settled":7,"lines_held":0,"lines_late":0,"lines_rejected":1,"ended":{"code":0}"#;
    lost.stage("window", NOBODY, counts);
    assert_eq!(rules(&lost)[0], "counts-broken");
}

#[test]
fn open_windows_at_the_end_and_a_file_that_is_not_renewed() {
    let sleeper = Sleeper::start();
    let open = r#""now":"input","now_ms":12000,"lines_in":9,"lines_held":9,"rates":{"10s":{"lines_in":0,"lines_out":0}},
        "facts":{"open_windows":1,"next_end":"2026-01-01T00:00:00Z"}"#;
    let pid = sleeper.program.id();
    sleeper.folder.stage("generate", pid, &format!("\"start_ticks\":{},{open}", start_ticks(pid)));
    assert!(rules(&sleeper.folder).contains(&"last-windows".to_owned()));
    let old = format_rfc3339(now_ms() - 60_000);
    let text = format!(r#"{{"stage":"generate","pid":{pid},"start_ticks":{},"written":"{old}"}}"#, start_ticks(pid));
    sleeper.folder.write(&format!("generate.{pid}.json"), &text);
    assert_eq!(rules(&sleeper.folder).last().map(String::as_str), Some("stale"));
}
