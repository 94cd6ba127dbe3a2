//! The way of running a source: poll, write, tell it what was written.

use std::time::Duration;

use crate::accounting::{Role, timed};
use crate::args::RunArgs;
use crate::driver::Config;
use crate::fault::Fault;
use crate::input::{reader_has_gone, sleep};
use crate::monitor::Monitor;
use crate::out::Out;
use crate::rejects::Rejects;
use crate::run::{Stdout, now_ms};
use crate::signals::StopFlag;
use crate::stage::{Polled, Source};

/// The longest a source waits before signals and a gone reader are looked for.
const WAIT_MS: u64 = 100;

/// Runs a source to stdout until it is done or a signal ends it.
///
/// # Errors
/// What ended the run early; `ReaderGone` is for `tool::main` to turn into death by SIGPIPE.
pub fn run_source<S: Source>(mut source: S, config: &Config, args: &RunArgs) -> Result<(), Fault> {
    let stop = StopFlag::for_source()?;
    let mut out = Out::new(&config.policy, Rejects::open(&config.name, &config.policy)?);
    out.set_drain(Box::new(Stdout));
    let mut monitor = Monitor::new(&config.name, Role::Source, args)?;
    let mut result = pump(&mut source, &mut out, &mut monitor, &stop);
    if result != Err(Fault::ReaderGone) {
        result = result.and(out.flush_all());
    }
    monitor.finish((out.counts(), 0))?;
    result
}

fn pump<S: Source>(source: &mut S, out: &mut Out, monitor: &mut Monitor, stop: &StopFlag) -> Result<(), Fault> {
    out.set_now_ms(now_ms());
    source.start(out)?;
    while !stop.is_set() {
        out.set_now_ms(now_ms());
        let polled = source.poll(WAIT_MS, out);
        // Also before an error: what was read until then is good.
        timed(&mut monitor.waits.output, || out.flush_all())?;
        source.written()?;
        monitor.tick(|| (out.counts(), 0))?;
        match polled? {
            Polled::More => {}
            Polled::Done => break,
            Polled::Nothing if reader_has_gone()? => return Err(Fault::ReaderGone),
            Polled::Nothing => {}
            Polled::WaitUntil(at_ms) => {
                let wait_ms = u64::try_from(at_ms - now_ms()).unwrap_or(0).min(WAIT_MS);
                timed(&mut monitor.waits.input, || sleep(Duration::from_millis(wait_ms)))?;
            }
        }
    }
    out.set_now_ms(now_ms());
    source.stop(out)?;
    out.flush_all()
}
