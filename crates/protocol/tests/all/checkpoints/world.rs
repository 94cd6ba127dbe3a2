//! A state folder, and stages and sinks that use it.

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use checkpoint::{Changes, CheckpointId, Committed, RealDisk, Snapshot, StageFolder, read_committed, write_committed};
use protocol::{Barrier, Config, Driver, Hello, Job, Keeper, Out, Rejects, SaveJobs, Sink, Stage, Stateful, Truth};
use serde_json::json;
use stream::{Error, Fault};

/// Counts lines by their text; `end` writes the counts.
#[derive(Default)]
pub struct Counter {
    pub counts: std::collections::BTreeMap<String, u64>,
    pub changed: std::collections::BTreeSet<String>,
    pub flags: &'static str,
}

impl Stage for Counter {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let key = String::from_utf8(line.to_vec()).unwrap();
        *self.counts.entry(key.clone()).or_default() += 1;
        self.changed.insert(key);
        out.settle(1);
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        for (key, count) in std::mem::take(&mut self.counts) {
            write!(out.buffer(), "{key} {count}").unwrap();
            out.end_result();
            self.changed.insert(key);
        }
        Ok(())
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Counter {
    fn flags(&self) -> String {
        self.flags.to_owned()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "\"counter\"")
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let mut head = String::new();
        from.read_line(&mut head).map_err(Error::data)?;
        assert_eq!(head, "\"counter\"\n");
        Ok(())
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        for key in std::mem::take(&mut self.changed) {
            match self.counts.get(&key) {
                Some(count) => to.put(&key, |bytes| write!(bytes, "{count}").unwrap()),
                None => to.remove(&key),
            }
        }
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let count = std::str::from_utf8(value).unwrap().parse().map_err(Error::data)?;
        self.counts.insert(key.to_owned(), count);
        Ok(())
    }
}

pub struct World {
    pub dir: tempfile::TempDir,
    pub jobs: SaveJobs,
}

impl World {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), jobs: Arc::new(Mutex::new(VecDeque::new())) }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn keeper(&self) -> Keeper {
        Keeper::scheduled(Arc::new(RealDisk), Arc::clone(&self.jobs))
    }

    /// What the saving thread would do.
    pub fn save(&self) {
        loop {
            let job: Option<Job> = self.jobs.lock().unwrap().pop_front();
            let Some(job) = job else { return };
            job();
        }
    }

    pub fn stage(&self, flags: &'static str) -> Driver<Counter> {
        let stage = Counter { flags, ..Counter::default() };
        Driver::new(stage, Config::new("counter"), Rejects::in_memory("counter")).keep_with(self.keeper())
    }

    pub fn sink(&self, truth: Option<u64>) -> Driver<protocol::SinkStation<Target>> {
        let target = Target { truth: Truth { id: truth.map(|seq| CheckpointId::new("a", seq)), ..Truth::default() } };
        Driver::of_sink(target, Config::new("target"), Rejects::in_memory("target")).keep_with(self.keeper())
    }

    pub fn hello(&self, run: &str, restore: Option<&str>) -> String {
        self.hello_of(None, run, restore)
    }

    /// That of a source that reads for a consumer group.
    pub fn hello_of(&self, group: Option<&str>, run: &str, restore: Option<&str>) -> String {
        let sink = group.map(|group| json!({ "group": group }));
        let restore = restore.map(|id| json!({ "id": id, "positions": {} }));
        let state = self.path();
        let hello = json!({"$": "hello", "v": 1, "run": run, "hop": 1, "state": state, "restore": restore, "sink": sink, "interval_ms": 100});
        format!("{hello}\n")
    }

    /// A stage has saved its state under this id.
    pub fn has_snapshot(&self, stage: &str, id: &str) {
        let id: CheckpointId = id.parse().unwrap();
        let mut folder = StageFolder::open(Arc::new(RealDisk), self.path(), stage, &id.run).unwrap();
        let (stage, flags) = (stage.split_once('-').unwrap().1.to_owned(), String::new());
        folder.save(Snapshot { id, stage, flags, head: b"7\n".to_vec(), changes: Changes::default() }).unwrap();
    }

    pub fn committed(&self) -> Option<Committed> {
        read_committed(&RealDisk, self.path()).unwrap()
    }

    pub fn commit(&self, id: &str) {
        self.commit_to(id, "files");
    }

    pub fn commit_to(&self, id: &str, sink: &str) {
        let committed =
            Committed { id: id.parse().unwrap(), sink: sink.to_owned(), snapshots: Vec::new(), at: String::new() };
        write_committed(&RealDisk, self.path(), &committed).unwrap();
    }
}

pub fn barrier(id: &str, lines: u64, more: &str) -> String {
    format!(
        "{{\"$\":\"barrier\",\"id\":\"{id}\",\"lines\":{lines},\"positions\":{{}},\"hops\":[\"s\"],\"snapshots\":[]{more}}}\n"
    )
}

/// A target that takes everything and knows what it was told.
pub struct Target {
    pub truth: Truth,
}

impl Sink for Target {
    fn line(&mut self, _line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.settle(1);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    fn open(&mut self, _hello: &Hello, _out: &mut Out) -> Result<Truth, Fault> {
        Ok(self.truth.clone())
    }

    fn commit(&mut self, barrier: &Barrier, _out: &mut Out) -> Result<(), Fault> {
        self.truth.id = Some(barrier.id.clone());
        Ok(())
    }

    fn target(&self) -> &'static str {
        "files"
    }
}

pub fn stopped(result: Result<(), Fault>) -> Error {
    match result.unwrap_err() {
        Fault::Stop(error) => error,
        fault => panic!("{fault:?}"),
    }
}
