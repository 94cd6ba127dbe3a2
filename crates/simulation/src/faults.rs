//! What goes wrong in a schedule: each kind of fault is in some schedules only, as often as the dice say (swarm
//! testing, Groce et al. 2012).

use std::sync::atomic::Ordering::Relaxed;

use crate::broken::Broken;
use crate::dice::Dice;
use crate::run::{Plan, Run};
use crate::slot::Slot;

/// How often what goes wrong, in a million steps.
pub struct Faults {
    until_step: u64,
    kill: usize,
    kill_run: usize,
    zombies: usize,
    stall: usize,
    terminate: usize,
    machine_crash: usize,
    disk_full: usize,
    disk_error: usize,
    transaction_time_out: usize,
    loses_answers: bool,
    disk_full_until: u64,
}

impl Faults {
    pub fn new(dice: &mut Dice, broken: Option<Broken>) -> Self {
        let mut often = |most: usize| if dice.one_in(2) { dice.between(1, most) } else { 0 };
        let mut faults = Self {
            until_step: 0,
            kill: often(6_000),
            kill_run: often(3_000),
            zombies: often(4_000),
            stall: often(4_000),
            terminate: often(1_500),
            machine_crash: often(2_000),
            disk_full: often(1_000),
            disk_error: often(1_000),
            transaction_time_out: often(500),
            loses_answers: often(2) > 1,
            disk_full_until: 0,
        };
        match broken {
            // What the rule is for must happen.
            Some(Broken::FileSync | Broken::FolderSync) => faults.machine_crash = 3_000,
            Some(Broken::RunIds | Broken::Prune) => faults.zombies = 4_000,
            Some(Broken::Comparison) => faults.kill = 4_000,
            Some(Broken::LossyProgram | Broken::MendedCounts) | None => {}
        }
        faults.until_step = u64::try_from(dice.between(300, 6_000)).unwrap_or(0);
        faults
    }

    pub fn are_over(&self, step: u64) -> bool {
        step >= self.until_step
    }

    pub fn end(&mut self) {
        self.until_step = 0;
    }

    pub fn loses_answers(&self) -> bool {
        self.loses_answers && self.until_step > 0
    }

    /// Whatever the dice say for this step.
    pub fn strike(&mut self, plan: &Plan, runs: &mut [Run], step: u64) {
        let world = &plan.world;
        let strikes = |rate: usize| world.dice().per_million(rate);
        if strikes(self.kill) {
            self.kill_one(plan, runs);
        }
        if strikes(self.kill_run) {
            kill_run(plan, runs);
        }
        if strikes(self.zombies) {
            make_zombies(plan, runs, step);
        }
        if strikes(self.stall) {
            stall(plan, runs, step);
        }
        if strikes(self.terminate) {
            terminate(plan, runs);
        }
        if strikes(self.machine_crash) {
            crash(plan, runs);
        }
        if strikes(self.disk_full) {
            self.disk_full_until = step + u64::try_from(world.dice().between(1, 300)).unwrap_or(1);
        }
        world.disk_is_full.store(step < self.disk_full_until, Relaxed);
        if strikes(self.disk_error) {
            let ahead = world.dice().below(10);
            world.disk_fails_in.store(i64::try_from(ahead).unwrap_or(0), Relaxed);
        }
        if strikes(self.transaction_time_out)
            && let Some(broker) = plan.target.broker()
        {
            world.tell("broker", || "a transaction takes too long: its sink is fenced".to_owned());
            broker.time_out();
        }
    }

    fn kill_one(&self, plan: &Plan, runs: &mut [Run]) {
        let mut alive: Vec<&mut Slot> = slots(runs).filter(|slot| slot.is_alive()).collect();
        let at = plan.world.dice().below(alive.len());
        if let Some(slot) = alive.get_mut(at) {
            plan.world.count(|tally| tally.kills += 1);
            slot.kill();
        }
    }
}

fn slots(runs: &mut [Run]) -> impl Iterator<Item = &mut Slot> {
    runs.iter_mut().flat_map(|run| &mut run.slots)
}

fn pick_run<'a>(plan: &Plan, runs: &'a mut [Run]) -> Option<&'a mut Run> {
    let at = plan.world.dice().below(runs.len());
    runs.get_mut(at)
}

fn kill_run(plan: &Plan, runs: &mut [Run]) {
    if let Some(run) = pick_run(plan, runs) {
        plan.world.count(|tally| tally.kills += 1);
        run.slots.iter_mut().for_each(Slot::kill);
    }
}

/// The source dies, others are stopped: they wake up beside a later run.
fn make_zombies(plan: &Plan, runs: &mut [Run], step: u64) {
    let Some(run) = pick_run(plan, runs) else { return };
    for slot in run.slots.iter_mut().skip(1) {
        if plan.world.dice().one_in(2) {
            stop(plan, slot, step, 4_000);
        }
    }
    run.slots[0].kill();
}

/// One process stands still, and goes on as if nothing had happened.
fn stall(plan: &Plan, runs: &mut [Run], step: u64) {
    let Some(run) = pick_run(plan, runs) else { return };
    let at = plan.world.dice().below(run.slots.len());
    stop(plan, &mut run.slots[at], step, 1_000);
}

fn stop(plan: &Plan, slot: &mut Slot, step: u64, steps_max: usize) {
    if slot.is_alive() {
        let steps = plan.world.dice().between(1, steps_max);
        slot.stopped_until = Some(step + u64::try_from(steps).unwrap_or(1));
        slot.process.tell(|| format!("is stopped for {steps} steps"));
        plan.world.count(|tally| tally.stops += 1);
    }
}

fn terminate(plan: &Plan, runs: &mut [Run]) {
    if let Some(run) = pick_run(plan, runs)
        && run.slots[0].is_alive()
    {
        run.slots[0].process.tell(|| "gets SIGTERM".to_owned());
        run.is_terminated.store(true, Relaxed);
        plan.world.count(|tally| tally.terminations += 1);
    }
}

/// The machine stops: all processes are gone, and what was not synced.
fn crash(plan: &Plan, runs: &mut [Run]) {
    plan.world.tell("machine", || "crashes".to_owned());
    plan.world.count(|tally| tally.machine_crashes += 1);
    slots(runs).for_each(Slot::kill);
    let seed = plan.world.dice().below(usize::MAX);
    plan.disk.crash(u64::try_from(seed).unwrap_or(0));
}
