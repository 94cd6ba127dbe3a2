//! The way of running a source: poll, write, tell it what was written.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

use checkpoint::{Disk, Lock, RealDisk};
use protocol::{Checkpoints, Config, Counts, Facts, Goal, LOCK, Out, Source, SourceDriver, Turn};
use stream::{Error, Fault};

use crate::clock::{now_ms, waits};
use crate::pipes::drain::Stdout;
use crate::pipes::output::{reader_has_gone, sleep};
use crate::pipes::stderr::open_rejects;
use crate::running::accounting::Role;
use crate::running::args::{ExactlyOnceArgs, RunArgs};
use crate::running::monitor::{Monitor, Shown};
use crate::running::save_thread::keeper;
use crate::signals::StopFlag;

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
    let mut out = Out::new(&config.policy, open_rejects(config)?);
    out.set_drain(Box::new(Stdout));
    out.set_waits(waits());
    if state.is_some() {
        // What the source itself cannot take travels to the sink too.
        out.stream_is_checked(&config.policy, false);
    }
    let checkpoints = match &state {
        None => None,
        Some((dir, _lock)) => Some(Checkpoints {
            state: dir.clone(),
            interval_ms: exactly_once.interval.0,
            run: new_run(now_ms(), newest_run(dir)?.as_deref()),
            drains: !exactly_once.no_drain,
        }),
    };
    let mut driver = SourceDriver::new(source, &config.name, out, checkpoints, keeper());
    let mut monitor = Monitor::new(&config.name, Role::Source, args, &mut driver.out);
    let mut result = pump(&mut driver, &mut monitor, &stop);
    if driver.has_said_hello() {
        driver.out.last_words(&config.name, None, &result);
    }
    if result != Err(Fault::ReaderGone) {
        result = result.and(driver.out.flush_all());
    }
    driver.out.say_skipped();
    monitor.finish(&mut driver, &result);
    result
}

impl<S: Source> Shown for SourceDriver<S> {
    fn counts(&self) -> (Counts, u64) {
        (self.out.counts(), 0)
    }

    fn facts(&mut self) -> Facts {
        let mut facts = Facts::new();
        self.source.facts(self.out.now_ms(), &mut facts);
        facts
    }

    fn goal(&mut self) -> Option<Goal> {
        self.source.goal()
    }
}

/// Makes the state folder and takes it for this pipeline alone.
fn lock(state: &Path) -> Result<(std::path::PathBuf, Lock), Error> {
    let failed = |error: std::io::Error| Error::io(state.display(), &error);
    RealDisk.create_dir(state).map_err(failed)?;
    let state = state.canonicalize().map_err(failed)?;
    if state.to_str().is_none() {
        // The stages are told it in a mark, which is text.
        return Err(Error::usage(format_args!("--state {}: a path that is not UTF-8", state.display())));
    }
    let lock = Lock::take(&state.join(LOCK))?;
    Ok((state, lock))
}

/// The last run that the folder knows: the one that has committed last, or a later one whose commit, if there was any, only
/// the target knows.
fn newest_run(dir: &Path) -> Result<Option<String>, Error> {
    let committed = checkpoint::read_committed(&RealDisk, dir)?.map(|committed| committed.id.run);
    Ok(checkpoint::live_run(&RealDisk, dir)?.max(committed))
}

/// The name of a new run. Later ones sort after earlier ones, also when the clock was set back since.
fn new_run(now_ms: i64, last: Option<&str>) -> String {
    let last_ms = last.and_then(|last| i64::from_str_radix(last.split('-').next()?, 16).ok());
    let ms = now_ms.max(last_ms.map_or(0, |ms| ms.saturating_add(1)));
    let random = RandomState::new().hash_one(std::process::id());
    format!("{ms:011x}-{:08x}", random & 0xffff_ffff)
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
        driver.out.flush_all()?;
        driver.source.written()?;
        monitor.tick(driver);
        match turn? {
            Turn::More => {}
            Turn::Over => return Ok(()),
            Turn::Waited if reader_has_gone()? => return Err(Fault::ReaderGone),
            Turn::Waited => {}
            Turn::WaitUntil(at_ms, what) => {
                let wait_ms = u64::try_from(at_ms - now_ms()).unwrap_or(0).min(WAIT_MS);
                driver.out.waits().count(what, || sleep(Duration::from_millis(wait_ms)))?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkpoint::{CheckpointId, Committed};

    #[test]
    fn a_later_run_sorts_after_an_earlier_one_whatever_the_clock_says() {
        let first = new_run(1_800_000_000_000, None);
        assert!(new_run(1_800_000_000_001, None) > first);
        assert!(new_run(5, Some(&first)) > first);
        assert!(CheckpointId::new(&first, 1).to_string().parse::<CheckpointId>().is_ok());
    }

    #[test]
    fn the_newest_run_is_known_before_its_first_commit_and_after_the_folder_was_copied() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest_run(dir.path()).unwrap(), None);
        checkpoint::begin_run(&RealDisk, dir.path(), "b").unwrap();
        assert_eq!(newest_run(dir.path()).unwrap().as_deref(), Some("b"));
        for (run, newest) in [("a", "b"), ("c", "c")] {
            let id = CheckpointId::new(run, 7);
            let last = Committed { id, sink: String::new(), snapshots: Vec::new(), at: String::new() };
            checkpoint::write_committed(&RealDisk, dir.path(), &last).unwrap();
            assert_eq!(newest_run(dir.path()).unwrap().as_deref(), Some(newest));
        }
    }
}
