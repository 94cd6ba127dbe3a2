//! The loops around the runtime's state machines, as its own loops are, with simulated pipes and a simulated clock.

use std::sync::Arc;

use protocol::{Config, Driver, SaveJobs, SourceDriver, Stage, Station, Turn};
use stream::Fault;

use crate::coroutine::Wait;
use crate::pipe::{Pipe, Read, Writer};
use crate::process::Process;
use crate::program::WithStage;
use crate::script_source::ScriptSource;

/// How often a stage looks whether its snapshot could be written.
const SAVE_LOOK_MS: i64 = 50;
/// The longest a source waits before it looks for signals.
const WAIT_MS: u64 = 100;

/// Where a process sits in its pipe.
#[derive(Clone)]
pub struct Seat {
    pub process: Arc<Process>,
    pub input: Option<Arc<Pipe>>,
    pub output: Option<Arc<Pipe>>,
    pub keeper: KeeperParts,
}

/// What a keeper is made of.
#[derive(Clone)]
pub struct KeeperParts {
    pub disk: Arc<dyn checkpoint::Disk>,
    pub jobs: SaveJobs,
    /// Nobody holds the state folder's lock.
    pub source_has_gone: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl KeeperParts {
    pub fn keeper(&self) -> protocol::Keeper {
        let mut keeper = protocol::Keeper::scheduled(Arc::clone(&self.disk), Arc::clone(&self.jobs));
        let has_gone = Arc::clone(&self.source_has_gone);
        keeper.watch_source(move |_| has_gone());
        keeper
    }
}

impl Seat {
    fn writer(&self) -> Option<Writer> {
        let pipe = Arc::clone(self.output.as_ref()?);
        Some(Writer { process: Arc::clone(&self.process), pipe })
    }

    fn now_ms(&self) -> i64 {
        self.process.world.now_ms()
    }

    fn reader_has_gone(&self) -> bool {
        self.output.as_ref().is_some_and(|output| output.reader_has_gone())
    }
}

/// Runs a stage, as `run_stage` and `run_sink` do.
pub struct RunStage(pub Seat);

impl WithStage for RunStage {
    type Done = Box<dyn FnOnce() -> Result<(), Fault>>;

    fn go<S: Stage + 'static>(self, stage: S, config: Config) -> Self::Done {
        let rejects = protocol::Rejects::in_memory(&config.name);
        run_stage(Driver::new(stage, config, rejects), self.0)
    }
}

/// The work of a stage's process.
pub fn run_stage<S: Station + 'static>(driver: Driver<S>, seat: Seat) -> Box<dyn FnOnce() -> Result<(), Fault>> {
    let mut driver = driver.keep_with(seat.keeper.keeper());
    if let Some(writer) = seat.writer() {
        driver.out.set_drain(Box::new(writer));
    }
    Box::new(move || {
        let Some(input) = seat.input.clone() else { return Ok(()) };
        let upstream = Arc::clone(&input);
        driver.keeper().watch_upstream(move || upstream.writer_has_gone());
        let result = pump(&mut driver, &seat, &input);
        if matches!(result, Err(Fault::Stop(_) | Fault::Bad(_))) {
            driver.stage.give_up(&mut driver.out);
        }
        let flushed = if result == Err(Fault::ReaderGone) { Ok(()) } else { driver.out.flush_all() };
        result.and(flushed)
    })
}

fn pump<S: Station>(driver: &mut Driver<S>, seat: &Seat, input: &Arc<Pipe>) -> Result<(), Fault> {
    loop {
        let wake_at = driver.wake_at_us().map(|at_us| at_us.saturating_add(999).div_euclid(1000));
        let look_at = driver.is_saving()?.then(|| seat.now_ms() + SAVE_LOOK_MS);
        let until_ms = [wake_at, look_at].into_iter().flatten().min();
        let read = input.read(&seat.process, seat.output.as_ref(), until_ms)?;
        driver.clock(seat.now_ms())?;
        match read {
            Read::Bytes(bytes) => driver.feed(&bytes)?,
            Read::TimedOut => {}
            Read::End => {
                driver.finish()?;
                driver.out.flush_all()?;
                return wait_for_saves(driver, seat);
            }
        }
        driver.out.flush_all()?;
    }
}

/// A process ends when its saving thread has.
fn wait_for_saves<S: Station>(driver: &Driver<S>, seat: &Seat) -> Result<(), Fault> {
    while driver.is_saving()? && !seat.process.is_dead() {
        seat.process.wait(Wait::until(seat.now_ms() + 1));
    }
    Ok(())
}

/// The work of a source's process, as `run_source` does it. `is_told_to_stop` is SIGTERM.
pub fn run_source(
    mut driver: SourceDriver<ScriptSource>,
    seat: Seat,
    is_told_to_stop: impl Fn() -> bool + 'static,
) -> Box<dyn FnOnce() -> Result<(), Fault>> {
    if let Some(writer) = seat.writer() {
        driver.out.set_drain(Box::new(writer));
    }
    Box::new(move || {
        let result = turns(&mut driver, &seat, is_told_to_stop);
        let flushed = if result == Err(Fault::ReaderGone) { Ok(()) } else { driver.out.flush_all() };
        result.and(flushed)
    })
}

fn turns(
    driver: &mut SourceDriver<ScriptSource>,
    seat: &Seat,
    is_told_to_stop: impl Fn() -> bool,
) -> Result<(), Fault> {
    driver.out.set_now_ms(seat.now_ms());
    driver.begin()?;
    while seat.process.wait(Wait::default()) {
        if is_told_to_stop() {
            driver.stop();
        }
        driver.out.set_now_ms(seat.now_ms());
        let turn = driver.turn(WAIT_MS);
        driver.out.flush_all()?;
        match turn? {
            Turn::More => {}
            Turn::Over => return Ok(()),
            Turn::Waited | Turn::WaitUntil(..) if seat.reader_has_gone() => return Err(Fault::ReaderGone),
            Turn::Waited => {}
            Turn::WaitUntil(until_ms, _) => {
                let output = seat.output.clone();
                let gone = move || output.as_ref().is_some_and(|output| output.reader_has_gone());
                seat.process.wait(Wait::for_that(gone).at_most_until(Some(until_ms)));
            }
        }
    }
    Ok(())
}
