//! A pipeline from topic to topic whose processes are killed at many moments.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use testkit::{Broker, Ran, bin, run};

const BIN: &str = env!("CARGO_BIN_EXE_kafka-cat-out");
const LINES_EACH: usize = 2000;

/// Who is killed, so many milliseconds after the start: before hello, while fencing, around the first commit, later.
const KILLS: [(Victim, u64); 12] = [
    (Victim::Both, 900),
    (Victim::Source, 20),
    (Victim::Sink, 40),
    (Victim::Both, 60),
    (Victim::Sink, 90),
    (Victim::Source, 120),
    (Victim::Sink, 150),
    (Victim::Both, 190),
    (Victim::Sink, 250),
    (Victim::Source, 330),
    (Victim::Sink, 480),
    (Victim::Source, 700),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Source,
    Sink,
    Both,
}

struct Pipeline {
    source: Child,
    sink: Child,
}

impl Pipeline {
    fn start(address: &str, state: &Path, flags: [&[&str]; 2], more: &[&str]) -> Self {
        let mut source = Command::new(bin("kafka-cat-in"))
            .args(["-b", address, "-G", "job", "--exactly-once", "--interval", "100ms", "--state"])
            .arg(state)
            .args(flags[0])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let sink = Command::new(BIN)
            .args(["-b", address])
            .args(flags[1])
            .stdin(source.stdout.take().unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { source, sink }
    }

    fn kill(&mut self, victim: Victim) {
        if victim != Victim::Sink {
            self.source.kill().unwrap();
        }
        if victim != Victim::Source {
            self.sink.kill().unwrap();
        }
    }

    /// Returns when both have ended: whoever was not killed notices.
    fn end(self) -> [Ran; 2] {
        [self.sink.wait_with_output().unwrap().into(), self.source.wait_with_output().unwrap().into()]
    }
}

fn write(broker: &Broker, topic: &str, partitions: &str, lines: &str) {
    run(BIN, &["-b", broker.address(), "-t", topic, "--create", partitions], lines).ok();
}

fn read(broker: &Broker, topic: &str) -> String {
    run(bin("kafka-cat-in"), &["-b", broker.address(), "-t", topic, "-e"], "").ok()
}

/// Writes more and more lines, and kills a pipeline again and again. How many lines there were.
fn survive(broker: &Broker, flags: [&[&str]; 2], write_from: impl Fn(usize)) -> usize {
    let state = tempfile::tempdir().unwrap();
    let mut lines = 0;
    for (victim, moment_ms) in KILLS {
        write_from(lines);
        lines += LINES_EACH;
        let mut pipeline = Pipeline::start(broker.address(), state.path(), flags, &[]);
        std::thread::sleep(Duration::from_millis(moment_ms));
        pipeline.kill(victim);
        for ran in pipeline.end() {
            let by_us = ran.signal.is_some() || ran.code == Some(75) || ran.code == Some(0);
            assert!(by_us, "{victim:?} at {moment_ms} ms: {:?}: {}", ran.code, ran.stderr);
        }
    }
    // A run that was killed may have committed after this one has looked: then it says so, once.
    for attempt in 0.. {
        let ended = Pipeline::start(broker.address(), state.path(), flags, &["-e"]).end();
        if ended.iter().all(|ran| ran.code == Some(0)) {
            break;
        }
        assert!(attempt < 3, "{ended:?}");
    }
    lines
}

#[test]
fn whoever_is_killed_when_ever_every_line_is_there_once() {
    let broker = Broker::start();
    write(&broker, "out", "2", "");
    write(&broker, "in", "3", "");
    let write_from = |from: usize| {
        let numbers: String = (from..from + LINES_EACH).map(|n| format!("{n}\n")).collect();
        write(&broker, "in", "3", &numbers);
    };
    let lines = survive(&broker, [&["-t", "in"], &["-t", "out"]], write_from);
    let mut seen: Vec<usize> = read(&broker, "out").lines().map(|line| line.parse().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..lines).collect::<Vec<_>>());
}

/// Two topics in, each line with the name of its own; three out, two of which are made in the middle of a transaction.
#[test]
fn several_topics_in_and_out_are_one_transaction() {
    let broker = Broker::start();
    for topic in ["even", "odd", "rest"] {
        write(&broker, topic, "2", "");
    }
    let write_from = |from: usize| {
        for (topic, first) in [("even", from), ("odd", from + 1)] {
            let line = |n: usize| match n % 3 {
                0 => format!("{{\"n\":{n}}}\n"),
                rest => format!("{{\"n\":{n},\"to\":\"rest-{rest}\"}}\n"),
            };
            write(&broker, topic, "2", &(first..from + LINES_EACH).step_by(2).map(line).collect::<String>());
        }
    };
    let flags: [&[&str]; 2] = [
        &["-t", "even", "-t", "odd", "--tag", "kind"],
        &["--topic-field", ".to", "--drop-topic-field", "-t", "rest", "--create", "2"],
    ];
    let lines = survive(&broker, flags, write_from);
    for (rest, topic) in ["rest", "rest-1", "rest-2"].into_iter().enumerate() {
        let mut seen: Vec<(usize, String)> = Vec::new();
        for line in read(&broker, topic).lines() {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            let n = usize::try_from(json["n"].as_u64().unwrap()).unwrap();
            seen.push((n, line.to_owned()));
        }
        seen.sort_unstable();
        let kind = |n: usize| if n.is_multiple_of(2) { "even" } else { "odd" };
        let expected = (rest..lines).step_by(3).map(|n| (n, format!("{{\"kind\":\"{}\",\"n\":{n}}}", kind(n))));
        assert_eq!(seen, expected.collect::<Vec<_>>(), "{topic}");
    }
}
