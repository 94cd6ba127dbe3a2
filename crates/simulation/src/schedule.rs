//! One schedule: a pipe that is started again and again, under faults, until it ends well.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use checkpoint::Disk;
use sorted_runs::Memory;
use testkit::SimDisk;

use crate::broken::Broken;
use crate::dice::Dice;
use crate::disk_view::STATE;
use crate::faults::Faults;
use crate::judge::Judge;
use crate::model;
use crate::pipeline::{Order, Pipeline};
use crate::pipelines::PIPELINES;
use crate::process::{World, locked};
use crate::run::{Plan, Run};
use crate::script::{Script, Shape};
use crate::slot::{Part, Slot, is_temporary, shown};
use crate::tally::Tally;
use crate::target::{TARGETS, Target, TargetKind};

/// A schedule that has not come to its end by then never will.
const STEPS_MAX: u64 = 1_000_000;
/// So often a pipe is started once nothing disturbs it any more: without any delay, while an older sink that holds the
/// output's lock may still have a full pipe to read.
const CALM_RUNS_MAX: usize = 40;
/// Old and new runs that live side by side.
const LIVE_RUNS_MAX: usize = 4;

/// What to play.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    pub seed: u64,
    pub broken: Option<Broken>,
    /// Tell each step.
    pub is_told: bool,
    pub pipeline: Option<&'static str>,
    pub target: Option<TargetKind>,
}

/// How a schedule ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All was committed, once.
    Well,
    /// A difference of counts was found at a barrier: the right end for a lossy program in the pipe.
    FoundByCount(String),
    Failed(String),
}

/// What came of a schedule.
#[derive(Debug)]
pub struct Outcome {
    pub seed: u64,
    /// The pipeline and its target.
    pub kind: String,
    pub end: End,
    pub tally: Tally,
    pub story: Vec<String>,
}

/// A schedule under way.
struct Schedule {
    plan: Plan,
    runs: Vec<Run>,
    started: usize,
    faults: Faults,
    calm_runs: usize,
    calm_since_ms: Option<i64>,
    found: Option<String>,
}

/// Plays one schedule; the same settings give the same.
pub fn play(settings: Settings) -> Outcome {
    let world = World::new(settings.seed, settings.is_told);
    let (kind, end) = match Schedule::new(&world, settings) {
        Ok(mut schedule) => {
            let kind = schedule.kind();
            let end = catch_unwind(AssertUnwindSafe(|| schedule.play()));
            let end = end.unwrap_or_else(|_| Err("something panicked".to_owned()));
            schedule.kill_all();
            world.count(|tally| tally.spilled_bytes = schedule.plan.scratch.written());
            (kind, schedule.ended(end))
        }
        Err(why) => (String::new(), End::Failed(why)),
    };
    let mut tally = locked(&world.tally).clone();
    tally.schedules += 1;
    tally.steps += world.steps.load(Relaxed);
    Outcome { seed: settings.seed, kind, end, tally, story: world.story() }
}

impl Schedule {
    fn new(world: &Arc<World>, settings: Settings) -> Result<Self, String> {
        let mut dice = world.dice();
        let pipeline = choose_pipeline(settings, &mut dice)?;
        let kind = settings.target.or_else(|| dice.pick(&TARGETS).copied()).unwrap_or(TargetKind::Broker);
        let partitions = dice.between(1, 4);
        let shape = Shape {
            partitions: if pipeline.order == Order::OfAll { 1 } else { partitions },
            lines_max: *dice.pick(&[20, 60, 150]).unwrap_or(&20),
            keys: dice.between(1, 8),
            has_bad_lines: pipeline.needs_time && dice.one_in(2),
            keys_are_local: pipeline.order != Order::Any,
            key_padding: if dice.one_in(25) { 20_000 } else { 0 },
            tick_ms: if dice.one_in(3) { 100 } else { 1 },
        };
        let script = Arc::new(Script::new(shape, &mut dice));
        let (lines, rejects) = pipeline.undisturbed(&script).map_err(|fault| shown(&Err(fault)))?;
        model::check(pipeline.name, &script, &lines)?;
        let disk = SimDisk::new();
        disk.create_dir(Path::new(STATE)).map_err(|error| error.to_string())?;
        let judge = Judge::new(lines, rejects, shape.partitions == 1);
        let plan = Plan {
            world: Arc::clone(world),
            target: Target::new(kind, world, &disk, judge),
            disk,
            scratch: Memory::default(),
            pipeline,
            script,
            broken: settings.broken,
            source: Arc::default(),
            interval_ms: *dice.pick(&[1, 5, 20, 50]).unwrap_or(&5),
            // Long lines would take for ever through a small pipe.
            pipe_bytes: (*dice.pick(&[64, 512, 4096]).unwrap_or(&512)).max(3 * shape.key_padding),
            poll_lines: dice.between(1, 12),
        };
        let faults = Faults::new(&mut dice, settings.broken);
        Ok(Self { plan, runs: Vec::new(), started: 0, faults, calm_runs: 0, calm_since_ms: None, found: None })
    }

    fn kind(&self) -> String {
        let to = match &self.plan.target {
            Target::Broker { is_seen: true, .. } => "a broker that the source sees",
            Target::Broker { .. } => "a broker",
            Target::Files(files) => files.flags(),
        };
        format!("{} to {to}", self.plan.pipeline.name)
    }

    fn ended(&self, end: Result<(), String>) -> End {
        match (self.plan.world.wrong(), end, &self.found) {
            (Some(why), ..) | (None, Err(why), None) => End::Failed(why),
            (None, _, Some(found)) => End::FoundByCount(found.clone()),
            (None, Ok(()), None) => End::Well,
        }
    }

    /// Until a run has ended well, and all that is left of others has ended, too.
    fn play(&mut self) -> Result<(), String> {
        let mut is_done = false;
        while !is_done || !self.runs.is_empty() {
            self.step(is_done)?;
            if !is_done && self.runs.iter().any(Run::is_done) {
                self.plan.world.tell("scheduler", || "a run has ended well".to_owned());
                self.plan.target.is_complete()?;
                is_done = true;
                self.note_recovery();
                self.be_calm();
            }
            self.runs.retain(Run::is_alive);
        }
        if is_single(&self.plan.target) { Ok(()) } else { self.plan.target.is_complete() }
    }

    fn step(&mut self, is_done: bool) -> Result<(), String> {
        let world = Arc::clone(&self.plan.world);
        let step = world.steps.fetch_add(1, Relaxed);
        if step >= STEPS_MAX {
            return Err(format!("no end in {STEPS_MAX} steps"));
        }
        if self.faults.are_over(step) {
            self.be_calm();
        } else {
            self.faults.strike(&self.plan, &mut self.runs, step);
        }
        self.wake(step);
        self.runs.retain(Run::is_alive);
        self.act(is_done)?;
        world.wrong().map_or(Ok(()), Err)
    }

    /// One of all that could go on does.
    fn act(&mut self, is_done: bool) -> Result<(), String> {
        let world = Arc::clone(&self.plan.world);
        let (ready, now_ms) = (self.ready(), world.now_ms());
        let has_source = self.runs.iter().any(|run| run.slots[0].is_alive());
        let can_start = !is_done && !has_source && self.runs.len() < LIVE_RUNS_MAX;
        let broker = self.plan.target.broker().filter(|broker| broker.has_work()).cloned();
        let choices = ready.len() + usize::from(can_start) + usize::from(broker.is_some());
        if choices == 0 || world.dice().one_in(12) {
            return self.pass_time(choices > 0, now_ms);
        }
        let choice = world.dice().below(choices);
        match (ready.get(choice), broker) {
            (Some((run, slot, part)), _) => self.go_on(*run, *slot, *part),
            (None, Some(broker)) if choice == ready.len() => {
                broker.work(self.faults.loses_answers());
                Ok(())
            }
            _ => self.start(),
        }
    }

    fn ready(&self) -> Vec<(usize, usize, Part)> {
        let mut ready = Vec::new();
        let now_ms = self.plan.world.now_ms();
        for (run_at, run) in self.runs.iter().enumerate() {
            for (slot_at, slot) in run.slots.iter().enumerate() {
                slot.ready(now_ms, &mut |part| ready.push((run_at, slot_at, part)));
            }
        }
        ready
    }

    fn go_on(&mut self, run: usize, slot: usize, part: Part) -> Result<(), String> {
        let slot = &mut self.runs[run].slots[slot];
        let had_ended = slot.result.is_some();
        slot.go_on(part);
        match &slot.result {
            Some(result) if !had_ended && !is_temporary(result) => {
                let why = format!("{} {}", slot.process.name, shown(result));
                if self.plan.broken == Some(Broken::LossyProgram) && why.contains("a program between") {
                    self.found = Some(why.clone());
                }
                Err(why)
            }
            _ => Ok(()),
        }
    }

    fn pass_time(&mut self, others_can_go_on: bool, now_ms: i64) -> Result<(), String> {
        let world = &self.plan.world;
        if others_can_go_on {
            let ms = world.dice().between(1, 4);
            world.advance_to(now_ms + i64::try_from(ms).unwrap_or(1));
            return Ok(());
        }
        let next = self.runs.iter().flat_map(|run| &run.slots).filter_map(Slot::wakes_at).min();
        let anybody_stopped = self.runs.iter().flat_map(|run| &run.slots).any(|slot| slot.stopped_until.is_some());
        match next {
            Some(at_ms) => world.advance_to(at_ms),
            None if anybody_stopped => {}
            None => return Err("nothing can go on".to_owned()),
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), String> {
        let is_calm = self.faults.are_over(self.plan.world.steps.load(Relaxed));
        let drains = is_calm || !self.plan.world.dice().one_in(5);
        if is_calm {
            self.calm_runs += 1;
            if self.calm_runs > CALM_RUNS_MAX {
                return Err(format!("{CALM_RUNS_MAX} undisturbed runs, and none has ended well"));
            }
        }
        self.started += 1;
        self.plan.world.count(|tally| tally.runs += 1);
        self.plan
            .world
            .tell("scheduler", || format!("starts run {}{}", self.started, if drains { "" } else { " --no-drain" }));
        self.runs.push(Run::start(&self.plan, self.started, drains).map_err(|error| error.to_string())?);
        Ok(())
    }

    /// SIGCONT to those whose time it is.
    fn wake(&mut self, step: u64) {
        for slot in self.runs.iter_mut().flat_map(|run| &mut run.slots) {
            if slot.stopped_until.is_some_and(|until| until <= step) {
                slot.stopped_until = None;
                slot.process.tell(|| "wakes up".to_owned());
            }
        }
    }

    fn be_calm(&mut self) {
        self.plan.world.disk_is_full.store(false, Relaxed);
        self.plan.world.disk_fails_in.store(-1, Relaxed);
        self.faults.end();
        self.calm_since_ms.get_or_insert(self.plan.world.now_ms());
        let slots = self.runs.iter_mut().flat_map(|run| &mut run.slots);
        slots.for_each(|slot| slot.stopped_until = None);
    }

    fn note_recovery(&self) {
        let Some(since_ms) = self.calm_since_ms else { return };
        let ms = u64::try_from(self.plan.world.now_ms() - since_ms).unwrap_or(0);
        self.plan.world.count(|tally| tally.recovery_ms_max = ms);
    }

    fn kill_all(&mut self) {
        self.runs.iter_mut().flat_map(|run| &mut run.slots).for_each(Slot::kill);
    }
}

/// Of a single file there is no commit to be looked at, only the end.
fn is_single(target: &Target) -> bool {
    matches!(target, Target::Files(files) if files.flags().contains("--single"))
}

fn choose_pipeline(settings: Settings, dice: &mut Dice) -> Result<&'static Pipeline, String> {
    let Some(name) = settings.pipeline else {
        let with_foreign =
            |pipeline: &&Pipeline| !settings.broken.is_some_and(Broken::is_a_program) || pipeline.has_foreign();
        let fitting: Vec<&'static Pipeline> = PIPELINES.iter().filter(with_foreign).collect();
        return dice.pick(&fitting).copied().ok_or_else(|| "there is no pipeline".to_owned());
    };
    PIPELINES.iter().find(|pipeline| pipeline.name == name).ok_or_else(|| format!("there is no pipeline \"{name}\""))
}
