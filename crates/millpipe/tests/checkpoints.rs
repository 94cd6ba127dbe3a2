//! Streams with checkpoints, on the state machines that keep them, with a state folder on the disk.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use checkpoint::{Committed, RealDisk, read_committed, write_committed};
use millpipe::{
    Barrier, Changes, CheckpointId, Checkpoints, Config, Driver, Error, Exit, Fault, Hello, Job, Keeper, Out, Policy,
    Polled, Positions, Rejects, SaveJobs, Sink, Source, SourceDriver, Stage, Truth, Turn,
};
use serde_json::json;

/// Counts lines by their text; `end` writes the counts.
#[derive(Default)]
struct Counter {
    counts: std::collections::BTreeMap<String, u64>,
    changed: std::collections::BTreeSet<String>,
    flags: &'static str,
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

    fn changes(&mut self, to: &mut Changes) {
        for key in std::mem::take(&mut self.changed) {
            match self.counts.get(&key) {
                Some(count) => to.put(&key, |bytes| write!(bytes, "{count}").unwrap()),
                None => to.remove(&key),
            }
        }
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let count = std::str::from_utf8(value).unwrap().parse().map_err(Error::data)?;
        self.counts.insert(key.to_owned(), count);
        Ok(())
    }
}

struct World {
    dir: tempfile::TempDir,
    jobs: SaveJobs,
}

impl World {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), jobs: Arc::new(Mutex::new(VecDeque::new())) }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn keeper(&self) -> Keeper {
        Keeper::scheduled(Arc::new(RealDisk), Arc::clone(&self.jobs))
    }

    /// What the saving thread would do.
    fn save(&self) {
        loop {
            let job: Option<Job> = self.jobs.lock().unwrap().pop_front();
            let Some(job) = job else { return };
            job();
        }
    }

    fn stage(&self, flags: &'static str) -> Driver<Counter> {
        let stage = Counter { flags, ..Counter::default() };
        Driver::new(stage, Config::new("counter"), Rejects::in_memory("counter")).keep_with(self.keeper())
    }

    fn sink(&self, truth: Option<u64>) -> Driver<millpipe::SinkStage<Target>> {
        let target = Target { truth: Truth { id: truth.map(|seq| CheckpointId::new("a", seq)), ..Truth::default() } };
        Driver::of_sink(target, Config::new("target"), Rejects::in_memory("target")).keep_with(self.keeper())
    }

    fn hello(&self, run: &str, restore: Option<&str>) -> String {
        let restore = restore.map(|id| json!({ "id": id, "positions": {} }));
        let state = self.path();
        let hello = json!({"$": "hello", "v": 1, "run": run, "hop": 1, "state": state, "restore": restore, "sink": null, "interval_ms": 100});
        format!("{hello}\n")
    }

    fn committed(&self) -> Option<Committed> {
        read_committed(&RealDisk, self.path()).unwrap()
    }

    fn commit(&self, id: &str) {
        let committed =
            Committed { id: id.parse().unwrap(), sink: "files".to_owned(), snapshots: Vec::new(), at: String::new() };
        write_committed(&RealDisk, self.path(), &committed).unwrap();
    }
}

fn barrier(id: &str, lines: u64, more: &str) -> String {
    format!(
        "{{\"$\":\"barrier\",\"id\":\"{id}\",\"lines\":{lines},\"positions\":{{}},\"hops\":[\"s\"],\"snapshots\":[]{more}}}\n"
    )
}

/// A target that takes everything and knows what it was told.
struct Target {
    truth: Truth,
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

fn stopped(result: Result<(), Fault>) -> Error {
    match result.unwrap_err() {
        Fault::Stop(error) => error,
        fault => panic!("{fault:?}"),
    }
}

#[test]
fn a_stage_goes_on_from_the_snapshot_that_hello_names() {
    let world = World::new();
    let mut first = world.stage("");
    first.feed(format!("{}x\ny\nx\n{}", world.hello("a", None), barrier("a.1", 3, "")).as_bytes()).unwrap();
    first.feed(format!("x\n{}x\n", barrier("a.2", 1, "")).as_bytes()).unwrap();
    world.save();
    let written = String::from_utf8(first.out.take()).unwrap();
    assert!(written.contains(r#""hops":["s","counter"],"snapshots":["2-counter"]"#), "{written}");

    for (id, expected) in [("a.1", "x 2\ny 1\n"), ("a.2", "x 3\ny 1\n")] {
        let mut second = world.stage("");
        second.feed(world.hello("b", Some(id)).as_bytes()).unwrap();
        second.out.take();
        second.feed(b"{\"$\":\"end\",\"lines\":0,\"drain\":true}\n").unwrap();
        let written = String::from_utf8(second.out.take()).unwrap();
        assert!(written.starts_with(expected), "from {id}: {written}");
    }
}

#[test]
fn a_snapshot_of_other_flags_stops_the_run() {
    let world = World::new();
    let mut first = world.stage("--by x");
    first.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, "")).as_bytes()).unwrap();
    world.save();
    let error = stopped(world.stage("--by y").feed(world.hello("b", Some("a.1")).as_bytes()));
    assert_eq!(error.exit, Exit::Data);
    assert!(error.message.contains("--by x") && error.message.contains("--by y"), "{error}");
}

#[test]
fn a_snapshot_that_is_missing_stops_the_run() {
    let world = World::new();
    let error = stopped(world.stage("").feed(world.hello("b", Some("a.1")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
    assert!(error.message.contains("2-counter") && error.hint.is_some(), "{error}");
}

#[test]
fn a_snapshot_that_went_while_the_run_was_already_stale_is_temporary() {
    let world = World::new();
    world.commit("z.9");
    let error = stopped(world.stage("").feed(world.hello("b", Some("a.1")).as_bytes()));
    assert_eq!(error.exit, Exit::Temporary, "{error}");
}

#[test]
fn the_last_barrier_flushes_and_the_end_does_not_flush_again() {
    let world = World::new();
    let mut stage = world.stage("");
    let input = format!(
        "{}x\n{}{}",
        world.hello("a", None),
        barrier("a.1", 1, ",\"drain\":true"),
        "{\"$\":\"end\",\"lines\":0,\"drain\":true}\n"
    );
    stage.feed(input.as_bytes()).unwrap();
    let written = String::from_utf8(stage.out.take()).unwrap();
    assert_eq!(written.matches("x 1\n").count(), 1, "{written}");
    assert!(written.find("x 1\n").unwrap() < written.find("barrier").unwrap(), "{written}");
    world.save();
    let mut again = world.stage("");
    again
        .feed(format!("{}{}", world.hello("b", Some("a.1")), "{\"$\":\"end\",\"lines\":0,\"drain\":true}\n").as_bytes())
        .unwrap();
    let written = String::from_utf8(again.out.take()).unwrap();
    assert!(!written.contains("x 1"), "the snapshot is that behind the flush: {written}");
}

#[test]
fn a_sink_whose_target_knows_another_commit_mends_the_copy_and_ends() {
    let world = World::new();
    world.commit("a.7");
    let error = stopped(world.sink(Some(8)).feed(world.hello("b", Some("a.7")).as_bytes()));
    assert_eq!(error.exit, Exit::Temporary, "{error}");
    assert_eq!(world.committed().unwrap().id, CheckpointId::new("a", 8));
    world.sink(Some(8)).feed(world.hello("c", Some("a.8")).as_bytes()).unwrap();
}

#[test]
fn a_target_without_any_commit_is_not_that_of_this_state() {
    let world = World::new();
    let error = stopped(world.sink(None).feed(world.hello("b", Some("a.7")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
}

#[test]
fn a_copied_checkpoint_may_begin_a_new_output() {
    let world = World::new();
    let committed = Committed {
        id: CheckpointId::new("a", 7),
        sink: checkpoint::SAVEPOINT.to_owned(),
        snapshots: Vec::new(),
        at: String::new(),
    };
    write_committed(&RealDisk, world.path(), &committed).unwrap();
    world.sink(None).feed(world.hello("b", Some("a.7")).as_bytes()).unwrap();
    let error = stopped(world.sink(Some(9)).feed(world.hello("c", Some("a.7")).as_bytes()));
    assert_eq!(error.exit, Exit::Temporary, "an output that has commits is another matter: {error}");
}

#[test]
fn a_sink_commits_when_all_snapshots_are_there() {
    let world = World::new();
    let mut stage = world.stage("");
    stage.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, ",\"drain\":true")).as_bytes()).unwrap();
    let stream = stage.out.take();
    let mut sink = world.sink(None);
    sink.keeper().watch_upstream(|| true);
    let error = stopped(sink.feed(&stream));
    assert_eq!(error.exit, Exit::Temporary, "{error}");
    assert!(error.message.contains("no snapshot a.1"), "{error}");
    assert_eq!(world.committed(), None);

    world.save();
    world.sink(None).feed(&stream).unwrap();
    let committed = world.committed().unwrap();
    assert_eq!((committed.id, committed.snapshots), (CheckpointId::new("a", 1), vec!["2-counter".to_owned()]));
}

/// A sink that waits for a snapshot that never comes: what it says, and how often it has looked for its source.
fn waits_in_vain(source_has_gone: bool, live_run: &str) -> (Error, usize) {
    let world = World::new();
    checkpoint::begin_run(&RealDisk, world.path(), live_run).unwrap();
    let mut stage = world.stage("");
    stage.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, "")).as_bytes()).unwrap();
    let mut sink = world.sink(None);
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    sink.keeper().watch_source(move |_| {
        counted.fetch_add(1, Relaxed);
        source_has_gone
    });
    let error = stopped(sink.feed(&stage.out.take()));
    (error, looks.load(Relaxed))
}

#[test]
fn a_sink_that_waits_for_a_snapshot_finds_out_that_the_source_is_dead_or_another_run_has_begun() {
    for (source_has_gone, live_run) in [(true, "a"), (false, "b")] {
        let (error, looks) = waits_in_vain(source_has_gone, live_run);
        assert!(error.message.contains("no snapshot a.1") && error.exit == Exit::Temporary, "{error}");
        assert_eq!(looks, 1);
    }
    let (_, looks) = waits_in_vain(false, "a");
    assert!(looks > 10, "it waits while there is hope: {looks}");
}

#[test]
fn a_stale_sink_leaves_the_copy_of_a_younger_run_alone() {
    let world = World::new();
    let mut sink = world.sink(None);
    sink.feed(world.hello("a", None).as_bytes()).unwrap();
    checkpoint::begin_run(&RealDisk, world.path(), "b").unwrap();
    world.commit("b.1");
    let error = stopped(sink.feed(barrier("a.1", 0, "").as_bytes()));
    assert_eq!(error.exit, Exit::Temporary);
    assert!(error.message.contains("another run has begun since: b"), "{error}");
    assert_eq!(world.committed().unwrap().id, CheckpointId::new("b", 1));
}

#[test]
fn lines_behind_the_last_barrier_are_a_broken_contract() {
    let world = World::new();
    let input = format!("{}x\n{{\"$\":\"end\",\"lines\":1,\"drain\":false}}\n", world.hello("a", None));
    let error = stopped(world.sink(None).feed(input.as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
}

#[test]
fn a_barrier_of_another_run_is_a_broken_contract() {
    let world = World::new();
    let error =
        stopped(world.stage("").feed(format!("{}{}", world.hello("b", None), barrier("a.1", 0, "")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
}

#[test]
fn two_stages_cannot_keep_their_state_under_one_name() {
    let world = World::new();
    let config = || Config { state_name: Some("totals".to_owned()), ..Config::new("counter") };
    let stage = || Driver::new(Counter::default(), config(), Rejects::in_memory("counter")).keep_with(world.keeper());
    let mut first = stage();
    first.feed(format!("{}{}", world.hello("a", None), barrier("a.1", 0, "")).as_bytes()).unwrap();
    let error = stopped(stage().feed(&first.out.take()));
    assert_eq!(error.exit, Exit::Usage, "{error}");
}

#[test]
fn a_snapshot_that_cannot_be_written_ends_the_run() {
    let world = World::new();
    let mut stage = world.stage("");
    stage.feed(world.hello("a", None).as_bytes()).unwrap();
    fs::write(world.path().join("2-counter"), "a file where a folder should be").unwrap();
    stage.feed(format!("x\n{}", barrier("a.1", 1, "")).as_bytes()).unwrap();
    world.save();
    assert!(stage.is_saving().is_err());
    let error = stopped(stage.feed(barrier("a.2", 0, "").as_bytes()));
    assert!(error.message.contains("2-counter"), "{error}");
}

/// Gives the numbers from 1 to `last`.
struct Numbers {
    next: u64,
    last: u64,
    committed: Vec<Positions>,
}

impl Source for Numbers {
    fn poll(&mut self, _wait_ms: u64, out: &mut Out) -> Result<Polled, Fault> {
        if self.next > self.last {
            return Ok(Polled::Done);
        }
        out.line(self.next.to_string().as_bytes());
        self.next += 1;
        Ok(Polled::More)
    }

    fn position(&self) -> String {
        self.next.to_string()
    }

    fn seek(&mut self, position: &str) -> Result<(), Error> {
        self.next = position.parse().map_err(Error::data)?;
        Ok(())
    }

    fn positions(&self) -> Positions {
        json!({ "n": self.next }).as_object().cloned().unwrap()
    }

    fn committed(&mut self, positions: &Positions) -> Result<(), Fault> {
        self.committed.push(positions.clone());
        Ok(())
    }
}

fn source(world: &World, run: &str, last: u64) -> SourceDriver<Numbers> {
    let checkpoints =
        Checkpoints { state: PathBuf::from(world.path()), interval_ms: 50, run: run.to_owned(), drains: true };
    let out = Out::new(&Policy::default(), Rejects::in_memory("numbers"));
    let numbers = Numbers { next: 1, last, committed: Vec::new() };
    SourceDriver::new(numbers, "numbers", out, Some(checkpoints), world.keeper())
}

fn turn(source: &mut SourceDriver<Numbers>, now_ms: i64) -> (Turn, String) {
    source.out.set_now_ms(now_ms);
    let turn = source.turn(100).unwrap();
    (turn, String::from_utf8(source.out.take()).unwrap())
}

#[test]
fn one_barrier_is_in_flight_at_a_time() {
    let world = World::new();
    let mut source = source(&world, "a", 1_000);
    source.begin().unwrap();
    let barriers: Vec<i64> = (0..500).filter(|&ms| turn(&mut source, ms).1.contains("barrier")).collect();
    assert_eq!(barriers, [50], "the second one waits for the commit of the first");
    world.save();
    world.commit("a.1");
    assert!(turn(&mut source, 502).1.contains("\"id\":\"a.2\""));
    let at_barrier = json!({ "n": 51 }).as_object().cloned().unwrap();
    assert_eq!(source.source.committed, [at_barrier], "the position when the barrier was written");
}

#[test]
fn a_source_that_waits_for_a_commit_writes_now_and_then_so_that_a_broken_pipe_is_noticed() {
    let world = World::new();
    let mut source = source(&world, "a", 3);
    source.begin().unwrap();
    let written: Vec<(i64, String)> = (0..3_500).map(|ms| (ms, turn(&mut source, ms).1)).collect();
    let marks: Vec<_> = written.iter().filter(|(_, text)| text.contains("waiting")).collect();
    let waiting = "{\"$\":\"waiting\",\"for\":\"a.1\"}\n";
    assert!(marks.len() == 3 && marks.iter().all(|(_, text)| text == waiting), "{marks:?}");
}

#[test]
fn the_end_waits_for_the_last_commit() {
    let world = World::new();
    let mut source = source(&world, "a", 3);
    source.begin().unwrap();
    let written: String = (0..20).map(|ms| turn(&mut source, ms).1).collect();
    let last = written.lines().last().unwrap();
    assert!(
        last.contains("\"id\":\"a.1\"") && last.contains("\"lines\":3") && last.contains("\"drain\":true"),
        "{written}"
    );
    world.save();
    world.commit("a.1");
    let (over, end) = turn(&mut source, 100);
    assert_eq!(over, Turn::Over);
    assert_eq!(end, "{\"$\":\"end\",\"lines\":0,\"drain\":true}\n");

    let mut again = self::source(&world, "b", 5);
    again.begin().unwrap();
    assert!(String::from_utf8(again.out.take()).unwrap().contains("\"restore\":{\"id\":\"a.1\""));
    assert_eq!(turn(&mut again, 1).1, "4\n", "the next run goes on where the last one ended");
}

#[test]
fn a_signal_ends_the_stream_without_a_flush() {
    let world = World::new();
    let mut source = source(&world, "a", 1_000);
    source.begin().unwrap();
    turn(&mut source, 1);
    source.stop();
    let (_, written) = turn(&mut source, 2);
    assert!(written.contains("barrier") && !written.contains("drain"), "{written}");
    world.save();
    world.commit("a.1");
    assert_eq!(turn(&mut source, 9).1, "{\"$\":\"end\",\"lines\":0,\"drain\":false}\n");
}

#[test]
fn a_source_whose_state_another_run_has_taken_over_ends() {
    let world = World::new();
    let mut source = source(&world, "a", 1_000);
    source.begin().unwrap();
    turn(&mut source, 60);
    world.commit("b.1");
    source.out.set_now_ms(70);
    let Err(Fault::Stop(error)) = source.turn(100) else { panic!("it goes on") };
    assert_eq!(error.exit, Exit::Temporary, "{error}");
}
