//! What the broker refuses for good: found before it is sent where the topic's settings tell, and said where they do not.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod scene;

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use kafka_ends::wait_for;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use scene::{BIN, Pipe, Sink};
use serde_json::{Value, json};
use testkit::{Broker, Ran, run};

static BROKER: LazyLock<Broker> = LazyLock::new(Broker::start);

fn pipe(name: &'static str) -> Pipe {
    Pipe::new(BROKER.address(), name)
}

fn admin() -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", BROKER.address()).create().unwrap()
}

fn make(topic: &str, setting: (&str, &str)) {
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1)).set(setting.0, setting.1);
    wait_for(admin().create_topics([&new], &AdminOptions::new())).unwrap().remove(0).unwrap();
}

fn change(topic: &str, (name, value): (&str, &str)) {
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(name, value);
    wait_for(admin().alter_configs([&change], &AdminOptions::new())).unwrap().remove(0).unwrap();
    let resource = ResourceSpecifier::Topic(topic);
    testkit::wait_until("the broker knows the new setting", || {
        let settings =
            wait_for(admin().describe_configs([&resource], &AdminOptions::new())).unwrap().remove(0).unwrap();
        settings.get(name).is_some_and(|entry| entry.value.as_deref() == Some(value))
    });
}

fn write(args: &[&str], lines: &str) -> Ran {
    run(BIN, &[&["-b", BROKER.address()], args].concat(), lines)
}

/// A sink whose lines name their topics, with dead letters in NAME-bad.
fn routing_sink(pipe: &Pipe, args: &[&str]) -> Sink {
    let bad = format!("{}-bad", pipe.name);
    pipe.topic(&bad, 1);
    pipe.sink("a", &Value::Null, &[&["--topic-field", "t", "--dead-letter", &bad], args].concat())
}

/// Says the lines, commits them, and gives the reasons of those that were refused.
fn refused(pipe: &Pipe, mut sink: Sink, lines: &[String]) -> Vec<String> {
    lines.iter().for_each(|line| sink.say(&format!("{line}\n")));
    sink.commit(lines.len(), &pipe.positions(9, 0));
    sink.end().ok();
    let letters = pipe.read(&format!("{}-bad", pipe.name), &["-e"]);
    letters
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["why"].as_str().unwrap().to_owned())
        .collect()
}

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[test]
fn a_message_without_a_key_for_a_compacted_topic_is_a_bad_line_and_the_rest_is_committed() {
    let pipe = pipe("no-key");
    make("no-key-compacted", ("cleanup.policy", "compact"));
    let line = |key: &str| format!("{{\"t\":\"no-key-compacted\",\"k\":{key}}}");
    let lines = [line("1"), line("null"), line("\"\""), "{}".to_owned()];
    let why = refused(&pipe, routing_sink(&pipe, &["--key", "k"]), &lines);
    assert_eq!(why.len(), 1, "{why:?}");
    assert!(why[0].starts_with("topic \"no-key-compacted\": no key: the topic is compacted"), "{why:?}");
    assert_eq!(pipe.read("no-key-compacted", &["-e"]).lines().count(), 2);
    assert_eq!(pipe.committed(), "{}\n");
    let plain = write(&["-t", "no-key-compacted"], "1\n");
    plain.fails_with(1, "line 1, byte 0: topic \"no-key-compacted\": no key: the topic is compacted");
    let letters = write(&["-t", "no-key-out", "--dead-letter", "no-key-compacted"], "");
    letters.fails_with(1, "--dead-letter: topic \"no-key-compacted\" is compacted, and rejected lines have no key");
}

#[test]
fn a_time_too_far_from_now_is_a_bad_line_and_the_rest_is_committed() {
    let pipe = pipe("far");
    make("far-before", ("message.timestamp.before.max.ms", "3600000"));
    make("far-own", ("message.timestamp.type", "LogAppendTime"));
    let bad = "far-bad";
    pipe.topic(bad, 1);
    let hours = |hours: i64| now_ms() + hours * 3_600_000;
    let line = |topic: &str, time: i64| format!("{{\"topic\":\"{topic}\",\"timestamp\":{time},\"value\":1}}");
    // An hour ahead is the default since Kafka 4.
    let lines = [
        line("far-in", hours(2)),
        line("far-in", hours(-2000)),
        line("far-before", hours(-2)),
        line("far-before", hours(0)),
        line("far-own", hours(2)),
    ];
    let mut child = pipe.bare_sink("a", &Value::Null, &["--envelope", "--dead-letter", bad]);
    lines.iter().for_each(|line| child.say(&format!("{line}\n")));
    child.commit(lines.len(), &pipe.positions(5, 0));
    child.end().ok();
    let letters = pipe.read(bad, &["-e"]);
    let letters: Vec<&str> = letters.lines().collect();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(letters[0].contains("is more than 1h after now"), "{letters:?}");
    assert!(letters[1].contains("is more than 1h before now"), "{letters:?}");
    let count = |topic: &str| pipe.read(topic, &["-e"]).lines().count();
    assert_eq!((count("far-in"), count("far-before"), count("far-own")), (1, 1, 1));
    let plain = write(&["--envelope", "-t", "far-out"], &line("x", hours(3)));
    plain.fails_with(1, "topic \"far-out\": timestamp");
}

#[test]
fn a_message_too_large_for_its_own_topic_is_a_bad_line_and_small_ones_go_in_batches_that_fit() {
    let pipe = pipe("narrow");
    make("narrow-topic", ("max.message.bytes", "2000"));
    let line = |bytes: usize| format!("{{\"t\":\"narrow-topic\",\"x\":\"{}\"}}", "x".repeat(bytes));
    let sizes = [10, 1900, 3000, 700, 700, 700, 700, 1900];
    let lines: Vec<String> = sizes.iter().map(|bytes| line(*bytes)).collect();
    let why = refused(&pipe, routing_sink(&pipe, &["-X", "compression.type=none"]), &lines);
    assert_eq!(
        why,
        ["a message of 3027 bytes is too large: the limit is 2000 with Kafka's own part (message.max.bytes)"]
    );
    assert_eq!(pipe.read("narrow-topic", &["-e"]).lines().count(), 7);
}

#[test]
fn a_name_that_no_topic_can_have_is_a_bad_line_and_the_rest_is_committed() {
    let pipe = pipe("names");
    pipe.topic("names.taken", 1);
    let line = |topic: &str| json!({ "t": topic }).to_string();
    let names = ["a b", "", "names-new", "x/y", "..", "__consumer_offsets", "names_taken"];
    let lines = names.map(line);
    let why = refused(&pipe, routing_sink(&pipe, &["--create", "1"]), &lines);
    assert_eq!(why.len(), 6, "{why:?}");
    assert!(why[0].starts_with("\"a b\" is no name of a topic"), "{why:?}");
    assert_eq!(why[4], "topic \"__consumer_offsets\" is Kafka's own");
    assert_eq!(why[5], "the brokers take no topic \"names_taken\" beside those they have");
    assert_eq!(pipe.read("names-new", &["-e"]).lines().count(), 1);
    write(&["-t", "a b", "--create", "1"], "1\n").fails_with(1, "\"a b\" is no name of a topic");
}

#[test]
fn a_rejected_line_that_is_too_large_for_a_message_is_kept_cut() {
    let pipe = pipe("long");
    make("long-bad", ("max.message.bytes", "2000"));
    let mut sink = pipe.sink("a", &Value::Null, &["--dead-letter", "long-bad", "-X", "compression.type=none"]);
    let long = format!("{{\"a\":\"{}", "y".repeat(5000));
    sink.mark(&json!({ "$": "reject", "by": "window", "why": "late", "at": "line 7", "line": long }));
    sink.say(&format!("1\n{}\n", "z".repeat(2 << 20)));
    sink.commit(2, &pipe.positions(3, 0));
    sink.end().ok();
    assert_eq!(pipe.committed(), "1\n");
    let letters = pipe.read("long-bad", &["-e"]);
    let letters: Vec<Value> = letters.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(letters.len(), 2);
    let line = letters[0]["line"].as_str().unwrap();
    assert!(long.starts_with(line) && line.len() > 1500, "{line}");
    assert_eq!((&letters[0]["line_bytes"], &letters[1]["line_bytes"]), (&json!(long.len()), &json!(2 << 20)));
}

/// The settings change while it runs, so that it cannot know: here as in topics whose settings it may not see.
#[test]
fn what_only_the_broker_knows_ends_it_with_1_and_the_brokers_reason() {
    let pipe = pipe("unknown");
    let mut sink = pipe.sink("a", &Value::Null, &[]);
    sink.say("1\n");
    sink.commit(1, &pipe.positions(1, 0));
    change(&pipe.output(), ("cleanup.policy", "compact"));
    sink.say("2\n");
    sink.barrier(1, &pipe.positions(2, 0));
    let ran = sink.cut();
    assert!(
        ran.stderr.contains("hint: a compacted topic takes no message without a key (--key FIELD)"),
        "{}",
        ran.stderr
    );
    ran.fails_with(1, "topic \"unknown-out\", partition 0: the broker refused a message of 1 bytes: ");
    assert_eq!(pipe.committed(), "1\n");
}
