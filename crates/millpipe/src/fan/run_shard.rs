//! The loop of `shard`: one thread that reads, divides, writes to the shards, reads from them, and writes.
//!
//! It never waits for one pipe alone, but for its own output: whatever a shard does with its input, its output is read, so
//! that no two of them can wait for each other.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use protocol::{
    Config, Counts, Driver, Facts, FanIn, FanOut, Merge, Ordered, Out, Relay, Route, Turns, WAITING_BYTES_MAX,
};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use stream::{Error, Fault};

use crate::clock::{now_ms, waits};
use crate::pipes::drain::Stdout;
use crate::pipes::flood::Flood;
use crate::pipes::poll::{poll, widen};
use crate::pipes::read_buffer::ReadBuffer;
use crate::pipes::sizes::FLOOD_CHUNK_BYTES;
use crate::pipes::stderr::open_rejects;
use crate::programs::processes::Processes;
use crate::programs::sub_pipe::SubPipe;
use crate::running::accounting::Role;
use crate::running::args::StageArgs;
use crate::running::monitor::{Monitor, Shown};
use crate::running::run::{driver, look_in, say_remark};

/// A write to a shard is worth its while from here on, if more input is there.
const WRITE_BYTES_MIN: usize = 32 << 10;
/// How often a process is looked for that has closed its output.
const LINGER_LOOK: Duration = Duration::from_millis(20);
/// A shard that has all of its input and says nothing for so long, while all others wait for it, holds its output back.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// The sub-pipes.
pub struct Shards {
    /// For `bash -c`.
    pub script: OsString,
    pub count: usize,
    /// Bring lines back in the order of the input; those that wait for their turn take at most so many bytes.
    pub ordered_bytes: Option<usize>,
}

/// Divides stdin over copies of a sub-pipe and writes what comes back from them to stdout.
///
/// # Errors
/// As [`crate::run_stage`]; or how a shard ended.
pub fn run_shard<R: Route, M: Merge>(
    route: R,
    merge: M,
    shards: &Shards,
    config: Config,
    args: &StageArgs,
) -> Result<(), Fault> {
    let processes = Processes::new()?;
    let mut out = Out::new(&config.policy, open_rejects(&config)?);
    out.set_drain(Box::new(Stdout));
    out.set_waits(waits());
    let (name, line_bytes_max) = (config.name.clone(), config.line_bytes_max);
    let names = (0..shards.count).map(|number| format!("shard {number}")).collect();
    let turns = shards.ordered_bytes.map(|_| Turns::default());
    let start = |number| SubPipe::start(&shards.script, number, shards.count, &processes);
    let mut driver = driver(FanOut::new(route, shards.count, turns), config)?;
    // Those who watch see one stage: what comes in, and the waits of the one loop.
    driver.out.set_waits(out.waits().clone());
    let mut monitor = Monitor::new(&name, Role::Stage, &args.run, &mut driver.out);
    let mut run = Run {
        fan_in: FanIn::new(names, &name, line_bytes_max.saturating_mul(2)),
        driver,
        relay: Relay { stage: merge, out, has_said_hello: false },
        ordered: shards.ordered_bytes.map(|bytes| Ordered::new(shards.count, bytes)),
        pipes: (0..shards.count).map(start).collect::<Result<_, _>>()?,
        buffer: ReadBuffer::new(args.chunk.as_usize().clamp(1, FLOOD_CHUNK_BYTES)),
        input_is_over: false,
        flood: Flood::default(),
        heard_at: Instant::now(),
    };
    let result = run.pump(&mut monitor);
    if run.relay.has_said_hello {
        run.relay.out.last_words(run.driver.name(), run.driver.who_died(), &result);
    }
    // What was written before an error is good: it goes out, unless nobody reads.
    let flushed = if result == Err(Fault::ReaderGone) { Ok(()) } else { run.relay.out.flush_all() };
    let result = result.and(flushed).and(run.driver.out.flush_all());
    run.driver.out.say_skipped();
    say_remark(&mut run.driver, &result);
    monitor.finish(&mut run, &result);
    result
}

struct Run<R, M> {
    driver: Driver<FanOut<R>>,
    fan_in: FanIn,
    relay: Relay<M>,
    ordered: Option<Ordered>,
    pipes: Vec<SubPipe>,
    buffer: ReadBuffer,
    input_is_over: bool,
    flood: Flood,
    /// When a shard last wrote something.
    heard_at: Instant,
}

/// What can be done without waiting.
struct Ready {
    input: bool,
    /// For each shard: its stdin, stdout and stderr.
    shards: Vec<[bool; 3]>,
}

impl<R: Route, M: Merge> Shown for Run<R, M> {
    fn counts(&self) -> (Counts, u64) {
        let ((counts, held), out) = (self.driver.counts(), self.relay.out.counts());
        (Counts { lines_out: out.lines_out, bytes_out: out.bytes_out, ..counts }, held)
    }

    fn facts(&mut self) -> Facts {
        self.driver.facts()
    }
}

impl<R: Route, M: Merge> Run<R, M> {
    fn pump(&mut self, monitor: &mut Monitor) -> Result<(), Fault> {
        while !self.pipes.iter().all(SubPipe::has_ended) {
            let timeout = self.timeout(monitor)?;
            let is_working = self.driver.stage.ports.iter().any(|port| !port.waiting().is_empty());
            let (waits, wait) = (self.relay.out.waits(), || self.wait(timeout));
            let ready = if is_working { waits.for_output(wait)? } else { waits.for_input(wait)? };
            self.driver.clock(now_ms())?;
            self.relay.out.set_now_ms(now_ms());
            self.read_shards(&ready)?;
            self.write_shards(&ready)?;
            if ready.input {
                self.read_input()?;
            }
            self.end_shards();
            self.relay.out.flush_all()?;
            self.must_not_be_stuck()?;
            monitor.tick(self);
        }
        Ok(())
    }

    fn timeout(&self, monitor: &Monitor) -> Result<Option<Duration>, Fault> {
        let lingers = self.pipes.iter().any(SubPipe::lingers).then_some(LINGER_LOOK);
        let silence = self.is_full().then_some(Duration::from_secs(1));
        Ok([look_in(&self.driver)?, monitor.tick_in(), lingers, silence].into_iter().flatten().min())
    }

    /// Whether lines that have to wait for their turn take as much as they may.
    fn is_full(&self) -> bool {
        self.ordered.as_ref().is_some_and(Ordered::is_full)
    }

    fn wants_input(&self) -> bool {
        let stage = &self.driver.stage;
        let has_room = stage.ports.iter().all(|port| port.waiting().len() < WAITING_BYTES_MAX);
        !self.input_is_over && has_room && !stage.turns.as_ref().is_some_and(Turns::is_full)
    }

    fn wants_output_of(&self, shard: usize) -> bool {
        match (&self.ordered, &self.driver.stage.turns) {
            (Some(ordered), Some(turns)) => ordered.has_room(shard, turns),
            _ => self.fan_in.wants(shard),
        }
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<Ready, Fault> {
        let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
        let mut asked: Vec<Option<(BorrowedFd<'_>, PollFlags)>> = vec![
            Some((stdout.as_fd(), PollFlags::empty())),
            self.wants_input().then_some((stdin.as_fd(), PollFlags::IN)),
        ];
        for (number, pipe) in self.pipes.iter().enumerate() {
            let has_input = !self.driver.stage.ports[number].waiting().is_empty();
            let [stdin, stdout] = [has_input, self.wants_output_of(number)];
            asked.push(pipe.stdin.as_ref().filter(|_| stdin).map(|fd| (fd.as_fd(), PollFlags::OUT)));
            asked.push(pipe.stdout.as_ref().filter(|_| stdout).map(|fd| (fd.as_fd(), PollFlags::IN)));
            asked.push(pipe.stderr.as_ref().map(|fd| (fd.as_fd(), PollFlags::IN)));
        }
        let mut fds: Vec<PollFd<'_>> =
            asked.iter().flatten().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        poll(&mut fds, timeout)?;
        if fds[0].revents().contains(PollFlags::ERR) {
            return Err(Fault::ReaderGone);
        }
        let mut events = fds.iter().map(|fd| !fd.revents().is_empty());
        let mut ready = asked.iter().map(|asked| asked.is_some() && events.next().unwrap_or(false));
        let _stdout = ready.next();
        let input = ready.next().unwrap_or(false);
        let rest: Vec<bool> = ready.collect();
        let shards = rest.chunks_exact(3).map(|three| [three[0], three[1], three[2]]).collect();
        Ok(Ready { input, shards })
    }

    fn read_shards(&mut self, ready: &Ready) -> Result<(), Fault> {
        for (number, [_, stdout, stderr]) in ready.shards.iter().enumerate() {
            if *stderr {
                self.pipes[number].hear();
            }
            if *stdout {
                self.read_shard(number)?;
            }
            if self.pipes[number].stdout.is_none() {
                self.pipes[number].look()?;
            }
        }
        Ok(())
    }

    fn read_shard(&mut self, number: usize) -> Result<(), Fault> {
        let Self { pipes, buffer, fan_in, relay, ordered, driver, .. } = self;
        let Some(read) = pipes[number].read(buffer)? else { return self.shard_ended(number) };
        self.heard_at = Instant::now();
        let chunk = &buffer[..read];
        match (ordered, &mut driver.stage.turns) {
            (Some(ordered), Some(turns)) => ordered.feed(number, chunk, turns, fan_in, relay),
            _ => fan_in.feed(number, chunk, relay),
        }
    }

    /// The end of a shard's output. If that is too early, its process says why.
    fn shard_ended(&mut self, number: usize) -> Result<(), Fault> {
        let Self { fan_in, relay, ordered, driver, .. } = self;
        let result = match (ordered, &mut driver.stage.turns) {
            (Some(ordered), Some(turns)) => ordered.finish(number, turns, fan_in, relay),
            _ => fan_in.finish(number, relay),
        };
        match result {
            Err(Fault::Stop(error)) => Err(self.pipes[number].verdict(error).into()),
            result => result,
        }
    }

    fn write_shards(&mut self, ready: &Ready) -> Result<(), Fault> {
        for (number, [stdin, ..]) in ready.shards.iter().enumerate() {
            let port = &mut self.driver.stage.ports[number];
            if *stdin && (!ready.input || port.waiting().len() >= WRITE_BYTES_MIN) {
                self.pipes[number].write(port)?;
            }
        }
        Ok(())
    }

    /// At the end of the input a shard that has all of it is told so.
    fn end_shards(&mut self) {
        for (pipe, port) in self.pipes.iter_mut().zip(&self.driver.stage.ports) {
            if self.input_is_over && port.waiting().is_empty() {
                pipe.stdin = None;
            }
        }
    }

    fn read_input(&mut self) -> Result<(), Fault> {
        match rustix::io::read(rustix::stdio::stdin(), &mut self.buffer[..]) {
            Ok(0) => {
                self.driver.finish()?;
                self.input_is_over = true;
            }
            Ok(n) => {
                self.driver.feed(&self.buffer[..n])?;
                if self.driver.has_had_hello() {
                    self.fan_in.expect_checked();
                }
                if self.flood.begins_with(n, Instant::now()) {
                    widen(rustix::stdio::stdin());
                    self.buffer.grow(FLOOD_CHUNK_BYTES);
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(Error::io("standard input", &error.into()).into()),
        }
        self.driver.stage.send_marks(&mut self.driver.out)?;
        self.driver.out.flush_all()
    }

    /// A program that holds its output back would be waited for for ever: that must not look like slow work.
    fn must_not_be_stuck(&self) -> Result<(), Fault> {
        if !self.is_full() || self.heard_at.elapsed() < SILENCE_MAX {
            return Ok(());
        }
        let shard = self.driver.stage.turns.as_ref().and_then(Turns::next).unwrap_or(0);
        if !self.driver.stage.ports[shard].waiting().is_empty() {
            return Ok(());
        }
        let seconds = SILENCE_MAX.as_secs();
        Err(Error::data(format_args!("shard {shard} has all its lines and gives none for {seconds} s, and the others wait for it"))
            .hint("a program that holds its output back must be told not to (jq --unbuffered, grep --line-buffered); --buffer gives room")
            .into())
    }
}
