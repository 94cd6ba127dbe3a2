//! The way of running a source: poll, write, tell it what was written.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

use checkpoint::{Disk, Lock, RealDisk};

use crate::accounting::{Role, timed};
use crate::args::{ExactlyOnceArgs, RunArgs};
use crate::driver::Config;
use crate::fault::{Error, Fault};
use crate::input::{reader_has_gone, sleep};
use crate::keeper::Keeper;
use crate::monitor::Monitor;
use crate::out::Out;
use crate::rejects::Rejects;
use crate::run::{Stdout, now_ms};
use crate::signals::StopFlag;
use crate::source_driver::{Checkpoints, SourceDriver, Turn};
use crate::stage::Source;

/// The longest a source waits before signals and a gone reader are looked for.
const WAIT_MS: u64 = 100;

/// Runs a source to stdout until it is done or a signal ends it.
///
/// # Errors
/// What ended the run early; `ReaderGone` is for `tool::main` to turn into death by SIGPIPE.
pub fn run_source<S: Source>(
    source: S,
    config: &Config,
    args: &RunArgs,
    exactly_once: &ExactlyOnceArgs,
) -> Result<(), Fault> {
    let stop = StopFlag::for_source()?;
    let state = exactly_once.state.as_deref().map(lock).transpose()?;
    let mut out = Out::new(&config.policy, Rejects::open(&config.name, &config.policy)?);
    out.set_drain(Box::new(Stdout));
    let checkpoints = state.as_ref().map(|(state, _lock)| Checkpoints {
        state: state.clone(),
        interval_ms: exactly_once.interval.0,
        run: new_run(),
        drains: !exactly_once.no_drain,
    });
    let mut driver = SourceDriver::new(source, &config.name, out, checkpoints, Keeper::new());
    let mut monitor = Monitor::new(&config.name, Role::Source, args)?;
    let mut result = pump(&mut driver, &mut monitor, &stop);
    if result != Err(Fault::ReaderGone) {
        result = result.and(driver.out.flush_all());
    }
    monitor.finish((driver.out.counts(), 0))?;
    result
}

/// Makes the state folder and takes it for this pipeline alone.
fn lock(state: &Path) -> Result<(std::path::PathBuf, Lock), Error> {
    let failed = |error: std::io::Error| Error::io(state.display(), &error);
    RealDisk.create_dir(state).map_err(failed)?;
    let state = state.canonicalize().map_err(failed)?;
    let lock = Lock::take(&state.join("lock"))?;
    Ok((state, lock))
}

/// Later runs sort behind earlier ones; two of one millisecond differ all the same.
fn new_run() -> String {
    let random = RandomState::new().hash_one(std::process::id());
    format!("{:011x}-{:08x}", now_ms(), random & 0xffff_ffff)
}

fn pump<S: Source>(driver: &mut SourceDriver<S>, monitor: &mut Monitor, stop: &StopFlag) -> Result<(), Fault> {
    driver.out.set_now_ms(now_ms());
    driver.begin()?;
    loop {
        if stop.is_set() {
            driver.stop();
        }
        driver.out.set_now_ms(now_ms());
        let turn = driver.turn(WAIT_MS);
        // Also before an error: what was read until then is good.
        timed(&mut monitor.waits.output, || driver.out.flush_all())?;
        driver.source.written()?;
        monitor.tick(|| (driver.out.counts(), 0))?;
        match turn? {
            Turn::More => {}
            Turn::Over => return Ok(()),
            Turn::Waited if reader_has_gone()? => return Err(Fault::ReaderGone),
            Turn::Waited => {}
            Turn::WaitUntil(at_ms) => {
                let wait_ms = u64::try_from(at_ms - now_ms()).unwrap_or(0).min(WAIT_MS);
                timed(&mut monitor.waits.input, || sleep(Duration::from_millis(wait_ms)))?;
            }
        }
    }
}
