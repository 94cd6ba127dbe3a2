//! The broker of these tests, topics with content, and a running reader.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each of the tests uses a part")]

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

use testkit::{Broker, Ran, run};

pub const BIN: &str = env!("CARGO_BIN_EXE_kafka-cat-in");

pub fn broker() -> &'static Broker {
    static BROKER: LazyLock<Broker> = LazyLock::new(|| Broker::start_with(&["--sasl"]));
    &BROKER
}

/// Writes lines to a topic, which is made if it is not there; lines that are objects are envelopes.
pub fn fill(topic: &str, partitions: u32, lines: &str) {
    let partitions = partitions.to_string();
    let mut args = vec!["-b", broker().address(), "-t", topic, "--create", &partitions];
    if lines.starts_with('{') {
        args.push("--envelope");
    }
    run(testkit::bin("kafka-cat-out"), &args, lines).ok();
}

pub fn numbers(range: Range<i64>) -> String {
    range.map(|n| format!("{n}\n")).collect()
}

/// Envelopes with numbers as values, for one partition, with these times.
pub fn envelopes(partition: i64, range: Range<i64>, time_ms: impl Fn(i64) -> i64) -> String {
    range.map(|n| format!("{{\"partition\":{partition},\"timestamp\":{},\"value\":{n}}}\n", time_ms(n))).collect()
}

pub fn numbers_of(lines: &str) -> Vec<i64> {
    lines.lines().map(|line| line.parse().unwrap()).collect()
}

pub fn read(args: &[&str]) -> Ran {
    run(BIN, &[&["-b", broker().address()], args].concat(), "")
}

/// The whole topic as it is now.
pub fn read_all(topic: &str, args: &[&str]) -> String {
    read(&[&["-t", topic, "-e"], args].concat()).ok()
}

fn is_mark(line: &str) -> bool {
    line.starts_with("{\"$\":")
}

pub fn marks(out: &str) -> Vec<&str> {
    out.lines().filter(|line| is_mark(line)).collect()
}

pub fn data(out: &str) -> String {
    out.lines().filter(|line| !is_mark(line)).map(|line| format!("{line}\n")).collect()
}

pub fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap().success());
}

/// A `kafka-cat-in` that goes on reading.
pub struct Reading {
    pub child: Child,
    pub stdout: BufReader<ChildStdout>,
}

impl Reading {
    pub fn start(args: &[&str]) -> Self {
        Self::start_at(broker().address(), args)
    }

    pub fn start_at(address: &str, args: &[&str]) -> Self {
        let mut command = Command::new(BIN);
        command.args(["-b", address]).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// What it said, once it has ended.
    pub fn rest_of_stderr(&mut self) -> String {
        std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap()
    }

    pub fn ends_cleanly_on(self, name: &str) {
        signal(self.child.id(), name);
        let ran: Ran = self.child.wait_with_output().unwrap().into();
        ran.ok();
    }
}
