//! Runs that save, merge, commit, prune, fail and crash in any order, with a stale run beside them: every snapshot that
//! a sink may name still loads exactly.

use crate::folder;

use std::path::Path;
use std::sync::Arc;

use checkpoint::{CheckpointId, Disk, Error, Merge, Merged, StageFolder};
use folder::{State, changes, id, load, open, snapshot};
use proptest::collection::vec;
use proptest::prelude::*;
use testkit::{NO_SPACE, SimDisk};

const DIR: &str = "/state";

#[derive(Clone, Debug)]
enum Step {
    Save(Vec<(u8, Option<u8>)>),
    TakeMerge,
    RunMerge,
    GiveMerged,
    /// One of the snapshots that are not older than the committed one.
    Commit(u8),
    /// The stage dies, or seems to: with `true` it goes on, stale, beside the new one.
    Restart(bool, u8),
    StaleSave(Vec<(u8, Option<u8>)>),
    /// A commit of the stale run arrives before the live one has committed: the live one ends, and a new one begins.
    StaleCommit(u8),
    Crash(u64, u8),
    /// After so many operations on the disk one fails.
    Fail(u64),
    /// After so many operations on the disk the power is gone.
    PowerCut(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let some_changes = || vec((0..12_u8, proptest::option::weighted(0.7, any::<u8>())), 0..6);
    prop_oneof![
        12 => some_changes().prop_map(Step::Save),
        4 => Just(Step::TakeMerge),
        4 => Just(Step::RunMerge),
        4 => Just(Step::GiveMerged),
        8 => any::<u8>().prop_map(Step::Commit),
        2 => (any::<bool>(), any::<u8>()).prop_map(|(stale, which)| Step::Restart(stale, which)),
        3 => some_changes().prop_map(Step::StaleSave),
        1 => any::<u8>().prop_map(Step::StaleCommit),
        1 => (any::<u64>(), any::<u8>()).prop_map(|(seed, which)| Step::Crash(seed, which)),
        1 => (0..12_u64).prop_map(Step::Fail),
        1 => (0..40_u64).prop_map(Step::PowerCut),
    ]
}

type Saved = (CheckpointId, State);

/// One life of the stage.
struct Life {
    run: String,
    folder: StageFolder,
    seq: u64,
    state: State,
    merge: Option<Merge>,
    merged: Option<Merged>,
    /// What may be asked for, oldest first: the committed one before the last, the last, and all later ones.
    saved: Vec<Saved>,
    /// Where in `saved` the last committed one is.
    committed: Option<usize>,
    has_committed: bool,
}

impl Life {
    fn begin(disk: &Arc<dyn Disk>, run: String, from: Option<Saved>) -> Result<Self, Error> {
        let mut folder = StageFolder::open(Arc::clone(disk), Path::new(DIR), folder::NAME, &run)?;
        if let Some((id, state)) = &from {
            assert_eq!(&load(&mut folder, id)?.1, state, "{id}");
        }
        Ok(Self {
            run,
            folder,
            seq: 0,
            state: from.as_ref().map(|from| from.1.clone()).unwrap_or_default(),
            merge: None,
            merged: None,
            committed: from.as_ref().map(|_| 0),
            saved: from.into_iter().collect(),
            has_committed: false,
        })
    }

    fn save(&mut self, changed: &[(u8, Option<u8>)]) -> Result<(), Error> {
        self.seq += 1;
        let id = self.last_id();
        let text: Vec<_> =
            changed.iter().map(|(key, value)| (format!("key-{key}"), value.map(|value| value.to_string()))).collect();
        for (key, value) in &text {
            match value {
                Some(value) => self.state.insert(key.clone(), value.clone()),
                None => self.state.remove(key),
            };
        }
        let all = changes(text.iter().map(|(key, value)| (key.as_str(), value.as_deref())));
        self.folder.save(snapshot(id.clone(), "", all))?;
        self.saved.push((id, self.state.clone()));
        Ok(())
    }

    fn last_id(&self) -> CheckpointId {
        id(&self.run, self.seq)
    }

    /// After a save that failed: the file is whole all the same, or not there.
    fn last_is_whole_or_missing(&self, disk: &Arc<dyn Disk>) {
        let Ok(mut folder) = StageFolder::open(Arc::clone(disk), Path::new(DIR), folder::NAME, "look") else { return };
        let id = self.last_id();
        match load(&mut folder, &id) {
            Ok((_, state)) => assert_eq!(state, self.state, "{id}"),
            Err(Error::Missing { .. } | Error::Io { .. }) => {}
            Err(error) => panic!("{id}: {error}"),
        }
    }

    fn take_merge(&mut self) {
        if self.merge.is_none() {
            self.merge = self.folder.merge_due();
        }
    }

    fn run_merge(&mut self) -> Result<(), Error> {
        if let Some(merge) = self.merge.take() {
            self.merged = Some(merge.run()?);
        }
        Ok(())
    }

    fn give_merged(&mut self) {
        if let Some(merged) = self.merged.take() {
            self.folder.merged(merged);
        }
    }

    fn commit(&mut self, which: u8) -> Result<(), Error> {
        let first = self.committed.unwrap_or(0);
        if first == self.saved.len() {
            return Ok(());
        }
        let new = first + usize::from(which) % (self.saved.len() - first);
        let id = self.saved[new].0.clone();
        if id.run == self.run && self.committed != Some(new) {
            let before = self.committed.map(|before| self.saved[before].clone());
            self.committed = Some(usize::from(before.is_some()));
            self.saved.drain(..new);
            self.saved.splice(..0, before);
            self.has_committed = true;
        }
        self.folder.prune(&id)
    }

    /// What a sink may still commit or has committed.
    fn since_committed(&self) -> &[Saved] {
        &self.saved[self.committed.unwrap_or(0)..]
    }
}

struct World {
    sim: SimDisk,
    disk: Arc<dyn Disk>,
    runs: u32,
    live: Life,
    stale: Option<Life>,
}

impl World {
    /// With a first snapshot of so many keys: that is not merged as soon as the small ones behind it.
    fn new(keys: u8) -> Self {
        let sim = SimDisk::new();
        let disk: Arc<dyn Disk> = Arc::new(sim.clone());
        let mut live = Life::begin(&disk, "run-0".to_owned(), None).unwrap();
        live.save(&(0..keys).map(|key| (key, Some(key))).collect::<Vec<_>>()).unwrap();
        Self { sim, disk, runs: 0, live, stale: None }
    }

    fn step(&mut self, step: &Step) {
        let done = match step {
            Step::Save(changed) => {
                let saved = self.live.save(changed);
                saved.inspect_err(|_| self.live.last_is_whole_or_missing(&self.disk))
            }
            Step::RunMerge => self.live.run_merge(),
            Step::Commit(which) => self.live.commit(*which),
            Step::StaleCommit(which) => self.stale_commit(*which),
            event => {
                self.befall(event);
                Ok(())
            }
        };
        if done.is_err() {
            self.crash(self.sim.operations(), 0);
        }
    }

    /// What cannot fail.
    fn befall(&mut self, event: &Step) {
        match event {
            Step::TakeMerge => self.live.take_merge(),
            Step::GiveMerged => self.live.give_merged(),
            Step::Restart(stale, which) => self.restart(*stale, *which),
            Step::StaleSave(changed) => self.stale_save(changed),
            Step::Crash(seed, which) => self.crash(*seed, *which),
            Step::Fail(ahead) => self.sim.fail(*ahead, NO_SPACE),
            Step::PowerCut(ahead) => self.sim.stop(*ahead),
            Step::Save(_) | Step::RunMerge | Step::Commit(_) | Step::StaleCommit(_) => {}
        }
    }

    fn stale_save(&mut self, changed: &[(u8, Option<u8>)]) {
        let Some(stale) = &mut self.stale else { return };
        let saved = stale.save(changed);
        // Once the live one has committed, it may have pruned what the stale one builds on.
        if saved.is_err() && !self.live.has_committed {
            stale.last_is_whole_or_missing(&self.disk);
        }
        let merged = saved.and_then(|()| {
            stale.take_merge();
            stale.run_merge()
        });
        stale.give_merged();
        if merged.is_err() {
            self.stale = None;
        }
    }

    fn stale_commit(&mut self, which: u8) -> Result<(), Error> {
        let Some(mut stale) = self.stale.take().filter(|_| !self.live.has_committed) else { return Ok(()) };
        let pruned = stale.commit(which);
        self.live = stale;
        pruned?;
        self.restart(true, 0);
        Ok(())
    }

    fn crash(&mut self, seed: u64, which: u8) {
        self.sim.crash(seed);
        self.check();
        self.restart(false, which);
        self.stale = None;
    }

    /// The new run goes on from what the sink has committed by now; until the live run has committed, that may be one
    /// of the stale run.
    fn restart(&mut self, leave_stale: bool, which: u8) {
        let stale = self.stale.as_ref().filter(|_| !self.live.has_committed);
        let mut all = self.live.since_committed().to_vec();
        all.extend(stale.iter().flat_map(|stale| stale.since_committed()).cloned());
        let from = if all.is_empty() { None } else { Some(all[usize::from(which) % all.len()].clone()) };
        self.runs += 1;
        let Ok(live) = Life::begin(&self.disk, format!("run-{}", self.runs), from) else {
            // The disk failed.
            return self.crash(u64::from(which), which);
        };
        let old = std::mem::replace(&mut self.live, live);
        self.stale = Some(old).filter(|_| leave_stale);
    }

    /// All that a sink may name is there.
    fn check(&self) {
        let stale = self.stale.as_ref().filter(|_| !self.live.has_committed);
        for (id, expected) in self.live.saved.iter().chain(stale.iter().flat_map(|stale| stale.since_committed())) {
            let (_, state) = load(&mut open(&self.disk, Path::new(DIR), "look"), id).unwrap();
            assert_eq!(&state, expected, "{id}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_a_sink_may_name_loads_exactly_whatever_happens(keys in prop_oneof![Just(0_u8), Just(100)], steps in vec(step(), 1..150)) {
        let mut world = World::new(keys);
        for step in &steps {
            world.step(step);
        }
        world.crash(7, 0);
        world.check();
    }
}

#[test]
fn a_power_cut_at_any_operation_of_a_save_loses_only_that_save() {
    for ahead in 0..30 {
        for seed in 0..20 {
            let mut world = World::new(3);
            world.live.commit(0).unwrap();
            world.sim.stop(ahead);
            let changes = [(1, None), (3, Some(3))];
            let result = world.live.save(&changes).and_then(|()| world.live.commit(1));
            world.sim.crash(seed);
            world.check();
            if result.is_err() {
                world.live.last_is_whole_or_missing(&world.disk);
            }
        }
    }
}
