//! A stage that gives its lines, in batches, to worker threads, and puts their output in the order of the input.
//!
//! To the protocol it is a stage like any other, but it works ahead of its output: a line goes into a batch, the
//! batch to a worker, and what comes back is written when its turn has come. Marks wait in the same queue. At most
//! `2 * workers` batches are in flight (given to a worker and not yet written); at that limit `line` waits, which
//! is the backpressure. So it holds at most that many batches and their output.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, never, unbounded};
use protocol::{Out, Stateful, Station};
use stream::{Error, Fault, Mark};

use crate::pipes::output::reader_has_gone;
use crate::pipes::sizes::CHUNK_BYTES;
use crate::pool::batch::{Batch, Failure, Product};

/// The batch of a single worker: as much as is read at once.
const ONE_BATCH_BYTES: usize = 64 << 10;

/// How lines are spread over workers.
#[derive(Clone, Debug)]
pub struct Jobs {
    /// One or more.
    pub workers: usize,
    /// A batch that has reached this size is complete; the line that reaches it is still part of it.
    pub batch_bytes: usize,
    /// Write what is done first; only marks keep their place.
    pub unordered: bool,
    /// How long lines may collect while a worker is free and another one works. Nobody waits for an idle pool.
    pub linger: Duration,
}

impl Jobs {
    /// One worker, for a tool that needs no more: lines come out in their order.
    #[must_use]
    pub fn one() -> Self {
        Self { workers: 1, batch_bytes: ONE_BATCH_BYTES, unordered: false, linger: Duration::ZERO }
    }

    /// A worker for each core that this process may use.
    pub fn workers_default() -> usize {
        thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

/// What a thread of the pool does with batches. It is made inside its thread.
pub(crate) trait Worker {
    fn work(&mut self, batch: &Batch, product: &mut Product);

    /// There will be no more batches, as the input has ended.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn end(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

/// How often a wait looks whether the reader of the output is still there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What workers say.
pub(crate) enum Message {
    Worked(Batch, Product),
    Ended(Result<(), Fault>),
}

/// In the order of the input.
enum Waiting {
    Batch(u64, Option<Box<(Batch, Product)>>),
    /// Marks, as they are to be written.
    Marks(Vec<u8>),
}

/// The stage.
pub(crate) struct Pool {
    jobs: Jobs,
    batch: Batch,
    batch_since: Option<Instant>,
    queue: VecDeque<Waiting>,
    sequence: u64,
    /// Batches that a worker has, or will have next.
    working: usize,
    /// Batches in the queue.
    in_flight: usize,
    /// Lines in the batch and in the queue.
    held: u64,
    /// The run is over: what comes back is not wanted.
    broken: bool,
    work: Option<Sender<Batch>>,
    messages: Receiver<Message>,
    threads: Vec<JoinHandle<()>>,
    spare: Vec<Batch>,
    on_drop: Option<Box<dyn FnOnce() + Send>>,
}

impl Pool {
    /// Starts the workers, each with so large a stack.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start<W: Worker>(
        jobs: Jobs,
        stack_bytes: usize,
        make: impl Fn() -> W + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        // Both hold at most what is in flight, which is bounded.
        let (work, batches) = unbounded::<Batch>();
        let (say, messages) = unbounded();
        let make = Arc::new(make);
        let mut threads = Vec::new();
        for _ in 0..jobs.workers {
            let (make, batches, say) = (Arc::clone(&make), batches.clone(), say.clone());
            let thread = thread::Builder::new().name("worker".to_owned()).stack_size(stack_bytes);
            let thread = thread.spawn(move || run_worker(make(), &batches, &say));
            threads.push(thread.map_err(|e| Error::io("a worker thread", &e))?);
        }
        Ok(Self {
            jobs,
            batch: Batch::default(),
            batch_since: None,
            queue: VecDeque::new(),
            sequence: 0,
            working: 0,
            in_flight: 0,
            held: 0,
            broken: false,
            work: Some(work),
            messages,
            threads,
            spare: Vec::new(),
            on_drop: None,
        })
    }

    /// When the pool goes, calls this and then waits for the workers: it must make them end.
    pub fn on_drop(&mut self, make_workers_end: impl FnOnce() + Send + 'static) {
        self.on_drop = Some(Box::new(make_workers_end));
    }

    /// What workers say, to wait for; it goes to `receive`.
    pub fn messages(&self) -> &Receiver<Message> {
        &self.messages
    }

    /// When `offer` may have something to do.
    pub fn offer_in(&self) -> Option<Duration> {
        let since = self.batch_since.filter(|_| self.working < self.jobs.workers && self.has_room())?;
        Some(self.jobs.linger.saturating_sub(since.elapsed()))
    }

    /// Gives lines that have collected to a free worker: a trickle goes at once, a flood in big batches.
    pub fn offer(&mut self, out: &Out) {
        let lingered = self.working == 0 || self.offer_in() == Some(Duration::ZERO);
        if self.offer_in().is_some() && lingered {
            self.hand_over(out);
        }
    }

    /// Takes what a worker says, and writes what has its turn.
    ///
    /// # Errors
    /// What ends the run.
    pub fn receive(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        match message {
            Message::Worked(batch, product) => {
                self.working -= 1;
                let entry = self.queue.iter_mut().find_map(|waiting| match waiting {
                    Waiting::Batch(sequence, done) if *sequence == batch.sequence => Some(done),
                    _ => None,
                });
                if let Some(done) = entry {
                    *done = Some(Box::new((batch, product)));
                }
                self.write_ready(out)
            }
            Message::Ended(result) => result,
        }
    }

    /// True when no line is on its way.
    pub fn is_idle(&self) -> bool {
        self.held == 0
    }

    fn has_room(&self) -> bool {
        self.in_flight < 2 * self.jobs.workers
    }

    /// Gives the collected lines to the workers, after waiting for room.
    fn close_batch(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.batch.is_empty() {
            return Ok(());
        }
        while !self.has_room() {
            self.wait(out)?;
        }
        self.hand_over(out);
        Ok(())
    }

    fn hand_over(&mut self, out: &Out) {
        let batch = std::mem::replace(&mut self.batch, self.spare.pop().unwrap_or_default());
        self.batch_since = None;
        self.give(batch, out);
    }

    fn give(&mut self, mut batch: Batch, out: &Out) {
        batch.sequence = self.sequence;
        batch.stops_on_error = out.stops_on_error();
        self.queue.push_back(Waiting::Batch(self.sequence, None));
        self.sequence += 1;
        self.working += 1;
        self.in_flight += 1;
        if let Some(work) = &self.work {
            // The receiving ends live as long as the workers, and those catch their panics.
            let _ = work.send(batch);
        }
    }

    /// Waits for a worker.
    fn wait(&mut self, out: &mut Out) -> Result<(), Fault> {
        // Nobody knows how long that takes: what is written goes out before.
        out.flush();
        out.check()?;
        loop {
            match self.messages.recv_timeout(LOOK_EVERY) {
                Ok(message) => {
                    self.receive(message, out)?;
                    out.flush();
                    return out.check();
                }
                Err(RecvTimeoutError::Timeout) if reader_has_gone()? => return Err(Fault::ReaderGone),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Error::temporary("the workers have died").into()),
            }
        }
    }

    fn write_ready(&mut self, out: &mut Out) -> Result<(), Fault> {
        while let Some(Waiting::Marks(_) | Waiting::Batch(_, Some(_))) = self.queue.front() {
            self.write_at(0, out)?;
        }
        while self.jobs.unordered {
            let until_mark = self.queue.iter().take_while(|waiting| matches!(waiting, Waiting::Batch(..)));
            let done = until_mark.enumerate().find(|(_, waiting)| matches!(waiting, Waiting::Batch(_, Some(_))));
            let Some((index, _)) = done else { break };
            self.write_at(index, out)?;
        }
        Ok(())
    }

    fn write_at(&mut self, index: usize, out: &mut Out) -> Result<(), Fault> {
        match self.queue.remove(index) {
            Some(Waiting::Marks(marks)) => out.buffer().extend_from_slice(&marks),
            Some(Waiting::Batch(_, Some(done))) => {
                let (mut batch, mut product) = *done;
                self.in_flight -= 1;
                let before = out.counts().ended();
                let result = product.write(&batch, out);
                if let Err(fault) = result {
                    self.broken = true;
                    self.held -= out.counts().ended() - before;
                    return Err(fault);
                }
                self.held -= batch.lines as u64;
                // The memory of one giant line is not kept.
                if batch.bytes.capacity() <= 4 * self.jobs.batch_bytes.max(CHUNK_BYTES) {
                    batch.clear();
                    batch.keep_for_output(product.out);
                    self.spare.push(batch);
                }
            }
            Some(Waiting::Batch(_, None)) | None => {}
        }
        Ok(())
    }

    /// Tells the workers that there is no more, and hears them out.
    fn end_workers(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.work = None;
        for _ in 0..self.threads.len() {
            self.wait(out)?;
        }
        self.messages = never();
        Ok(())
    }
}

impl Station for Pool {
    fn start(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.held += 1;
        self.batch.push(line, out.place());
        if self.batch.bytes.len() >= self.jobs.batch_bytes {
            return self.close_batch(out);
        }
        if self.batch_since.is_none() {
            self.batch_since = Some(Instant::now());
        }
        Ok(())
    }

    /// The workers select lines.
    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.line(line, out)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.close_batch(out)?;
        match self.queue.back_mut() {
            None => out.mark(mark),
            Some(Waiting::Marks(marks)) => {
                mark.write(marks);
                marks.push(b'\n');
                // Marks without lines between them are bounded too.
                if marks.len() > self.jobs.batch_bytes {
                    self.catch_up(out)?;
                }
            }
            Some(Waiting::Batch(..)) => {
                let mut marks = Vec::new();
                mark.write(&mut marks);
                marks.push(b'\n');
                self.queue.push_back(Waiting::Marks(marks));
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.catch_up(out)?;
        self.end_workers(out)
    }

    /// When to wake it, its own loop knows.
    fn wake_at_us(&self) -> Option<i64> {
        None
    }

    fn wake(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    fn catch_up(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.broken {
            return Ok(());
        }
        self.close_batch(out)?;
        let place = out.place();
        while self.in_flight > 0 {
            self.wait(out)?;
        }
        out.at(place.line, place.byte);
        self.write_ready(out)
    }

    fn give_up(&mut self, out: &mut Out) {
        // The error that is already on its way says more than what this could meet.
        let _ = self.catch_up(out);
    }

    fn held(&self) -> u64 {
        self.held
    }

    fn remark(&self) -> Option<String> {
        None
    }

    /// It remembers nothing: before a barrier everything is written.
    fn state(&mut self) -> Option<&mut dyn Stateful> {
        None
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.work = None;
        let Some(make_workers_end) = self.on_drop.take() else { return };
        make_workers_end();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn run_worker<W: Worker>(mut worker: W, batches: &Receiver<Batch>, say: &Sender<Message>) {
    for mut batch in batches {
        let mut product = Product { out: batch.take_for_output(), ..Product::default() };
        let work = AssertUnwindSafe(|| worker.work(&batch, &mut product));
        if let Err(panic) = catch_unwind(work) {
            let error = Error::data(format_args!("{}: {}", batch.range(batch.lines), panic_text(panic.as_ref())));
            product = Product { failure: Some(Failure::Stop(error.into())), ..Product::default() };
        }
        if say.send(Message::Worked(batch, product)).is_err() {
            return;
        }
    }
    let _ = say.send(Message::Ended(worker.end()));
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a worker panicked: {}", text.unwrap_or("it said nothing"))
}

pub mod batch;
mod chunks;

#[cfg(test)]
mod tests;
