//! The source of a pipe with checkpoints, against a real broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod admin;
mod scene;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use kafka_ends::Patience;
use kafka_ends::group_offsets::{GroupOffsets, Isolation, Stored, offsets_of};
use rdkafka::producer::{BaseProducer, Producer};
use scene::{BIN, Reading, broker, fill, numbers, numbers_of, read, read_all, signal};
use serde_json::{Value, json};
use testkit::{Broker, Ran, bash, run};

/// A pipeline from topic NAME to topic NAME-out, under group NAME, to the end of the input.
struct Pipeline<'a> {
    name: &'a str,
    state: tempfile::TempDir,
    flags: String,
}

impl<'a> Pipeline<'a> {
    fn new(name: &'a str) -> Self {
        fill(&format!("{name}-out"), 1, "");
        Self { name, state: tempfile::tempdir().unwrap(), flags: format!("-t {name}") }
    }

    fn with(name: &'a str, flags: &str) -> Self {
        Self { flags: flags.to_owned(), ..Self::new(name) }
    }

    fn run(&self, more: &str) -> Ran {
        let Self { name, state, flags } = self;
        let (address, state) = (broker().address(), state.path().display());
        let source = format!("kafka-cat-in -b {address} {flags} -G {name} -e --exactly-once --state {state} {more}");
        bash(&["kafka-cat-in", "kafka-cat-out"], &format!("{source} | kafka-cat-out -b {address} -t {name}-out"))
    }

    fn out(&self) -> Vec<i64> {
        let mut numbers = numbers_of(&read_all(&format!("{}-out", self.name), &[]));
        numbers.sort_unstable();
        numbers
    }
}

fn all(numbers: std::ops::Range<i64>) -> Vec<i64> {
    numbers.collect()
}

fn stored(group: &str, places: &[(&str, i32)]) -> Vec<Stored> {
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", broker().address());
    let places: Vec<_> = places.iter().map(|(topic, number)| ((*topic).to_owned(), *number)).collect();
    let offsets = GroupOffsets::new(&config, group, Isolation::Committed).unwrap();
    offsets.read(&places, &mut Patience::new(broker().address(), 30_000)).unwrap()
}

#[test]
fn the_first_line_says_where_the_run_goes_on_and_what_the_sink_must_know() {
    fill("hello", 3, &numbers(0..5));
    let state = tempfile::tempdir().unwrap();
    let path = state.path().to_str().unwrap();
    let mut reading =
        Reading::start(&["-t", "hello", "-G", "hello-group", "--instance", "1/2", "--exactly-once", "--state", path]);
    let hello: Value = serde_json::from_str(&reading.line()).unwrap();
    assert_eq!(hello["restore"], json!({ "id": null, "positions": { "hello/0": null, "hello/2": null } }));
    let sink = &hello["sink"];
    assert_eq!(sink["transactional_id"], "millpipe-hello-group-1");
    assert_eq!(sink["group"], "hello-group");
    assert!(sink["cluster"].is_string());
    for partition in [0, 2] {
        assert_eq!(reading.line(), format!("{{\"$\":\"from\",\"part\":\"hello/{partition}\"}}"), "marks are implied");
    }
    let positions = barrier(&mut reading)["positions"].clone();
    assert_eq!(positions.as_object().unwrap().len(), 2, "also of a partition with nothing in it: {positions}");
    reading.child.kill().unwrap();
    reading.child.wait().unwrap();
}

fn barrier(reading: &mut Reading) -> Value {
    loop {
        let line = reading.line();
        assert_ne!(line, "", "it ended: {}", reading.rest_of_stderr());
        if line.starts_with("{\"$\":\"barrier\"") {
            return serde_json::from_str(&line).unwrap();
        }
    }
}

#[test]
fn a_pipe_goes_on_where_its_last_transaction_was() {
    let pipe = Pipeline::new("goes-on");
    fill("goes-on", 2, &numbers(0..1000));
    pipe.run("").ok();
    pipe.run("").ok();
    assert_eq!(pipe.out(), all(0..1000), "nothing new, nothing twice");
    fill("goes-on", 2, &numbers(1000..1500));
    pipe.run("").ok();
    assert_eq!(pipe.out(), all(0..1500));
    let ids: BTreeSet<String> =
        stored("goes-on", &[("goes-on", 0), ("goes-on", 1)]).into_iter().map(|entry| entry.note).collect();
    let committed = std::fs::read_to_string(pipe.state.path().join("committed")).unwrap();
    assert_eq!(ids.len(), 1);
    assert!(committed.contains(ids.first().unwrap()), "{committed} {ids:?}");
}

#[test]
fn a_pipe_takes_over_a_group_that_had_no_checkpoints() {
    let pipe = Pipeline::new("plain-before");
    fill("plain-before", 1, &numbers(0..10));
    assert_eq!(numbers_of(&read(&["-t", "plain-before", "-G", "plain-before", "-c", "4"]).ok()), all(0..4));
    pipe.run("").ok();
    assert_eq!(pipe.out(), all(4..10));
}

/// With read_committed the question for the offsets would not be answered before the transaction ends.
#[test]
fn a_transaction_that_a_dead_run_left_open_holds_nobody_up() {
    fill("left-open", 1, &numbers(0..3));
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", broker().address());
    let group = GroupOffsets::new(&config, "left-open", Isolation::Committed).unwrap().metadata().unwrap();
    let dead: BaseProducer = config.set("transactional.id", "dead").create().unwrap();
    let limit = Duration::from_secs(30);
    dead.init_transactions(limit).unwrap();
    dead.begin_transaction().unwrap();
    let positions = json!({ "left-open/0": 1 }).as_object().cloned().unwrap();
    dead.send_offsets_to_transaction(&offsets_of(&positions, None).unwrap(), &group, limit).unwrap();
    let state = tempfile::tempdir().unwrap();
    let path = state.path().to_str().unwrap();
    let flags = ["-t", "left-open", "-G", "left-open", "--exactly-once", "--state", path, "--broker-timeout", "10s"];
    let mut reading = Reading::start(&flags);
    let hello = reading.line();
    assert!(hello.contains("\"left-open/0\":null"), "{hello}");
    reading.child.kill().unwrap();
    reading.child.wait().unwrap();
}

#[test]
fn instances_side_by_side_read_everything_once() {
    fill("sides", 5, &numbers(0..3000));
    let second = Pipeline::with("sides", "-t sides --instance 2/2");
    let first = Pipeline::with("sides", "-t sides --instance 1/2");
    std::thread::scope(|scope| {
        for pipe in [&first, &second] {
            scope.spawn(|| pipe.run("").ok());
        }
    });
    assert_eq!(first.out(), all(0..3000));
    let run_of =
        |partition: i32| stored("sides", &[("sides", partition)])[0].note.split('.').next().unwrap().to_owned();
    let runs: Vec<String> = (0..5).map(run_of).collect();
    assert_eq!((&runs[0], &runs[1]), (&runs[2], &runs[3]));
    assert_ne!(runs[0], runs[1]);
    let one = Pipeline::new("sides");
    let ran = one.run("");
    ran.fails_with(1, "kafka-cat-in: group \"sides\" has offsets of different checkpoints: sides/0 of ");
    assert!(ran.stderr.contains("hint: the number of instances or the partitions were changed"), "{}", ran.stderr);
    let none = Pipeline::with("sides", "-t sides --instance 6/6");
    none.run("").fails_with(1, "instance 6/6 has nothing to read: there are 5 partitions");
}

/// Both are written by the same key, so that a key has one number in both.
#[test]
fn a_join_of_two_topics_is_in_four_instances_what_it_is_in_one() {
    let address = broker().address();
    for (topic, name) in [("join-a", "left"), ("join-b", "right")] {
        let lines: String = (0..400).map(|n| format!("{{\"k\":\"key-{n}\",\"{name}\":{n}}}\n")).collect();
        run(testkit::bin("kafka-cat-out"), &["-b", address, "-t", topic, "--create", "4", "--key", "k"], &lines).ok();
    }
    let joined = |flags: &str| -> Vec<String> {
        let source = format!("kafka-cat-in -b {address} -t join-a -t join-b --tag kind -e {flags}");
        let join = "stream-join --left '.kind == \"join-a\"' --right '.kind == \"join-b\"' --on k --unique right \
                    --left-fields k,left --right-fields right";
        let lines = bash(&["kafka-cat-in", "stream-join"], &format!("{source} | {join}")).ok();
        lines.lines().map(str::to_owned).collect()
    };
    let sorted = |mut lines: Vec<String>| {
        lines.sort_unstable();
        lines
    };
    let one = sorted(joined(""));
    assert_eq!(one.len(), 400);
    assert_eq!(sorted((1..=4).flat_map(|i| joined(&format!("--instance {i}/4"))).collect()), one);
    fill("join-c", 2, "");
    let both = ["-t", "join-a", "-t", "join-c", "-e", "--instance", "1/2"];
    let ran = read(&both);
    ran.fails_with(1, "--instance: topic \"join-a\" has 4 partitions, topic \"join-c\" has 2");
    assert!(ran.stderr.contains("hint: give them as many; or --spread"), "{}", ran.stderr);
    read(&[&both[..], &["--spread"]].concat()).ok();
}

/// Without a sink the exit code is the source's own.
fn source_alone(pipe: &Pipeline<'_>, more: &[&str]) -> Ran {
    let flags: Vec<&str> = pipe.flags.split(' ').collect();
    let state = pipe.state.path().to_str().unwrap();
    let args = ["-b", broker().address(), "-G", pipe.name, "-e", "--exactly-once", "--state", state];
    run(BIN, &[&args[..], &flags, more].concat(), "")
}

#[test]
fn offsets_that_have_expired_are_an_error_and_there_is_a_way_on() {
    let pipe = Pipeline::new("expired");
    fill("expired", 1, &numbers(0..10));
    pipe.run("").ok();
    fill("expired", 1, &numbers(10..20));
    admin::delete_before("expired", 0, 15);
    let ran = source_alone(&pipe, &[]);
    ran.fails_with(1, "topic expired, partition 0: to go on at offset 10, but it begins at 15");
    assert!(ran.stderr.contains("hint: -X auto.offset.reset=earliest goes on"), "{}", ran.stderr);
    let ran = pipe.run("-X auto.offset.reset=earliest");
    assert!(ran.stderr.contains("offset 10 is not there, reading from 15"), "{}", ran.stderr);
    ran.ok();
    assert_eq!(pipe.out(), [all(0..10), all(15..20)].concat());
}

#[test]
fn a_topic_that_was_made_anew_is_an_error() {
    let pipe = Pipeline::with("anew", "-t anew -t anew-too");
    fill("anew", 2, &numbers(0..100));
    fill("anew-too", 1, &numbers(100..200));
    pipe.run("").ok();
    admin::delete("anew");
    fill("anew", 1, &numbers(0..100));
    source_alone(&pipe, &[]).fails_with(1, "partition anew/1 of the checkpoint is not there any more");
    admin::delete("anew");
    fill("anew", 2, &numbers(0..1000));
    source_alone(&pipe, &[]).fails_with(1, "was made anew");
    admin::delete("anew");
    source_alone(&pipe, &[]).fails_with(1, "topic \"anew\" does not exist");
}

/// Its group forgets a topic that is deleted; a state folder does not.
#[test]
fn a_topic_that_was_made_anew_with_more_messages_is_an_error_too() {
    let pipe = Pipeline::new("anew-more");
    fill("anew-more", 1, &numbers(0..100));
    pipe.run("").ok();
    let (to_files, result) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = format!("kafka-cat-in -b {} -t anew-more -G files -e --exactly-once", broker().address());
    let (state, result) = (to_files.path().display(), result.path().join("out").display().to_string());
    let script = format!("{source} --state {state} | file-cat-out {result}; cat {result}/*.ndjson");
    assert_eq!(numbers_of(&bash(&["kafka-cat-in", "file-cat-out"], &script).ok()), all(0..100));
    admin::delete("anew-more");
    fill("anew-more", 1, &numbers(0..1000));
    let ran = bash(&["kafka-cat-in"], &format!("{source} --state {state}"));
    ran.fails_with(1, "topic anew-more, partition 0: to go on at offset 100, but the topic was made anew since");
    assert!(ran.stderr.contains("hint: -X auto.offset.reset=earliest goes on"), "{}", ran.stderr);
    let ran = source_alone(&pipe, &[]);
    ran.fails_with(1, "topic anew-more was made anew: the group has forgotten the offsets of the one before");
    assert!(ran.stderr.contains("hint: a new -G and an empty --state begin anew"), "{}", ran.stderr);
    let script = format!(
        "{source} --state {state} -X auto.offset.reset=earliest | file-cat-out {result}; cat {result}/*.ndjson"
    );
    let ran = bash(&["kafka-cat-in", "file-cat-out"], &script);
    assert!(ran.stderr.contains("offset 100 is not there, reading from 0"), "{}", ran.stderr);
    assert_eq!(numbers_of(&ran.ok()), [all(0..100), all(0..1000)].concat());
}

#[test]
fn a_topic_that_is_made_anew_while_it_is_read_ends_the_run_before_its_lines_are_committed() {
    fill("anew-running", 1, &numbers(0..100));
    let state = tempfile::tempdir().unwrap();
    let path = state.path().to_str().unwrap();
    let args = ["-t", "anew-running", "-G", "anew-running", "--exactly-once", "--state", path, "--interval", "100ms"];
    let mut reading = Reading::start(&args);
    // Barriers come before and after it, and none comes while one is not committed.
    for line in std::iter::repeat_with(|| reading.line()).take_while(|line| line != "99") {
        assert_ne!(line, "", "it ended");
        if line.starts_with("{\"$\":\"barrier\"") {
            commit(state.path(), &serde_json::from_str(&line).unwrap());
        }
    }
    // It sees a topic that has more messages than it has read.
    signal(reading.child.id(), "STOP");
    admin::make_anew("anew-running", 1);
    fill("anew-running", 1, &numbers(1000..3000));
    signal(reading.child.id(), "CONT");
    let mut has_seen_new_lines = false;
    loop {
        let line = reading.line();
        if line.is_empty() {
            break;
        }
        if line.starts_with("{\"$\":\"barrier\"") {
            assert!(!has_seen_new_lines, "lines of the new topic, but not its first ones, are to be committed: {line}");
            commit(state.path(), &serde_json::from_str(&line).unwrap());
        }
        has_seen_new_lines |= line.parse().is_ok_and(|number: i64| number >= 1000);
    }
    let said = reading.rest_of_stderr();
    assert_eq!(reading.child.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("topic anew-running was deleted and made anew while it was read"), "{said}");
}

#[test]
fn partitions_that_are_added_are_read_from_their_beginning() {
    let pipe = Pipeline::new("grows");
    fill("grows", 1, &numbers(0..10));
    pipe.run("").ok();
    admin::add_partitions("grows", 3);
    let lines: String = (0..3).map(|p| format!("{{\"partition\":{p},\"value\":{}}}\n", 10 + p)).collect();
    fill("grows", 3, &lines);
    pipe.run("-o 1000").ok();
    assert_eq!(pipe.out(), all(0..13));
}

#[test]
fn a_folder_and_a_topic_that_are_not_of_one_pipe_are_an_error() {
    let pipe = Pipeline::new("one-pipe");
    fill("one-pipe", 1, &numbers(0..10));
    fill("another-topic", 1, &numbers(0..10));
    pipe.run("").ok();
    let other = Pipeline { flags: "-t another-topic".to_owned(), ..pipe };
    source_alone(&other, &[]).fails_with(1, "knows none");
    let both = Pipeline { flags: "-t one-pipe -t another-topic".to_owned(), ..other };
    source_alone(&both, &[]).fails_with(1, "made with other flags: --topic one-pipe");
}

/// Stands for a sink of another kind: copies what it commits.
fn commit(state: &Path, barrier: &Value) {
    let committed =
        json!({ "id": barrier["id"], "sink": "files", "snapshots": barrier["snapshots"], "at": barrier["at"] });
    std::fs::write(state.join("committed.new"), format!("{committed}\n")).unwrap();
    std::fs::rename(state.join("committed.new"), state.join("committed")).unwrap();
}

#[test]
fn a_group_is_told_of_commits_that_are_kept_elsewhere() {
    fill("told", 1, &numbers(0..10));
    let state = tempfile::tempdir().unwrap();
    let path = state.path().to_str().unwrap();
    let args = ["-t", "told", "-G", "told", "--exactly-once", "--state", path, "--interval", "100ms"];
    let mut reading = Reading::start(&args);
    let began = Instant::now();
    while stored("told", &[("told", 0)])[0].offset != Some(10) {
        assert!(began.elapsed() < Duration::from_secs(60), "the group hears of it");
        commit(state.path(), &barrier(&mut reading));
    }
    assert_eq!(stored("told", &[("told", 0)])[0].note, "", "no checkpoint of Kafka's");
    reading.child.kill().unwrap();
    reading.child.wait().unwrap();
    // The folder says what is committed, whatever the group does.
    fill("told", 1, &numbers(10..12));
    let mut again = Reading::start(&args);
    let hello: Value = serde_json::from_str(&again.line()).unwrap();
    assert!(hello["restore"]["id"].is_string());
    while again.line() != "10" {}
    again.child.kill().unwrap();
    again.child.wait().unwrap();
}

#[test]
fn a_broker_that_is_not_there_is_waited_for_and_given_up_on() {
    let broker = Broker::start();
    let address = broker.address().to_owned();
    broker.kill();
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    let args = ["-b", &address, "-t", "t", "-G", "g", "--exactly-once", "--state", state, "--broker-timeout", "1s"];
    let ran = run(BIN, &args, "");
    assert_eq!(ran.stdout, "", "no hello without a look at the truth");
    ran.fails_with(75, "answered within 1s");
}
