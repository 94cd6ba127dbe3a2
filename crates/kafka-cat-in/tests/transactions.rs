//! Ends among transactions, against a real broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod scene;

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use scene::{Reading, broker, data, fill, marks, numbers, read};
use testkit::{Ran, run};

const LIMIT: Duration = Duration::from_secs(120);
/// Long enough for a reader to have come to the end of what it can read.
const A_WHILE: Duration = Duration::from_millis(1500);

/// Another program that writes in transactions.
struct Writer(BaseProducer);

impl Writer {
    fn new(name: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", broker().address()).set("transactional.id", name).set("linger.ms", "0");
        let producer: BaseProducer = config.create().unwrap();
        producer.init_transactions(LIMIT).unwrap();
        Self(producer)
    }

    /// Returns when the numbers are in the topic, in a transaction that goes on.
    fn begin(&self, topic: &str, range: std::ops::Range<i64>) {
        self.0.begin_transaction().unwrap();
        self.go_on(topic, range);
    }

    fn go_on(&self, topic: &str, range: std::ops::Range<i64>) {
        for number in range {
            self.0.send(BaseRecord::<str, str>::to(topic).payload(&number.to_string())).unwrap();
        }
        self.0.flush(LIMIT).unwrap();
    }

    fn commit(&self) {
        self.0.commit_transaction(LIMIT).unwrap();
    }

    fn abort(&self) {
        self.0.abort_transaction(LIMIT).unwrap();
    }

    fn write(&self, topic: &str, range: std::ops::Range<i64>) {
        self.begin(topic, range);
        self.commit();
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl Reading {
    fn goes_on(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn rest(self) -> Ran {
        let Self { child, mut stdout } = self;
        let text = std::io::read_to_string(&mut stdout).unwrap();
        Ran { stdout: text, ..child.wait_with_output().unwrap().into() }
    }
}

#[test]
fn a_transaction_that_was_open_at_the_start_is_waited_for() {
    fill("open", 1, &numbers(0..3));
    let writer = Writer::new("open");
    writer.begin("open", 3..6);
    let mut reading = Reading::start(&["-t", "open", "-e", "--marks"]);
    thread::sleep(A_WHILE);
    assert!(reading.goes_on());
    writer.commit();
    writer.write("open", 6..9);
    let out = reading.rest().ok();
    assert_eq!(data(&out), numbers(0..6), "what came later is beyond the end");
    let said = marks(&out);
    assert_eq!(said, ["{\"$\":\"from\",\"part\":\"open/0\"}", "{\"$\":\"idle\",\"part\":\"open/0\",\"final\":true}"]);
}

#[test]
fn what_was_committed_before_is_read_though_its_marks_are_not_there_yet() {
    fill("at-once", 1, "");
    let writer = Writer::new("at-once");
    for round in 1..=5 {
        writer.write("at-once", 10 * (round - 1)..10 * round);
        assert_eq!(read(&["-t", "at-once", "-e"]).ok(), numbers(0..10 * round));
    }
}

#[test]
fn an_aborted_transaction_at_the_end_is_passed_over() {
    fill("aborted", 1, &numbers(0..3));
    let writer = Writer::new("aborted");
    writer.begin("aborted", 3..6);
    let mut reading = Reading::start(&["-t", "aborted", "-e"]);
    thread::sleep(A_WHILE);
    assert!(reading.goes_on());
    writer.abort();
    assert_eq!(reading.rest().ok(), numbers(0..3));
    assert_eq!(read(&["-t", "aborted", "-e"]).ok(), numbers(0..3));
    assert_eq!(read(&["-t", "aborted", "-e", "-o", "4"]).ok(), "", "from within it");
}

#[test]
fn a_topic_that_only_has_aborted_transactions_is_empty() {
    fill("nothing", 1, "");
    let writer = Writer::new("nothing");
    for _ in 0..2 {
        writer.begin("nothing", 0..3);
        writer.abort();
    }
    assert_eq!(read(&["-t", "nothing", "-e"]).ok(), "");
    assert_eq!(read(&["-t", "nothing", "--until", "committed"]).ok(), "");
}

#[test]
fn what_is_committed_can_be_read_without_waiting() {
    fill("committed", 1, &numbers(0..3));
    let writer = Writer::new("committed");
    writer.begin("committed", 3..6);
    assert_eq!(read(&["-t", "committed", "--until", "committed"]).ok(), numbers(0..3));
    let all = ["-t", "committed", "-e", "-X", "isolation.level=read_uncommitted"];
    assert_eq!(read(&all).ok(), numbers(0..6));
    writer.abort();
}

#[test]
fn a_transaction_that_stays_open_is_told_and_ends_it_with_75() {
    fill("stays", 1, &numbers(0..3));
    let writer = Writer::new("stays");
    writer.begin("stays", 3..6);
    let ran = read(&["-t", "stays", "-e", "--broker-timeout", "6s"]);
    assert_eq!(ran.stdout, numbers(0..3), "what came before it is good");
    let what = "kafka-cat-in: topic stays, partition 0: the transaction that began at offset 3";
    let told = format!("{what} is not finished: waiting for it, up to 6s\n");
    assert_eq!(ran.stderr.matches(&told).count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: --until committed ends before it"), "{}", ran.stderr);
    ran.fails_with(75, &format!("{what} is still not finished after 6s"));
    writer.abort();
}

#[test]
fn each_transaction_has_its_own_time_to_end() {
    fill("several", 1, "");
    let (one, two) = (Writer::new("several-1"), Writer::new("several-2"));
    one.begin("several", 0..1);
    two.begin("several", 1..2);
    // Together they are open for longer than one may be, and each has time to spare.
    let mut reading = Reading::start(&["-t", "several", "-e", "--broker-timeout", "12s"]);
    thread::sleep(Duration::from_secs(7));
    one.commit();
    thread::sleep(Duration::from_secs(7));
    assert!(reading.goes_on());
    two.commit();
    assert_eq!(reading.rest().ok(), numbers(0..2));
}

#[test]
fn a_time_to_end_at_waits_for_the_transactions_that_were_open_then() {
    fill("clock", 1, &numbers(0..3));
    let writer = Writer::new("clock");
    writer.begin("clock", 3..6);
    let until = format!("@{}", now_ms() + 1500);
    let mut reading = Reading::start(&["-t", "clock", "--until", &until]);
    thread::sleep(Duration::from_millis(3500));
    assert!(reading.goes_on());
    writer.commit();
    assert_eq!(reading.rest().ok(), numbers(0..6));
    assert_eq!(read(&["-t", "clock", "--until", &until]).ok(), numbers(0..6), "when it is past");
}

#[test]
fn members_of_a_group_wait_too() {
    fill("members", 2, "");
    let writer = Writer::new("members");
    writer.begin("members", 0..20);
    let mut reading = Reading::start(&["-t", "members", "-G", "members", "-e"]);
    thread::sleep(2 * A_WHILE);
    assert!(reading.goes_on());
    writer.commit();
    assert_eq!(reading.rest().ok().lines().count(), 20);
}

#[test]
fn an_offset_to_end_at_may_be_behind_the_mark_of_a_transaction() {
    fill("offset", 1, "");
    Writer::new("offset").write("offset", 0..3);
    assert_eq!(read(&["-t", "offset", "--until", "4"]).ok(), numbers(0..3));
}

#[test]
fn a_broker_that_goes_while_it_waits_is_what_is_told() {
    let broker = testkit::Broker::start();
    let cat_out = testkit::bin("kafka-cat-out");
    run(cat_out, &["-b", broker.address(), "-t", "t", "--create", "1"], &numbers(0..3)).ok();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.address()).set("transactional.id", "t").set("linger.ms", "0");
    let writer = Writer(config.create().unwrap());
    writer.0.init_transactions(LIMIT).unwrap();
    writer.begin("t", 3..6);
    let mut reading = Reading::start_at(broker.address(), &["-t", "t", "-e", "--broker-timeout", "4s"]);
    assert_eq!((0..3).map(|_| reading.line()).collect::<Vec<_>>(), ["0", "1", "2"]);
    broker.kill();
    reading.rest().fails_with(75, "answered within 4s");
}
