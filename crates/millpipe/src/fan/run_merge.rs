//! The loop of a stage with several inputs: wait for any of them, read it, work, write.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use protocol::{Config, Driver, FanIn, Merge};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use stream::{Error, Fault};

use crate::clock::now_ms;
use crate::pipes::drain::Stdout;
use crate::pipes::poll::poll;
use crate::pipes::read_buffer::ReadBuffer;
use crate::pipes::sizes::CHUNK_BYTES_MAX;
use crate::running::args::StageArgs;
use crate::running::monitor::Monitor;
use crate::running::run::{drive, driver, timeout};
use crate::signals::StopFlag;

/// One of the inputs, open.
pub struct MergeInput {
    /// How messages call it; empty where there is only one.
    pub name: String,
    pub file: OwnedFd,
}

/// Runs a stage from several inputs to stdout until all of them have ended.
///
/// Inputs are read in turn, one chunk of each that has something; one whose stage has no room, or that waits at a
/// barrier, is not read.
///
/// # Errors
/// As [`crate::run_stage`].
pub fn run_merge<S: Merge>(stage: S, inputs: Vec<MergeInput>, config: Config, args: &StageArgs) -> Result<(), Fault> {
    let _flag = StopFlag::for_stage()?;
    let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let fan_in = FanIn::new(names.clone(), &config.name, config.line_bytes_max);
    let mut driver = driver(stage, config)?;
    if names.len() > 1 {
        driver.out.name_inputs(names);
    }
    driver.out.set_drain(Box::new(Stdout));
    let buffer = ReadBuffer::new(args.chunk.as_usize().clamp(1, CHUNK_BYTES_MAX));
    let mut inputs = Inputs { inputs, fan_in, buffer };
    drive(&mut driver, &args.run, |driver, monitor| pump(driver, &mut inputs, monitor))
}

struct Inputs {
    inputs: Vec<MergeInput>,
    fan_in: FanIn,
    buffer: ReadBuffer,
}

fn pump<S: Merge>(driver: &mut Driver<S>, inputs: &mut Inputs, monitor: &mut Monitor) -> Result<(), Fault> {
    loop {
        let wanted = inputs.wanted(driver);
        if inputs.fan_in.is_over() {
            driver.finish()?;
            return driver.out.flush_all();
        }
        if wanted.is_empty() {
            return Err(driver.stage.is_stuck().into());
        }
        let timeout = timeout(driver, monitor)?;
        let ready = driver.out.waits().for_input(|| inputs.wait(&wanted, timeout))?;
        driver.clock(now_ms())?;
        for input in ready {
            inputs.read(input, driver)?;
        }
        driver.chunk_over()?;
        driver.out.flush_all()?;
        monitor.tick(driver);
    }
}

impl Inputs {
    fn wanted<S: Merge>(&self, driver: &Driver<S>) -> Vec<usize> {
        let is_wanted = |input: &usize| self.fan_in.wants(*input) && driver.stage.has_room(*input);
        (0..self.inputs.len()).filter(is_wanted).collect()
    }

    /// Those that can be read, or have ended.
    fn wait(&self, wanted: &[usize], timeout: Option<Duration>) -> Result<Vec<usize>, Fault> {
        let stdout = rustix::stdio::stdout();
        let files = wanted.iter().map(|input| PollFd::new(&self.inputs[*input].file, PollFlags::IN));
        let mut fds: Vec<PollFd<'_>> = files.collect();
        fds.push(PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty()));
        if !poll(&mut fds, timeout)? {
            return Ok(Vec::new());
        }
        if fds[wanted.len()].revents().contains(PollFlags::ERR) {
            return Err(Fault::ReaderGone);
        }
        let is_ready = fds.iter().map(|fd| !fd.revents().is_empty());
        Ok(wanted.iter().zip(is_ready).filter(|(_, ready)| *ready).map(|(input, _)| *input).collect())
    }

    fn read<S: Merge>(&mut self, input: usize, driver: &mut Driver<S>) -> Result<(), Fault> {
        match rustix::io::read(&self.inputs[input].file, &mut self.buffer[..]) {
            Ok(0) => self.fan_in.finish(input, driver),
            Ok(n) => {
                driver.took_bytes(n);
                self.fan_in.feed(input, &self.buffer[..n], driver)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(error) => Err(Error::io(&self.inputs[input].name, &error.into()).into()),
        }
    }
}
