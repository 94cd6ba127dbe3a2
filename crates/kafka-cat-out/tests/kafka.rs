//! The binary against a real broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use kafka_ends::envelope::{self, Envelope, Message};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use testkit::{Broker, Ran, run, run_bytes, wait_for_rest, wait_until};

const BIN: &str = env!("CARGO_BIN_EXE_kafka-cat-out");

fn broker() -> &'static Broker {
    static BROKER: LazyLock<Broker> = LazyLock::new(|| Broker::start_with(&["--sasl"]));
    &BROKER
}

fn write(args: &[&str], lines: &str) -> Ran {
    run(BIN, &[&["-b", broker().address()], args].concat(), lines)
}

fn read(topic: &str, args: &[&str]) -> String {
    let args = [&["-b", broker().address(), "-t", topic, "-e"], args].concat();
    run(testkit::bin("kafka-cat-in"), &args, "").ok()
}

fn messages(topic: &str) -> Vec<serde_json::Value> {
    read(topic, &["--envelope"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

type Record = (i32, Option<i64>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>, Option<Vec<u8>>);

fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::weighted(
        0.9,
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..30),
            any::<String>().prop_map(String::into_bytes),
            proptest::sample::select(vec![&b"null"[..], b"", b"{\"a\":[1,\n2]}", b"{\"a\": 1.0}", b"{\"$\":\"end\"}"])
                .prop_map(<[u8]>::to_vec),
        ],
    )
}

fn record() -> impl Strategy<Value = Record> {
    let name = any::<String>().prop_filter("no zero byte", |name| !name.contains('\0'));
    (
        0..3,
        proptest::option::weighted(0.9, 1..1_700_000_000_000_i64),
        bytes(),
        proptest::collection::vec((name, bytes()), 0..3),
        bytes(),
    )
}

/// What is in a topic, by partition, without offsets.
fn content(topic: &str) -> BTreeMap<i32, Vec<Message>> {
    let mut content: BTreeMap<i32, Vec<Message>> = BTreeMap::new();
    for line in read(topic, &["--envelope"]).lines() {
        let message = Message { topic: None, ..envelope::read(line.as_bytes()).unwrap() };
        content.entry(message.partition.unwrap()).or_default().push(message);
    }
    content
}

#[test]
fn a_topic_fed_back_from_its_envelopes_is_identical() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut lines = Vec::new();
    let mut expected: BTreeMap<i32, Vec<Message>> = BTreeMap::new();
    for _ in 0..1500 {
        let (partition, timestamp_ms, key, headers, value) = record().new_tree(&mut runner).unwrap().current();
        let (k, v) = (key.as_deref(), value.as_deref());
        let envelope = Envelope { topic: "elsewhere", partition, offset: 0, timestamp_ms, key: k, value: v };
        envelope::write(&envelope, headers.iter().map(|(n, v)| (n.as_str(), v.as_deref())), &mut lines);
        lines.push(b'\n');
        let message = Message {
            topic: None,
            partition: Some(partition),
            timestamp_ms: Some(timestamp_ms),
            key,
            headers: kafka_ends::Headers(headers),
            value,
        };
        expected.entry(partition).or_default().push(message);
    }
    let args = |topic| ["-b", broker().address(), "-t", topic, "--envelope", "--create", "3"];
    run_bytes(BIN, &args("original"), &lines).ok();
    assert_eq!(content("original"), expected);
    run(BIN, &args("copy"), &read("original", &["--envelope"])).ok();
    assert_eq!(content("copy"), expected);
}

#[test]
fn values_are_the_lines_and_keep_their_order() {
    let lines: String = (0..5000).map(|n| format!("{{\"n\": {n}.0}}\n")).collect();
    write(&["-t", "order", "--create", "1"], &lines).ok();
    assert_eq!(read("order", &[]), lines);
}

#[test]
fn keys_are_text_or_numbers_or_none() {
    let lines = "{\"k\":\"a\\u00e9\"}\n{\"k\":1.50}\n{\"k\":null}\n{\"k\":\"\"}\n{}\n";
    write(&["-t", "keys", "--create", "1", "--key", "k"], lines).ok();
    let keys: Vec<_> = messages("keys").iter().map(|message| message["key"].clone()).collect();
    assert_eq!(serde_json::json!(keys), serde_json::json!(["aé", "1.50", null, "", null]));
}

/// The hashes are those of `UtilsTest.testMurmur2` in Apache Kafka; its producers take them modulo the partitions.
#[test]
fn keys_choose_partitions_as_java_producers_do() {
    let hashes = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ];
    let lines: String = hashes.iter().map(|(key, _)| format!("{{\"k\":\"{key}\"}}\n")).collect();
    write(&["-t", "murmur", "--create", "97", "--key", "k"], &lines).ok();
    let chosen: BTreeMap<String, i64> = messages("murmur")
        .iter()
        .map(|message| (message["key"].as_str().unwrap().to_owned(), message["partition"].as_i64().unwrap()))
        .collect();
    let expected = hashes.map(|(key, hash): (&str, i32)| (key.to_owned(), i64::from(hash & 0x7fff_ffff) % 97));
    assert_eq!(chosen, BTreeMap::from(expected));
}

#[test]
fn fields_say_topic_partition_and_headers() {
    for topic in ["route-a", "route-b"] {
        write(&["-t", topic, "--create", "3"], "").ok();
    }
    let lines = "{\"t\":\"route-a\",\"p\":2,\"h\":{\"x\":\"y\"}}\n{\"t\":\"route-b\",\"p\":1}\n{\"p\":0}\n";
    let args = ["-t", "route-b", "--topic-field", "t", "--partition-field", "p", "--headers", "h"];
    write(&args, lines).ok();
    let a = messages("route-a");
    assert_eq!((a.len(), &a[0]["partition"]), (1, &2.into()));
    assert_eq!(a[0]["headers"], serde_json::json!([{"name": "x", "value": "y"}]));
    assert_eq!(messages("route-b").len(), 2);
    let missing = write(&["--topic-field", "t"], "{\"t\":\"route-c\"}\n");
    missing.fails_with(1, "line 1, byte 0: topic \"route-c\" does not exist");
    write(&["--topic-field", "t"], "{}\n").fails_with(1, "line 1, byte 0: the line names no topic");
    let beyond = write(&["-t", "route-a", "--partition-field", "p"], "{\"p\":3}\n");
    beyond.fails_with(1, "topic \"route-a\" has no partition 3: it has 3");
    write(&["--topic-field", "t", "--create", "2"], "{\"t\":\"route-d\"}\n").ok();
    assert_eq!(read("route-d", &[]), "{\"t\":\"route-d\"}\n");
}

#[test]
fn the_field_that_names_the_topic_can_be_left_out_of_the_message() {
    write(&["-t", "drop-rest", "--create", "1"], "").ok();
    let lines = "{\"kind\":\"drop-a\",\"n\": 1}\n{\"n\":2,\"kind\":\"drop-b\"}\n{\"n\":3}\n{\"kind\":null,\"n\":4}\n";
    let args = ["--topic-field", ".kind", "--drop-topic-field", "--create", "1"];
    write(&[&args[..], &["-t", "drop-rest"]].concat(), lines).ok();
    assert_eq!(read("drop-a", &[]), "{\"n\": 1}\n");
    assert_eq!(read("drop-b", &[]), "{\"n\":2}\n");
    assert_eq!(read("drop-rest", &[]), "{\"n\":3}\n{\"n\":4}\n");
    let without = write(&args, lines);
    without.fails_with(1, "line 3, byte 49: the line names no topic, and there is no -t");
    let skipped = write(&[&args[..], &["--on-error", "skip", "-v"]].concat(), lines);
    assert!(skipped.stderr.contains("in 4 = out 2 + late 0 + rejected 2 + held 0"), "{}", skipped.stderr);
}

#[test]
fn lines_for_many_topics_in_turn_keep_their_order_in_each() {
    let topic = |n: usize| format!("turn-{}", n % 7);
    // Some with headers, which go one by one, between the others.
    let line = |n: usize| match n % 5 {
        0 => format!("{{\"t\":\"{}\",\"n\":{n},\"h\":{{\"a\":\"b\"}}}}\n", topic(n)),
        _ => format!("{{\"t\":\"{}\",\"n\":{n}}}\n", topic(n)),
    };
    let lines: String = (0..7000).map(line).collect();
    write(&["--topic-field", "t", "--headers", "h", "--create", "1"], &lines).ok();
    for first in 0..7 {
        let expected: String = (first..7000).step_by(7).map(line).collect();
        assert_eq!(read(&topic(first), &[]), expected);
    }
}

#[test]
fn marks_are_swallowed_and_a_torn_last_line_is_a_line() {
    let lines = "{\"$\":\"from\",\"part\":\"x\"}\n1\n{\"$\":\"watermark\",\"time\":null}\n2";
    write(&["-t", "marks", "--create", "1"], lines).ok();
    assert_eq!(read("marks", &[]), "1\n2\n");
    write(&["-t", "marks"], "").ok();
}

#[test]
fn a_bad_line_stops_it_after_what_came_before_was_delivered() {
    let stopped = write(&["-t", "bad", "--create", "1"], "1\n2\n{x}\n3\n");
    stopped.fails_with(1, "kafka-cat-out: line 3, byte 4: not JSON at byte 1");
    assert_eq!(read("bad", &[]), "1\n2\n");
    let skipped = write(&["-t", "bad", "--on-error", "skip", "-v"], "{x}\n3\n");
    assert!(skipped.stderr.contains("in 2 = out 1 + late 0 + rejected 1 + held 0"), "{}", skipped.stderr);
    skipped.ok();
    assert_eq!(read("bad", &[]), "1\n2\n3\n");
}

#[test]
fn a_message_too_large_for_the_topic_is_a_bad_line() {
    let line = |bytes: usize| format!("\"{}\"\n", "x".repeat(bytes - 2));
    let stopped = write(&["-t", "large", "--create", "1"], &format!("1\n{}2\n", line(2 << 20)));
    stopped.fails_with(1, "line 2, byte 2: a message of 2097152 bytes is too large: the limit is 1048588");
    assert_eq!(read("large", &[]), "1\n");
    let near = write(&["-t", "large"], &line(1_048_580));
    near.fails_with(1, "the limit is 1048588 with Kafka's own part");
    assert_eq!(read("large", &[]), "1\n");
}

#[test]
fn a_message_that_only_the_broker_finds_too_large_is_a_bad_line() {
    let lines = format!("2\n\"{}\"\n3\n", "x".repeat(2 << 20));
    let raised = ["-t", "larger", "-X", "message.max.bytes=3000000", "-X", "compression.type=none"];
    write(&["-t", "larger", "--create", "1"], "1\n").ok();
    let skipped = write(&[&raised[..], &["--on-error", "skip", "-v"]].concat(), &lines);
    assert!(skipped.stderr.contains("in 3 = out 2 + late 0 + rejected 1 + held 0"), "{}", skipped.stderr);
    skipped.ok();
    assert_eq!(read("larger", &[]), "1\n2\n3\n");
    let stopped = write(&raised, &lines);
    stopped.fails_with(1, "a message of 2097154 bytes for topic \"larger\": too large for the broker");
}

#[test]
fn a_missing_topic_is_named_with_the_way_out() {
    let ran = write(&["-t", "not-there"], "1\n");
    assert!(ran.stderr.contains("hint: --create 4 makes it"), "{}", ran.stderr);
    ran.fails_with(1, "kafka-cat-out: topic \"not-there\" does not exist");
}

#[test]
fn a_topic_that_is_there_is_not_made_again() {
    write(&["-t", "made", "--create", "2"], "1\n").ok();
    write(&["-t", "made", "--create", "5"], "2\n").ok();
    let marks = read("made", &["--marks"]);
    assert_eq!(marks.lines().filter(|line| line.contains("\"final\":true")).count(), 2, "partitions: {marks}");
}

#[test]
fn a_wrong_password_is_told_at_once_and_not_shown() {
    write(&["-t", "secret", "--create", "1"], "").ok();
    let address = broker().sasl_address();
    let login = |password: &str| {
        Ran::from(
            Command::new(BIN)
                .args(["-b", &address, "-t", "secret", "-X", "security.protocol=sasl_plaintext"])
                .args(["-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=tester"])
                .env("MILLPIPE_KAFKA_SASL_PASSWORD", password)
                .stdin(Stdio::null())
                .output()
                .unwrap(),
        )
    };
    login("tester-secret").ok();
    let wrong = login("hunter2");
    assert!(!wrong.stderr.contains("hunter2"), "{}", wrong.stderr);
    wrong.fails_with(1, "the broker refused: ");
}

/// Waits until the topic `t` has so many, and the writer has been told so.
fn wait_for_lines(broker: &Broker, writer: &Child, lines: usize) {
    let args = ["-b", broker.address(), "-t", "t", "-e"];
    let arrived = || run(testkit::bin("kafka-cat-in"), &args, "").stdout.lines().count();
    wait_until("the lines are there", || arrived() >= lines);
    wait_for_rest(&[writer.id()]);
}

#[test]
fn a_broker_that_goes_ends_it_with_75_and_the_number_that_is_missing() {
    let broker = Broker::start();
    let mut child = Command::new(BIN)
        .args(["-b", broker.address(), "-t", "t", "--create", "1", "--broker-timeout", "8s", "-v"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"1\n2\n3\n").unwrap();
    wait_for_lines(&broker, &child, 3);
    broker.kill();
    stdin.write_all(b"4\n5\n").unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.stderr.contains("in 5 = out 3 + late 0 + rejected 0 + held 2"), "{}", ran.stderr);
    ran.fails_with(75, "2 of 5 messages not acknowledged: ");
}

#[test]
fn a_broker_that_comes_back_goes_unnoticed() {
    let mut broker = Broker::start();
    let mut child = Command::new(BIN)
        .args(["-b", broker.address(), "-t", "t", "--create", "1"])
        .args(Broker::PATIENT)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"1\n").unwrap();
    wait_for_lines(&broker, &child, 1);
    broker.kill();
    stdin.write_all(b"2\n").unwrap();
    broker.restart();
    stdin.write_all(b"3\n").unwrap();
    drop(stdin);
    Ran::from(child.wait_with_output().unwrap()).ok();
    let args = ["-b", broker.address(), "-t", "t", "-e"];
    assert_eq!(run(testkit::bin("kafka-cat-in"), &args, "").ok(), "1\n2\n3\n");
}
