//! One life of a pipe: its processes and the pipes between them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use protocol::{Checkpoints, Config, Driver, Out, Policy, Rejects, Sink, SourceDriver};
use sorted_runs::Memory;
use stream::Error;
use testkit::SimDisk;

use crate::broken::Broken;
use crate::broker_sink::BrokerSink;
use crate::disk_view::{DiskView, STATE};
use crate::foreign_program::ForeignProgram;
use crate::pipe::Pipe;
use crate::pipeline::Pipeline;
use crate::process::{Process, World, locked};
use crate::program::Program;
use crate::script::Script;
use crate::script_source::ScriptSource;
use crate::slot::Slot;
use crate::stage_loop::{KeeperParts, RunStage, Seat, run_source, run_stage};
use crate::target::Target;

/// What all runs of a schedule have in common.
pub struct Plan {
    pub world: Arc<World>,
    pub disk: SimDisk,
    /// Where stages put what their memory does not hold: it is gone with them.
    pub scratch: Memory,
    pub pipeline: &'static Pipeline,
    pub script: Arc<Script>,
    pub target: Target,
    pub broken: Option<Broken>,
    /// The last source that was started: it holds the state folder's lock while it lives.
    pub source: Arc<Mutex<Option<Arc<Process>>>>,
    pub interval_ms: i64,
    pub pipe_bytes: usize,
    /// A source writes at most so many lines at once.
    pub poll_lines: usize,
}

/// One life of a pipe.
pub struct Run {
    /// The first is the source, the last the sink.
    pub slots: Vec<Slot>,
    /// SIGTERM came to the source.
    pub is_terminated: Arc<AtomicBool>,
    /// The end of the input flushes what is open; without it (`--no-drain`) a later run has to do it.
    drains: bool,
}

impl Run {
    /// All processes are there at once; none has done anything.
    ///
    /// # Errors
    /// When the pipeline's flags make no sense.
    pub fn start(plan: &Plan, number: usize, drains: bool) -> Result<Self, Error> {
        let count = plan.pipeline.programs.len() + 2;
        let pipes: Vec<_> = (1..count).map(|_| Pipe::new(plan.pipe_bytes)).collect();
        let seat = |hop: usize, name: &str| {
            // As in a container: the same numbers each time it is started.
            let pid = u32::try_from(hop).unwrap_or(0);
            let process = Process::new(&plan.world, format!("r{number}/{hop}-{name}"), pid);
            let files = match &plan.target {
                Target::Files(files) => Some(Arc::clone(files)),
                Target::Broker { .. } => None,
            };
            let disk = Arc::new(DiskView::new(&process, &plan.disk, plan.broken, files));
            let source = Arc::clone(&plan.source);
            let keeper =
                KeeperParts { disk, jobs: Arc::default(), source_has_gone: Arc::new(move || is_free(&source)) };
            let input = hop.checked_sub(2).map(|at| Arc::clone(&pipes[at]));
            Seat { process, input, output: pipes.get(hop - 1).cloned(), keeper }
        };
        let is_terminated = Arc::new(AtomicBool::new(false));
        let first = seat(1, "source");
        *locked(&plan.source) = Some(Arc::clone(&first.process));
        let mut slots = vec![source(plan, (number, drains), first, Arc::clone(&is_terminated))];
        for (at, program) in plan.pipeline.programs.iter().enumerate() {
            slots.push(stage(plan, number, program, seat(at + 2, program.name()))?);
        }
        slots.push(sink(plan, seat(count, "sink"))?);
        Ok(Self { slots, is_terminated, drains })
    }

    /// Ended well by itself: the input is finished.
    pub fn is_done(&self) -> bool {
        let ended_well = |slot: &Slot| !slot.is_alive() && slot.result == Some(Ok(()));
        self.drains && !self.is_terminated.load(Relaxed) && self.slots.iter().all(ended_well)
    }

    pub fn is_alive(&self) -> bool {
        self.slots.iter().any(Slot::is_alive)
    }
}

fn slot(seat: &Seat, main: Box<dyn FnOnce() -> Result<(), stream::Fault>>) -> Slot {
    let ends = (seat.input.clone(), seat.output.clone());
    Slot::new(Arc::clone(&seat.process), ends, Arc::clone(&seat.keeper.jobs), main)
}

fn source(plan: &Plan, (number, drains): (usize, bool), seat: Seat, is_terminated: Arc<AtomicBool>) -> Slot {
    let seen = match &plan.target {
        Target::Broker { broker, is_seen: true } => Some(Arc::clone(broker)),
        _ => None,
    };
    let run = if plan.broken == Some(Broken::RunIds) { "r".to_owned() } else { format!("r{number:05}") };
    let checkpoints = Checkpoints { state: PathBuf::from(STATE), interval_ms: plan.interval_ms, run, drains };
    let source = ScriptSource::new(&seat.process, &plan.script, seen, plan.poll_lines);
    let out = Out::new(&Policy::default(), Rejects::in_memory("source"));
    let driver = SourceDriver::new(source, "source", out, Some(checkpoints), seat.keeper.keeper());
    slot(&seat.clone(), run_source(driver, seat, move || is_terminated.load(Relaxed)))
}

fn stage(plan: &Plan, number: usize, program: &Program, seat: Seat) -> Result<Slot, Error> {
    let main = match program {
        Program::Foreign => foreign(plan, number, &seat),
        _ => program.with_stage(RunStage(seat.clone()), &plan.scratch)?,
    };
    Ok(slot(&seat, main))
}

fn foreign(plan: &Plan, number: usize, seat: &Seat) -> Box<dyn FnOnce() -> Result<(), stream::Fault>> {
    let (process, broken) = (Arc::clone(&seat.process), plan.broken);
    match (seat.input.clone(), seat.output.clone()) {
        (Some(input), Some(output)) => {
            let program = ForeignProgram { process, input, output, broken, drops: number.is_multiple_of(2) };
            Box::new(move || program.run())
        }
        _ => Box::new(|| Ok(())),
    }
}

fn sink(plan: &Plan, seat: Seat) -> Result<Slot, Error> {
    let main = match &plan.target {
        Target::Broker { broker, .. } => {
            let compares = plan.broken != Some(Broken::Comparison);
            sink_work(BrokerSink::new(&seat.process, broker, compares), &seat)
        }
        Target::Files(files) => sink_work(files.sink(&seat.process, Arc::clone(&seat.keeper.disk))?, &seat),
    };
    Ok(slot(&seat, main))
}

fn sink_work<S: Sink + 'static>(sink: S, seat: &Seat) -> Box<dyn FnOnce() -> Result<(), stream::Fault>> {
    let driver = Driver::of_sink(sink, Config::new("sink"), Rejects::in_memory("sink"));
    run_stage(driver, seat.clone())
}

/// Whether nobody holds the state folder's lock.
fn is_free(source: &Mutex<Option<Arc<Process>>>) -> bool {
    locked(source).as_ref().is_none_or(|source| source.is_dead())
}
