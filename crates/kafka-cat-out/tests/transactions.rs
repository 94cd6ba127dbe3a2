//! Streams with checkpoints, against a real broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod proxy;
mod scene;

use std::sync::LazyLock;
use std::time::Duration;

use kafka_ends::group_offsets::Stored;
use proxy::Proxy;
use scene::{Pipe, committed_id, restore};
use serde_json::{Value, json};
use testkit::{Broker, run, wait_until};

static BROKER: LazyLock<Broker> = LazyLock::new(Broker::start);

fn pipe(name: &'static str) -> Pipe {
    Pipe::new(BROKER.address(), name)
}

fn stored(part: &str, offset: Option<i64>, note: &str) -> Stored {
    Stored { part: part.to_owned(), offset, note: note.to_owned() }
}

#[test]
fn lines_are_seen_once_their_epoch_is_committed() {
    let pipe = pipe("epochs");
    let mut sink = pipe.sink("a", &Value::Null, &["-X", "linger.ms=1"]);
    sink.say("1\n2\n");
    sink.commit(2, &pipe.positions(2, 0));
    sink.say("3\n");
    pipe.wait_for_sent("1\n2\n3\n");
    assert_eq!(pipe.committed_so_far(&pipe.output()), "1\n2\n");
    sink.commit(1, &pipe.positions(2, 1));
    assert_eq!(pipe.committed(), "1\n2\n3\n");
    sink.end().ok();
}

#[test]
fn offsets_and_the_checkpoints_id_are_committed_with_them() {
    let pipe = pipe("books");
    let places = [(pipe.input(), 0), (pipe.input(), 1)];
    let mut sink = pipe.sink("a", &Value::Null, &[]);
    assert_eq!(pipe.stored("books", &places), [stored("books-in/0", None, ""), stored("books-in/1", None, "")]);
    sink.say("1\n");
    sink.commit(1, &pipe.positions(17, 0));
    assert_eq!(
        pipe.stored("books", &places),
        [stored("books-in/0", Some(17), "a.1"), stored("books-in/1", Some(0), "a.1")]
    );
    // An epoch without a line and without a step forward is committed too: snapshots are pruned by it.
    sink.commit(0, &pipe.positions(17, 0));
    assert_eq!(pipe.stored("books", &places)[1], stored("books-in/1", Some(0), "a.2"));
    sink.end().ok();
}

#[test]
fn a_stream_that_is_cut_short_commits_nothing_and_blocks_no_reader() {
    let pipe = pipe("cut");
    let mut sink = pipe.sink("a", &Value::Null, &["-v"]);
    sink.say("1\n");
    sink.commit(1, &pipe.positions(1, 0));
    sink.say("2\n3\n");
    pipe.wait_for_sent("1\n2\n3\n");
    let ran = sink.cut();
    assert!(ran.stderr.contains("in 3 = out 1 + late 0 + rejected 0 + held 2"), "{}", ran.stderr);
    ran.fails_with(75, "cut short");
    // A transaction that is left open would hold back what comes behind it.
    run(scene::BIN, &["-b", &pipe.address, "-t", &pipe.output()], "4\n").ok();
    assert_eq!(pipe.committed(), "1\n4\n");
}

#[test]
fn a_younger_run_ends_an_older_one() {
    let pipe = pipe("fence");
    let mut old = pipe.sink("a", &Value::Null, &[]);
    old.say("1\n");
    old.commit(1, &pipe.positions(1, 0));
    old.say("2\n");
    pipe.wait_for_sent("1\n2\n");
    let mut young = pipe.sink("b", &restore("a.1", &pipe.positions(1, 0)), &[]);
    young.say("2\n3\n");
    young.commit(2, &pipe.positions(3, 0));
    old.say("3\n");
    old.barrier(2, &pipe.positions(3, 0));
    old.cut().fails_with(75, "another run of this pipeline has taken over (transactional id \"fence\")");
    young.say("4\n");
    young.commit(1, &pipe.positions(4, 0));
    young.end().ok();
    assert_eq!(pipe.committed(), "1\n2\n3\n4\n");
}

#[test]
fn an_older_run_that_only_writes_notices_too() {
    let pipe = pipe("fence-writing");
    let mut old = pipe.sink("a", &Value::Null, &["-X", "linger.ms=1"]);
    old.commit(0, &pipe.positions(0, 0));
    pipe.sink("b", &restore("a.1", &pipe.positions(0, 0)), &[]).end().ok();
    for _ in 0..600 {
        old.say("1\n");
        std::thread::sleep(Duration::from_millis(100));
        if old.child.try_wait().unwrap().is_some() {
            break;
        }
    }
    old.cut().fails_with(75, "another run of this pipeline has taken over");
    assert_eq!(pipe.committed(), "");
}

#[test]
fn a_run_that_goes_on_from_something_else_than_is_committed_is_stopped() {
    let pipe = pipe("compare");
    let mut first = pipe.sink("a", &Value::Null, &[]);
    first.say("1\n");
    first.commit(1, &pipe.positions(1, 0));
    first.end().ok();
    pipe.has_snapshot("a.1");
    std::fs::write(pipe.state.path().join("committed"), "").unwrap();
    std::fs::remove_file(pipe.state.path().join("committed")).unwrap();
    let stale = [
        restore("z.9", &pipe.positions(1, 0)),
        restore("a.1", &pipe.positions(0, 0)),
        json!({ "id": null, "positions": pipe.positions(Value::Null, Value::Null) }),
    ];
    for restore in stale {
        let mut sink = pipe.sink("b", &restore, &[]);
        sink.say("2\n");
        sink.barrier(1, &pipe.positions(2, 0));
        sink.cut().fails_with(75, "but a.1 is committed");
        assert_eq!(committed_id(pipe.state.path()).as_deref(), Some("a.1"), "the copy is mended");
    }
    let mut right = pipe.sink("c", &restore("a.1", &pipe.positions(1, 0)), &[]);
    right.commit(0, &pipe.positions(1, 0));
    right.end().ok();
    assert_eq!(pipe.committed(), "1\n");
}

#[test]
fn offsets_of_two_pipelines_are_not_one_truth() {
    let pipe = pipe("mixed");
    let topic = pipe.input();
    for (run, partition) in [("a", 0), ("b", 1)] {
        let part = format!("{topic}/{partition}");
        let restore = json!({ "id": null, "positions": { &part: null } });
        let mut sink = pipe.sink(run, &restore, &[]);
        sink.commit(0, &json!({ &part: 5 }));
        sink.end().ok();
    }
    let both = json!({ "id": null, "positions": pipe.positions(5, 5) });
    pipe.sink("c", &both, &[])
        .cut()
        .fails_with(1, "group \"mixed\" has offsets of different checkpoints: mixed-in/0 of a.1, mixed-in/1 of b.1");
}

#[test]
fn rejected_lines_are_kept_in_the_same_transaction() {
    let pipe = pipe("letters");
    pipe.topic("letters-bad", 1);
    let args = ["--dead-letter", "letters-bad", "-X", "linger.ms=1", "-v"];
    let mut sink = pipe.sink("a", &Value::Null, &args);
    let reject = json!({ "$": "reject", "by": "window", "why": "late", "at": "line 7", "line": "{\"a\":1}" });
    sink.say("1\n");
    sink.mark(&reject);
    sink.say("{bad\n");
    wait_until("all is sent", || {
        [pipe.output().as_str(), "letters-bad"].into_iter().all(|topic| !pipe.sent(topic).is_empty())
    });
    for topic in [pipe.output().as_str(), "letters-bad"] {
        assert_eq!(pipe.committed_so_far(topic), "");
    }
    sink.commit(2, &pipe.positions(3, 0));
    let ran = sink.end();
    assert!(ran.stderr.contains("in 2 = out 1 + late 0 + rejected 1 + held 0"), "{}", ran.stderr);
    ran.ok();
    assert_eq!(pipe.committed(), "1\n");
    let kept: Vec<Value> =
        pipe.read("letters-bad", &["-e"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept[0], json!({ "by": "window", "why": "late", "at": "line 7", "line": "{\"a\":1}" }));
    assert_eq!((&kept[1]["by"], &kept[1]["line"]), (&json!("kafka-cat-out"), &json!("{bad")));
    assert_eq!(kept.len(), 2);
}

#[test]
fn a_rejected_line_without_a_place_for_it_stops_the_pipe() {
    let pipe = pipe("no-letters");
    let reject = json!({ "$": "reject", "by": "window", "why": "no field \"t\"", "at": "line 7", "line": "{}" });
    let mut sink = pipe.sink("a", &Value::Null, &[]);
    sink.say("1\n");
    sink.mark(&reject);
    let ran = sink.cut();
    assert!(ran.stderr.contains("hint: --dead-letter keeps rejected lines"), "{}", ran.stderr);
    ran.fails_with(1, "window rejected line 7: no field \"t\"");
    let mut sink = pipe.sink("b", &Value::Null, &[]);
    sink.say("1\n{bad\n");
    sink.barrier(2, &pipe.positions(2, 0));
    sink.cut().fails_with(1, "kafka-cat-out rejected line 3: not JSON");
    assert_eq!(pipe.committed(), "");
}

#[test]
fn a_pipe_from_elsewhere_notes_its_checkpoints_at_its_output() {
    let pipe = pipe("elsewhere");
    let state = pipe.state.path().display().to_string();
    let mut sink = pipe.sink_of("a", &Value::Null, &Value::Null, &[]);
    sink.say("1\n");
    sink.commit(1, &json!({}));
    sink.end().ok();
    let places = [(pipe.output(), 0)];
    assert_eq!(pipe.stored(&format!("millpipe-{state}"), &places), [stored("elsewhere-out/0", Some(0), "a.1")]);
    let mut right = pipe.sink_of("b", &restore("a.1", &json!({})), &Value::Null, &[]);
    right.commit(0, &json!({}));
    right.end().ok();
    pipe.has_snapshot("b.1");
    pipe.sink_of("c", &restore("a.1", &json!({})), &Value::Null, &[]).cut().fails_with(75, "but b.1 is committed");
    // Under another name there is another truth.
    let other = pipe.sink_of("c", &restore("b.1", &json!({})), &Value::Null, &["--transactional-id", "other"]);
    other.cut().fails_with(1, "the output knows no commit");
    let args = ["-b", &pipe.address, "--topic-field", "t"];
    let hello = json!({ "$": "hello", "v": 1, "run": "d", "hop": 1, "state": state, "restore": null, "sink": null,
        "interval_ms": 1000 });
    run(scene::BIN, &args, &format!("{hello}\n")).fails_with(2, "a source that is not Kafka needs -t");
}

#[test]
fn no_transaction_spans_two_clusters() {
    let pipe = pipe("clusters");
    let said = json!({ "transactional_id": "clusters", "group": "clusters", "cluster": "another" });
    pipe.sink_of("a", &Value::Null, &said, &[]).cut().fails_with(2, "the source reads cluster \"another\"");
}

#[test]
fn an_interval_longer_than_a_transaction_is_refused() {
    let pipe = pipe("interval");
    let short = pipe.sink("a", &Value::Null, &["-X", "transaction.timeout.ms=1000"]);
    short.cut().fails_with(2, "transaction.timeout.ms=1000 is not longer than the --interval of 1s");
    let long = pipe.sink("a", &Value::Null, &["-X", "transaction.timeout.ms=90000000"]);
    long.cut().fails_with(1, "transaction timeout");
}

#[test]
fn a_standstill_beyond_the_time_of_a_transaction_ends_the_run() {
    let pipe = pipe("stall");
    let mut sink = pipe.sink("a", &Value::Null, &["-X", "transaction.timeout.ms=2000", "-X", "linger.ms=1"]);
    sink.say("1\n");
    pipe.wait_for_sent("1\n");
    // A reader waits for the end of the transaction, which the broker brings about: it looks for such every 10 s.
    assert_eq!(pipe.committed(), "");
    sink.barrier(1, &pipe.positions(1, 0));
    sink.cut().fails_with(75, "stood still for longer than transaction.timeout.ms");
    assert_eq!(pipe.committed(), "");
}

#[test]
fn a_broker_that_dies_and_comes_back_in_the_middle_of_an_epoch_goes_unnoticed() {
    let mut broker = Broker::start();
    let pipe = Pipe::new(broker.address(), "back");
    let patient = [&Broker::PATIENT[..], &["-X", "linger.ms=1", "-X", "transaction.timeout.ms=600000"]].concat();
    let mut sink = pipe.sink("a", &Value::Null, &patient);
    sink.say("1\n");
    sink.commit(1, &pipe.positions(1, 0));
    for (written, more) in [("2\n", ""), ("3\n", "4\n")] {
        sink.say(written);
        wait_until("it is sent", || pipe.sent(&pipe.output()).ends_with(written));
        broker.kill();
        sink.say(more);
        let id = sink.barrier(1 + more.len() / 2, &pipe.positions(3, 0));
        std::thread::sleep(Duration::from_secs(1));
        broker.restart();
        sink.wait_for(&id);
    }
    sink.say("5\n");
    sink.commit(1, &pipe.positions(4, 0));
    sink.end().ok();
    assert_eq!(pipe.committed(), "1\n2\n3\n4\n5\n");
}

#[test]
fn a_broker_that_stays_away_ends_the_run_with_75() {
    let broker = Broker::start();
    let pipe = Pipe::new(broker.address(), "away");
    let mut sink = pipe.sink("a", &Value::Null, &["--broker-timeout", "7s"]);
    sink.commit(0, &pipe.positions(0, 0));
    broker.kill();
    sink.barrier(0, &pipe.positions(0, 0));
    let ran = sink.cut();
    assert!(ran.stderr.contains("kafka-cat-out: waiting for the brokers \""), "{}", ran.stderr);
    ran.fails_with(75, "answered within 7s");
}

/// A broker that is reached by the proxy only.
fn broker_behind(proxy: &Proxy) -> Broker {
    let advertised = format!("advertised.listeners=PLAINTEXT://{}", proxy.address());
    let broker = Broker::start_with(&["--config", &advertised]);
    proxy.connect_to(broker.address());
    broker
}

/// The client asks again by itself, so that the first request, when it comes late, is one of the next transaction.
#[test]
fn a_commit_that_comes_to_the_broker_late_does_not_tear_the_next_transaction() {
    let proxy = Proxy::listen();
    let _broker = broker_behind(&proxy);
    let pipe = Pipe::new(&proxy.address(), "stray");
    let mut sink = pipe.sink("a", &Value::Null, &["-X", "linger.ms=1"]);
    sink.say("1\n");
    sink.commit(1, &pipe.positions(1, 0));
    for (lines, before, number) in [(["2\n", "8\n"], "1\n2\n", 2), (["3\n", "9\n"], "1\n2\n8\n3\n", 3)] {
        sink.say(lines[0]);
        proxy.hold_the_next_commit();
        sink.commit(1, &pipe.positions(number, 0));
        sink.say(lines[1]);
        // Long enough for it to be sent.
        std::thread::sleep(Duration::from_millis(500));
        let all = pipe.read(&pipe.output(), &["-e", "-X", "isolation.level=read_uncommitted"]);
        assert!(all.ends_with(lines[1]), "the next transaction is open: {all}");
        let error = proxy.deliver_what_is_held();
        assert_eq!(pipe.committed_so_far(&pipe.output()), before, "nothing without its offsets");
        assert_ne!(error, 0, "the broker does not hear it any more");
        sink.commit(1, &pipe.positions(number, 0));
    }
    sink.end().ok();
    assert_eq!(pipe.committed(), "1\n2\n8\n3\n9\n");
}

#[test]
fn a_commit_whose_answer_is_lost_is_one_commit() {
    let proxy = Proxy::listen();
    let _broker = broker_behind(&proxy);
    let pipe = Pipe::new(&proxy.address(), "lost");
    let mut sink = pipe.sink("a", &Value::Null, &[]);
    sink.say("1\n");
    sink.commit(1, &pipe.positions(1, 0));
    sink.say("2\n");
    proxy.lose_the_next_answer_to_a_commit();
    sink.commit(1, &pipe.positions(2, 0));
    assert_eq!(proxy.lost(), 1);
    sink.say("3\n");
    sink.commit(1, &pipe.positions(3, 0));
    sink.end().ok();
    assert_eq!(pipe.committed(), "1\n2\n3\n");
}
