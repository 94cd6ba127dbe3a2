//! The ways of running a map: one loop, or a pool of workers between a reading thread and the writing loop.

use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, select};
use protocol::{Config, Driver, LineSelection, LineSelector, Map, OnError, Out, Policy, Rejects, Stage, Stateful};
use stream::{Error, Fault};

use crate::clock::now_ms;
use crate::pipes::drain::Stdout;
use crate::pipes::incoming::Incoming;
use crate::pipes::sizes::CHUNK_BYTES;
use crate::pool::batch::{Batch, Failure, Product};
use crate::pool::{Jobs, Message, Pool, Worker};
use crate::programs::command::{Command, CommandWorker};
use crate::programs::processes::Processes;
use crate::running::args::StageArgs;
use crate::running::monitor::Monitor;
use crate::running::run::{drive, driver, look_in, run_stage};
use crate::running::whole_lines::{feed_buffer, spawn_line_reader};
use crate::signals::StopFlag;

/// A map may recurse as deep as this allows; the pages that it does not touch cost nothing.
const MAP_STACK_BYTES: usize = 96 << 20;
/// What a map may use of it; the rest is for what ends a deep recursion, and for the destructors of deep values.
pub const MAP_STACK_USABLE_BYTES: usize = MAP_STACK_BYTES / 4 * 3;
/// Half as many wakes of threads as with what is best for one loop.
const MAP_CHUNK_BYTES: usize = 2 * CHUNK_BYTES;
/// What hands lines to a process does not recurse.
const COMMAND_STACK_BYTES: usize = 1 << 20;

/// Runs a map from stdin to stdout, one copy of it in each worker. The output does not depend on how many there are.
///
/// # Errors
/// What ended the run early; `ReaderGone` is for `tool::main` to turn into death by SIGPIPE.
pub fn run_map<M: Map>(
    make: impl Fn() -> M + Send + Sync + 'static,
    config: Config,
    args: &StageArgs,
    jobs: Jobs,
) -> Result<(), Fault> {
    if jobs.workers == 1 {
        return on_a_big_stack(|| run_stage(MapStage(make()), config, args));
    }
    let _flag = StopFlag::for_stage()?;
    let chunk = match args.chunk.as_usize() {
        CHUNK_BYTES => MAP_CHUNK_BYTES,
        asked => asked,
    };
    let selection = config.selection.clone();
    let make = move || LineWorker::new(make(), selection.as_deref());
    run_pool(Pool::start(jobs, MAP_STACK_BYTES, make)?, config, args, chunk)
}

/// Gives batches of lines to processes and writes their output.
///
/// # Errors
/// As [`run_map`].
pub fn run_command(command: Command, config: Config, args: &StageArgs, jobs: Jobs) -> Result<(), Fault> {
    let processes = Processes::new()?;
    let for_workers = processes.clone();
    let diverts = matches!(config.policy.on_error, Some(OnError::Reject | OnError::Skip));
    let make = move || CommandWorker::new(command.clone(), diverts, for_workers.clone());
    let mut pool = Pool::start(jobs, COMMAND_STACK_BYTES, make)?;
    pool.on_drop(move || processes.end_all());
    run_pool(pool, config, args, args.chunk.as_usize())
}

/// The same depth of recursion as in a pool, so that the same lines go through.
fn on_a_big_stack(run: impl FnOnce() -> Result<(), Fault> + Send) -> Result<(), Fault> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(MAP_STACK_BYTES).spawn_scoped(scope, run);
        let thread = thread.map_err(|e| Error::io("a worker thread", &e))?;
        thread.join().unwrap_or_else(|_| Err(Error::data("a worker panicked").into()))
    })
}

fn run_pool(pool: Pool, config: Config, args: &StageArgs, chunk_bytes: usize) -> Result<(), Fault> {
    // The workers select lines.
    let mut driver = driver(pool, Config { selection: None, ..config })?;
    driver.out.set_drain(Box::new(Stdout));
    let (chunks, spent) = spawn_line_reader(chunk_bytes);
    drive(&mut driver, &args.run, |driver, monitor| pump(driver, &chunks, &spent, monitor))
}

/// What the loop of a pool waits for.
enum Event {
    Input(Incoming<Vec<u8>>),
    Worker(Message),
    Time,
}

fn pump(
    driver: &mut Driver<Pool>,
    chunks: &Receiver<Incoming<Vec<u8>>>,
    spent: &Sender<Vec<u8>>,
    monitor: &mut Monitor,
) -> Result<(), Fault> {
    loop {
        let timeout = [driver.stage.offer_in(), monitor.tick_in(), look_in(driver)?].into_iter().flatten().min();
        // With lines on their way it is the workers that are waited for: that is work.
        let next = || next_event(chunks, driver.stage.messages(), timeout);
        let event = if driver.stage.is_idle() { driver.out.waits().for_input(next)? } else { next()? };
        driver.clock(now_ms())?;
        match event {
            Event::Input(Incoming::Bytes(buffer, n)) => {
                let buffer = feed_buffer(driver, buffer, n)?;
                let _ = spent.try_send(buffer);
            }
            Event::Input(Incoming::Failed(fault)) => return Err(fault),
            Event::Input(Incoming::End) => {
                driver.finish()?;
                return driver.out.flush_all();
            }
            Event::Worker(message) => driver.stage.receive(message, &mut driver.out)?,
            Event::Time => {}
        }
        driver.stage.offer(&driver.out);
        driver.out.flush_all()?;
        monitor.tick(driver);
    }
}

fn next_event(
    chunks: &Receiver<Incoming<Vec<u8>>>,
    messages: &Receiver<Message>,
    timeout: Option<Duration>,
) -> Result<Event, Fault> {
    let died = |_| Error::temporary("a thread of the runtime died");
    // A worker that is done comes first: it may wait for more.
    if let Ok(message) = messages.try_recv() {
        return Ok(Event::Worker(message));
    }
    let after = timeout.map_or_else(crossbeam_channel::never, crossbeam_channel::after);
    let event = select! {
        recv(chunks) -> incoming => Event::Input(incoming.map_err(|_| died(RecvTimeoutError::Disconnected))?),
        recv(messages) -> message => Event::Worker(message.map_err(|_| died(RecvTimeoutError::Disconnected))?),
        recv(after) -> _ => Event::Time,
    };
    Ok(event)
}

/// A map as a stage, for one loop.
pub(crate) struct MapStage<M>(pub M);

impl<M: Map> Stage for MapStage<M> {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.0.map(line, out)
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        None
    }
}

/// A map as a worker: line by line into memory.
pub(crate) struct LineWorker<M> {
    map: M,
    selector: Option<Box<dyn LineSelector>>,
    out: Out,
}

impl<M: Map> LineWorker<M> {
    pub fn new(map: M, selection: Option<&dyn LineSelection>) -> Self {
        let selector = selection.map(LineSelection::selector);
        Self { map, selector, out: Out::new(&Policy::default(), Rejects::in_memory("")) }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        if let Some(selector) = &mut self.selector
            && !selector.takes(line)?
        {
            self.out.line(line);
            return Ok(());
        }
        self.map.map(line, &mut self.out)
    }
}

impl<M: Map> Worker for LineWorker<M> {
    fn work(&mut self, batch: &Batch, product: &mut Product) {
        self.out.counts = Default::default();
        self.out.give(std::mem::take(&mut product.out));
        for (index, line) in batch.iter().enumerate() {
            match self.line(line) {
                Ok(()) => {}
                Err(Fault::Bad(why)) => {
                    product.done = self.out.counts.done();
                    product.bad(index, why, self.out.buffer().len());
                }
                Err(fault) => {
                    product.failure = Some(Failure::Stop(fault));
                    break;
                }
            }
            if batch.stops_on_error && !product.bad.is_empty() {
                break;
            }
        }
        product.done = self.out.counts.done();
        product.out = self.out.take();
    }
}
