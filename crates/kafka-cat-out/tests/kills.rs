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
    fn start(address: &str, state: &Path, more: &[&str]) -> Self {
        let mut source = Command::new(bin("kafka-cat-in"))
            .args(["-b", address, "-t", "in", "-G", "job", "--exactly-once", "--interval", "100ms", "--state"])
            .arg(state)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let sink = Command::new(BIN)
            .args(["-b", address, "-t", "out"])
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

fn numbers(from: usize) -> String {
    (from..from + LINES_EACH).map(|n| format!("{n}\n")).collect()
}

#[test]
fn whoever_is_killed_when_ever_every_line_is_there_once() {
    let broker = Broker::start();
    let write = |topic: &str, partitions: &str, lines: &str| {
        run(BIN, &["-b", broker.address(), "-t", topic, "--create", partitions], lines).ok();
    };
    let state = tempfile::tempdir().unwrap();
    write("out", "2", "");
    write("in", "3", "");
    let mut lines = 0;
    for (victim, moment_ms) in KILLS {
        write("in", "3", &numbers(lines));
        lines += LINES_EACH;
        let mut pipeline = Pipeline::start(broker.address(), state.path(), &[]);
        std::thread::sleep(Duration::from_millis(moment_ms));
        pipeline.kill(victim);
        for ran in pipeline.end() {
            let by_us = ran.signal.is_some() || ran.code == Some(75) || ran.code == Some(0);
            assert!(by_us, "{victim:?} at {moment_ms} ms: {:?}: {}", ran.code, ran.stderr);
        }
    }
    // A run that was killed may have committed after this one has looked: then it says so, once.
    for attempt in 0.. {
        let ended = Pipeline::start(broker.address(), state.path(), &["-e"]).end();
        if ended.iter().all(|ran| ran.code == Some(0)) {
            break;
        }
        assert!(attempt < 3, "{ended:?}");
    }
    let out = run(bin("kafka-cat-in"), &["-b", broker.address(), "-t", "out", "-e"], "").ok();
    let mut seen: Vec<usize> = out.lines().map(|line| line.parse().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..lines).collect::<Vec<_>>());
}
