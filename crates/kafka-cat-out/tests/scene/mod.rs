//! A checked stream, said by hand to a `kafka-cat-out`, and what has come of it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
#![allow(dead_code, reason = "each of the tests uses a part")]

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use kafka_ends::Patience;
use kafka_ends::group_offsets::{GroupOffsets, Isolation, Stored};
use serde_json::{Value, json};
use testkit::{Ran, run, wait_until};

pub const BIN: &str = env!("CARGO_BIN_EXE_kafka-cat-out");

/// One pipeline: its names, its folder, its topics.
pub struct Pipe {
    pub address: String,
    pub name: &'static str,
    pub state: tempfile::TempDir,
}

impl Pipe {
    /// Makes the topics `NAME-in` with two partitions and `NAME-out` with one.
    pub fn new(address: &str, name: &'static str) -> Self {
        let pipe = Self { address: address.to_owned(), name, state: tempfile::tempdir().unwrap() };
        pipe.topic(&pipe.input(), 2);
        pipe.topic(&pipe.output(), 1);
        pipe
    }

    pub fn topic(&self, name: &str, partitions: u32) {
        run(BIN, &["-b", &self.address, "-t", name, "--create", &partitions.to_string()], "").ok();
    }

    pub fn input(&self) -> String {
        format!("{}-in", self.name)
    }

    pub fn output(&self) -> String {
        format!("{}-out", self.name)
    }

    pub fn positions(&self, first: impl Into<Value>, second: impl Into<Value>) -> Value {
        let topic = self.input();
        json!({ format!("{topic}/0"): first.into(), format!("{topic}/1"): second.into() })
    }

    /// The source has a snapshot of this checkpoint in the state folder, as it has before it is committed.
    pub fn has_snapshot(&self, id: &str) {
        let folder = self.state.path().join("1-source");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{id}.ndjson")), "").unwrap();
    }

    /// A sink that has been greeted by a run.
    pub fn sink(&self, run: &str, restore: &Value, args: &[&str]) -> Sink {
        self.sink_of(run, restore, &json!({ "transactional_id": self.name, "group": self.name }), args)
    }

    pub fn sink_of(&self, run: &str, restore: &Value, said: &Value, args: &[&str]) -> Sink {
        self.sink_with(run, restore, said, &[&["-t", &self.output()], args].concat())
    }

    /// The same without a topic.
    pub fn bare_sink(&self, run: &str, restore: &Value, args: &[&str]) -> Sink {
        self.sink_with(run, restore, &json!({ "transactional_id": self.name, "group": self.name }), args)
    }

    fn sink_with(&self, run: &str, restore: &Value, said: &Value, args: &[&str]) -> Sink {
        let mut child = Command::new(BIN)
            .args(["-b", &self.address])
            .args(args)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut sink = Sink { child, stdin, run: run.to_owned(), seq: 0, state: self.state.path().to_owned() };
        let state = self.state.path();
        sink.mark(
            &json!({ "$": "hello", "v": 1, "run": run, "hop": 1, "state": state, "restore": restore, "sink": said,
            "interval_ms": 1000 }),
        );
        sink
    }

    /// What readers see that read only what is committed, once open transactions have ended.
    pub fn committed(&self) -> String {
        self.read(&self.output(), &["-e"])
    }

    /// The same while a transaction is open.
    pub fn committed_so_far(&self, topic: &str) -> String {
        self.read(topic, &["--until", "committed"])
    }

    /// What has come to the broker, committed or not.
    pub fn sent(&self, topic: &str) -> String {
        self.read(topic, &["-e", "-X", "isolation.level=read_uncommitted"])
    }

    pub fn wait_for_sent(&self, lines: &str) {
        wait_until("it is sent", || self.sent(&self.output()) == lines);
    }

    pub fn read(&self, topic: &str, args: &[&str]) -> String {
        let args = [&["-b", &self.address, "-t", topic], args].concat();
        run(testkit::bin("kafka-cat-in"), &args, "").ok()
    }

    /// What the group has stored.
    pub fn stored(&self, group: &str, places: &[(String, i32)]) -> Vec<Stored> {
        let mut config = rdkafka::ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        let offsets = GroupOffsets::new(&config, group, Isolation::Committed).unwrap();
        offsets.read(places, &mut Patience::new(&self.address, 30_000)).unwrap()
    }
}

pub struct Sink {
    pub child: Child,
    stdin: ChildStdin,
    run: String,
    seq: u64,
    state: std::path::PathBuf,
}

impl Sink {
    /// A sink that has ended is found out by its exit code.
    pub fn say(&mut self, text: &str) {
        let _ = self.stdin.write_all(text.as_bytes());
    }

    pub fn mark(&mut self, mark: &Value) {
        self.say(&format!("{mark}\n"));
    }

    pub fn barrier(&mut self, lines: usize, positions: &Value) -> String {
        self.seq += 1;
        let id = format!("{}.{}", self.run, self.seq);
        self.mark(&json!({ "$": "barrier", "id": id, "lines": lines, "positions": positions, "hops": ["test"],
            "snapshots": [], "at": "" }));
        id
    }

    /// A barrier, and its commit.
    pub fn commit(&mut self, lines: usize, positions: &Value) {
        let id = self.barrier(lines, positions);
        self.wait_for(&id);
    }

    pub fn wait_for(&mut self, id: &str) {
        wait_until(&format!("{id} is committed"), || {
            committed_id(&self.state).as_deref() == Some(id) || self.child.try_wait().unwrap().is_some()
        });
    }

    pub fn end(mut self) -> Ran {
        self.mark(&json!({ "$": "end", "lines": 0, "drain": false }));
        self.cut()
    }

    /// The stream ends here, with an end mark or without.
    pub fn cut(self) -> Ran {
        drop(self.stdin);
        self.child.wait_with_output().unwrap().into()
    }
}

pub fn committed_id(state: &Path) -> Option<String> {
    let text = std::fs::read(state.join("committed")).ok()?;
    let json: Value = serde_json::from_slice(&text).ok()?;
    Some(json["id"].as_str()?.to_owned())
}

/// The restore of a run that follows another.
pub fn restore(id: &str, positions: &Value) -> Value {
    json!({ "id": id, "positions": positions })
}
