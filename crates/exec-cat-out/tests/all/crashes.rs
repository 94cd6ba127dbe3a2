//! Runs that spool, commit, fail, die and crash in any order: the target gets every epoch, always with the same bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use checkpoint::{CheckpointId, Disk, Storage};
use exec_cat_out::{ExecSink, Limits, Target};
use millpipe::{Barrier, Error, Hello, Out, Policy, Positions, Rejects, Sink, Truth};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use testkit::{NO_SPACE, SimDisk};

#[derive(Clone, Debug)]
enum Step {
    Line,
    Commit,
    Die,
    Crash(u64),
    /// After so many operations on the disk one fails.
    Fail(u64),
    /// After so many operations on the disk the power is gone.
    PowerCut(u64, u64),
    /// The target fails so often, each time after it has taken the lines or before.
    Refuse(u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => Just(Step::Line),
        8 => Just(Step::Commit),
        2 => Just(Step::Die),
        2 => any::<u64>().prop_map(Step::Crash),
        2 => (0..20_u64).prop_map(Step::Fail),
        2 => (0..30_u64, any::<u64>()).prop_map(|(ahead, seed)| Step::PowerCut(ahead, seed)),
        2 => (1..3_u8, any::<bool>()).prop_map(|(times, takes)| Step::Refuse(times, takes)),
    ]
}

/// A target that knows the ids that it has seen.
#[derive(Default)]
struct Store {
    seen: BTreeMap<String, String>,
    lines: String,
    refuses: u8,
    takes_all_the_same: bool,
}

struct Door {
    store: Arc<Mutex<Store>>,
    disk: SimDisk,
}

impl Target for Door {
    fn give(&mut self, id: Option<&CheckpointId>, epoch: &Path, _again: bool) -> Result<(), Error> {
        let bytes = String::from_utf8(self.disk.files()[epoch].clone()).unwrap();
        let id = id.unwrap().to_string();
        let mut store = self.store.lock().unwrap();
        let refused = store.refuses > 0;
        store.refuses = store.refuses.saturating_sub(1);
        if refused && !store.takes_all_the_same {
            return Err(Error::temporary("refused"));
        }
        match store.seen.get(&id) {
            Some(seen) => assert_eq!(*seen, bytes, "{id} has changed"),
            None => {
                store.lines.push_str(&bytes);
                store.seen.insert(id, bytes);
            }
        }
        if refused { Err(Error::temporary("refused too late")) } else { Ok(()) }
    }
}

struct World {
    disk: SimDisk,
    store: Arc<Mutex<Store>>,
    gives_empty: bool,
    sink: Option<ExecSink<Door>>,
    out: Out,
    run: u64,
    seq: u64,
    lines: u64,
    committed: (Option<CheckpointId>, String),
    in_doubt: Option<(CheckpointId, String)>,
    open: String,
    crash_seed: Option<u64>,
}

impl World {
    fn new(gives_empty: bool) -> Self {
        let disk = SimDisk::new();
        disk.create_dir(Path::new("/state")).unwrap();
        Self {
            disk,
            store: Arc::default(),
            gives_empty,
            sink: None,
            out: Out::new(&Policy::default(), Rejects::in_memory("exec-cat-out")),
            run: 0,
            seq: 0,
            lines: 0,
            committed: (None, String::new()),
            in_doubt: None,
            open: String::new(),
            crash_seed: None,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Line => self.line(),
            Step::Commit => self.commit(),
            Step::Die => self.died(),
            Step::Crash(seed) => {
                self.died();
                self.disk.crash(seed);
            }
            Step::Fail(ahead) => self.disk.fail(ahead, NO_SPACE),
            Step::PowerCut(ahead, seed) => {
                self.disk.stop(ahead);
                self.crash_seed = Some(seed);
            }
            Step::Refuse(times, takes) => {
                let mut store = self.store.lock().unwrap();
                (store.refuses, store.takes_all_the_same) = (times, takes);
            }
        }
    }

    fn finish(&mut self) {
        for _ in 0..200 {
            self.commit();
            if self.sink.is_some() && self.in_doubt.is_none() {
                assert_eq!(self.given(), self.committed.1);
                return;
            }
        }
        panic!("it never ends");
    }

    fn given(&self) -> String {
        self.store.lock().unwrap().lines.clone()
    }

    fn run(&self) -> String {
        format!("{:011x}-0", self.run)
    }

    fn begin(&mut self) -> bool {
        if self.sink.is_some() {
            return true;
        }
        self.run += 1;
        self.seq = 0;
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let storage = Storage { disk, lock: Box::new(|_| Ok(Box::new(()))) };
        let limits = Limits { epoch_bytes_max: 1 << 20, gives_empty: self.gives_empty, checks_json: false };
        let door = Door { store: Arc::clone(&self.store), disk: self.disk.clone() };
        let mut sink = ExecSink::new(limits, door, storage);
        let hello = Hello {
            run: self.run(),
            hop: 2,
            state: "/state".into(),
            restore: Truth::default(),
            sink: serde_json::Value::Null,
            interval_ms: 1000,
            shard: String::new(),
        };
        let opened = sink.open(&hello, &mut self.out);
        self.sink = Some(sink);
        let Ok(truth) = opened else {
            self.died();
            return false;
        };
        if let Some((doubted, lines)) = self.in_doubt.take()
            && truth.id.as_ref() == Some(&doubted)
        {
            self.committed = (Some(doubted), lines);
        }
        assert_eq!(truth.id, self.committed.0);
        assert_eq!(self.given(), self.committed.1, "what is committed is given before all else");
        let left = self.disk.files().into_keys().filter(|path| path.extension().is_some_and(|e| e == "epoch")).count();
        assert_eq!(left, 0, "nothing is left of what was given, or never committed");
        true
    }

    fn line(&mut self) {
        if !self.begin() {
            return;
        }
        let line = self.lines.to_string();
        self.lines += 1;
        self.open.push_str(&format!("{line}\n"));
        if self.sink.as_mut().unwrap().line(line.as_bytes(), &mut self.out).is_err() {
            self.died();
        }
    }

    fn commit(&mut self) {
        if !self.begin() {
            return;
        }
        self.seq += 1;
        let id = CheckpointId::new(&self.run(), self.seq);
        let barrier = Barrier { id: id.clone(), positions: Positions::new(), snapshots: Vec::new(), drain: false };
        let lines = format!("{}{}", self.committed.1, std::mem::take(&mut self.open));
        if self.sink.as_mut().unwrap().commit(&barrier, &mut self.out).is_ok() {
            self.committed = (Some(id), lines);
            assert_eq!(self.given(), self.committed.1);
            assert_eq!(self.sink.as_ref().unwrap().held(), 0);
        } else {
            self.in_doubt = Some((id, lines));
            self.died();
        }
    }

    fn died(&mut self) {
        self.sink = None;
        self.open.clear();
        if let Some(seed) = self.crash_seed.take() {
            self.disk.crash(seed);
        }
        let (given, most) = (self.given(), self.in_doubt.as_ref().map_or(&self.committed.1, |(_, lines)| lines));
        assert!(most.starts_with(&given), "{given:?} is given, {most:?} may be");
    }
}

#[test]
fn every_epoch_is_given_with_the_same_bytes_and_in_order() {
    let config = Config { cases: 3000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]));
    let result = runner.run(&(any::<bool>(), prop::collection::vec(step(), 0..60)), |(gives_empty, steps)| {
        let mut world = World::new(gives_empty);
        steps.iter().for_each(|step| world.step(step));
        world.finish();
        Ok(())
    });
    result.unwrap();
}

/// One short life, cut off at each of its operations.
#[test]
fn a_crash_at_any_operation_loses_nothing() {
    for seed in 0..8 {
        for ahead in 0..90 {
            let mut world = World::new(false);
            let life = [Step::Line, Step::Line, Step::Commit, Step::Line, Step::Commit, Step::Commit];
            world.step(&Step::PowerCut(ahead, seed));
            for _ in 0..4 {
                life.iter().for_each(|step| world.step(step));
            }
            world.finish();
        }
    }
}
