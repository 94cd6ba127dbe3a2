//! The ways of running a stage or a sink between stdin and stdout. All give the same bytes.

use std::any::Any;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use protocol::{Config, Counts, Doing, Driver, Facts, Late, Reader, Sink, Stage, Station, Waits};
use stream::{Error, Fault};

use crate::clock::{now_ms, now_us, waits};
use crate::pipes::drain::{Stdout, Writer};
use crate::pipes::incoming::Incoming;
use crate::pipes::input::{Input, Read, upstream_has_gone};
use crate::pipes::output::wait_for_room;
use crate::pipes::read_buffer::ReadBuffer;
use crate::pipes::sizes::{CHANNEL_CHUNKS, CHUNK_BYTES};
use crate::pipes::stderr::open_rejects;
use crate::pipes::stdio::must_have_output;
use crate::running::accounting::Role;
use crate::running::ahead::Readers;
use crate::running::args::{RunArgs, StageArgs};
use crate::running::monitor::{Monitor, Shown};
use crate::running::save_thread::keeper;
use crate::signals::StopFlag;

/// One reads, one works, one writes.
const THREADS_OF_ANY_STAGE: u16 = 3;

/// A queue that is empty so soon after Ctrl-C is not worth a word.
const SAY_AFTER: Duration = Duration::from_secs(1);

/// How often a stage looks whether its snapshot could be written.
const SAVE_LOOK: Duration = Duration::from_millis(50);

/// Runs a stage from stdin to stdout until the input ends.
///
/// # Errors
/// What ended the run early; `ReaderGone` is for `tool::main` to turn into death by SIGPIPE.
pub fn run_stage<S: Stage>(stage: S, config: Config, args: &StageArgs) -> Result<(), Fault> {
    let stop = StopFlag::for_stage()?;
    let mut driver = driver(stage, config)?;
    // A queue watches its output while it waits for input.
    let threads = if driver.has_queue() { 1 } else { args.threads };
    let writer = (threads >= 3).then(Writer::spawn);
    match &writer {
        None => driver.out.set_drain(Box::new(Stdout)),
        Some(writer) => driver.out.set_drain(Box::new(writer.drain())),
    }
    let readers = driver.readers(usize::from(threads) - 1);
    if threads > THREADS_OF_ANY_STAGE && readers.is_empty() {
        driver.out.warn(format_args!("--threads {threads}: only {THREADS_OF_ANY_STAGE} are of use here"));
    }
    let waits = driver.out.waits().clone();
    let mut feed = Feed::new(threads >= 2, true, args.chunk.as_usize(), waits).read_ahead(readers);
    let mut result = drive(&mut driver, &args.run, |driver, monitor| pump(driver, &mut feed, monitor, &stop));
    if let Some(writer) = writer {
        driver.out.set_drain(Box::new(Stdout)); // Drops the channel: the writer ends.
        result = writer.join().and(result);
    }
    result
}

/// Runs a sink on stdin until the input ends and everything is delivered.
///
/// # Errors
/// As [`run_stage`].
pub fn run_sink<S: Sink>(sink: S, config: Config, args: &RunArgs) -> Result<(), Fault> {
    let stop = StopFlag::for_stage()?;
    let rejects = open_rejects(&config)?;
    let mut driver = ready(Driver::of_sink(sink, config, rejects));
    let mut feed = Feed::new(false, false, CHUNK_BYTES, driver.out.waits().clone());
    drive(&mut driver, args, |driver, monitor| pump(driver, &mut feed, monitor, &stop))
}

/// Around a stage that writes to standard output.
pub(crate) fn driver<S: Station>(stage: S, config: Config) -> Result<Driver<S>, Error> {
    must_have_output()?;
    let rejects = open_rejects(&config)?;
    Ok(ready(Driver::new(stage, config, rejects)))
}

/// Gives a driver what it needs of the world.
fn ready<S: Station>(driver: Driver<S>) -> Driver<S> {
    let mut driver = driver.keep_with(keeper());
    driver.out.set_waits(waits());
    driver
}

/// Runs a loop to its end, and tells how it went.
pub(crate) fn drive<S: Station>(
    driver: &mut Driver<S>,
    args: &RunArgs,
    run: impl FnOnce(&mut Driver<S>, &mut Monitor) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let role = if driver.is_sink() { Role::Sink } else { Role::Stage };
    let name = driver.name().to_owned();
    let mut monitor = Monitor::new(&name, role, args, &mut driver.out);
    driver.keeper().watch_upstream(upstream_has_gone);
    let result = run(driver, &mut monitor);
    // What was written before an error is good: it goes out, unless nobody reads.
    if matches!(result, Err(Fault::Stop(_) | Fault::Bad(_))) {
        driver.stage.give_up(&mut driver.out);
    }
    if driver.is_checked() && !driver.is_sink() {
        let died = driver.who_died().map(str::to_owned);
        driver.out.last_words(&name, died.as_deref(), &result);
    }
    let flushed = match &result {
        Err(Fault::ReaderGone) => Ok(()),
        // It may be that the run ends because nobody reads.
        Err(_) if driver.has_queue() => driver.out.flush_all_that_can_go(),
        _ => driver.out.flush_all(),
    };
    let result = result.and(flushed);
    say_late(driver);
    driver.out.say_skipped();
    say_remark(driver, &result);
    monitor.finish(driver, &result);
    result
}

/// The loop: wait, read, work, write.
fn pump<S: Station>(
    driver: &mut Driver<S>,
    feed: &mut Feed,
    monitor: &mut Monitor,
    stop: &StopFlag,
) -> Result<(), Fault> {
    loop {
        if driver.is_sink() && feed.is_dry()? {
            driver.clock(now_ms())?;
            driver.rest()?;
        }
        let timeout = timeout(driver, monitor)?;
        let more = feed.next(timeout, waits_for(driver), |chunk, read| {
            driver.clock_us(now_us())?;
            match (chunk, read) {
                (Some(bytes), Some(lines)) => driver.feed_read(bytes, lines),
                (Some(bytes), None) => take_chunk(driver, bytes, monitor),
                (None, _) => Ok(()),
            }
        })?;
        if !more {
            driver.close()?;
            let mut patience = Patience::default();
            wait_while_full(driver, monitor, |driver| patience.say_what_waits(driver, stop))?;
            return driver.out.flush_all();
        }
        write(driver)?;
        monitor.tick(driver);
    }
}

/// What a wait for input is a wait for: a stage with a queue that is not empty goes at its pace, or at that of its reader.
fn waits_for<S: Station>(driver: &mut Driver<S>) -> Doing {
    if !driver.has_queue() {
        return Doing::WaitForInput;
    }
    let (_, held) = driver.counts();
    match held {
        _ if driver.out.is_clogged() => Doing::WaitForOutput,
        0 => Doing::WaitForInput,
        _ => Doing::Pace,
    }
}

impl<S: Station> Shown for Driver<S> {
    fn counts(&self) -> (Counts, u64) {
        Driver::counts(self)
    }

    fn facts(&mut self) -> Facts {
        Driver::facts(self)
    }
}

/// Gives a chunk to the stage, as fast as it takes it.
fn take_chunk<S: Station>(driver: &mut Driver<S>, chunk: &[u8], monitor: &mut Monitor) -> Result<(), Fault> {
    let mut taken = driver.offer(chunk)?;
    while taken < chunk.len() || driver.is_full() {
        wait_while_full(driver, monitor, |_| ())?;
        taken += driver.offer(&chunk[taken..])?;
    }
    Ok(())
}

/// The stage takes nothing: its clock goes on, and its output.
fn wait_while_full<S: Station>(
    driver: &mut Driver<S>,
    monitor: &mut Monitor,
    mut each_time: impl FnMut(&mut Driver<S>),
) -> Result<(), Fault> {
    while driver.is_full() {
        each_time(driver);
        write(driver)?;
        monitor.tick(driver);
        if driver.is_full() {
            let timeout = timeout(driver, monitor)?;
            let waits = driver.out.waits();
            if driver.out.is_clogged() {
                waits.for_output(|| wait_for_room(true, timeout))?;
            } else {
                waits.for_pace(|| wait_for_room(false, timeout))?;
            }
            driver.clock_us(now_us())?;
        }
    }
    Ok(())
}

/// That of somebody who has pressed Ctrl-C, while a queue goes on at its own pace after the end of the input.
#[derive(Default)]
struct Patience {
    pressed_at: Option<Instant>,
    has_said: bool,
}

impl Patience {
    fn say_what_waits<S: Station>(&mut self, driver: &mut Driver<S>, stop: &StopFlag) {
        if self.has_said || !stop.is_set() {
            return;
        }
        if self.pressed_at.get_or_insert_with(Instant::now).elapsed() >= SAY_AFTER {
            self.has_said = true;
            let (_, held) = driver.counts();
            driver.out.warn(format_args!(
                "the input has ended; {held} lines are in the queue and go on at their pace\nhint: Ctrl-C again ends it without them"
            ));
        }
    }
}

/// All that was written goes on; of a stage with a queue, what the reader takes now.
fn write<S: Station>(driver: &mut Driver<S>) -> Result<(), Fault> {
    if driver.has_queue() {
        return driver.flush_some();
    }
    driver.out.flush_all()
}

/// The nearest of what the stage, the monitor and the saving of state ask for.
pub(crate) fn timeout<S: Station>(driver: &Driver<S>, monitor: &Monitor) -> Result<Option<Duration>, Fault> {
    let wake_in = |at_us: i64| Duration::from_micros(u64::try_from(at_us - now_us()).unwrap_or(0));
    let wake = driver.wake_at_us().map(wake_in);
    Ok([wake, monitor.tick_in(), look_in(driver)?].into_iter().flatten().min())
}

/// While a snapshot is being written, whether that has failed is looked for also when no line comes.
pub(crate) fn look_in<S: Station>(driver: &Driver<S>) -> Result<Option<Duration>, Fault> {
    if driver.is_checked() {
        StopFlag::stream_is_checked()?;
    }
    Ok(driver.is_saving()?.then_some(SAVE_LOOK))
}

/// What the stage says of a run that went well.
pub(crate) fn say_remark<S: Station>(driver: &mut Driver<S>, result: &Result<(), Fault>) {
    if let (Ok(()), Some(remark)) = (result, driver.stage.remark()) {
        driver.out.warn(remark);
    }
}

fn say_late<S: Station>(driver: &mut Driver<S>) {
    let (counts, _) = driver.counts();
    if counts.late == 0 || driver.out.late_policy() != Late::Drop {
        return;
    }
    let mut text = format!("{} late {} dropped", counts.late, if counts.late == 1 { "line" } else { "lines" });
    // Partitions read at different speeds look like disorder when they cannot be told apart.
    if !driver.sees_from() && counts.late * 100 > counts.lines_in {
        text.push_str(
            "\nhint: if they come from several partitions or files, --marks at the source (for files with --parts files) keeps a watermark for each",
        );
    }
    driver.out.warn(text);
}

/// Chunks of input, read here or in a thread of their own.
enum Feed {
    Here {
        input: Input,
        buffer: ReadBuffer,
    },
    Thread {
        chunks: Receiver<Incoming>,
        spent: Sender<ReadBuffer>,
        waits: Waits,
    },
    /// Other threads have read the lines, too.
    Ahead {
        readers: Readers,
        spent: Sender<ReadBuffer>,
        waits: Waits,
    },
}

impl Feed {
    fn new(threaded: bool, watches_output: bool, chunk_bytes: usize, waits: Waits) -> Self {
        if !threaded {
            return Self::Here { input: Input::new(watches_output, chunk_bytes, waits), buffer: ReadBuffer::default() };
        }
        let (chunks, spent) = spawn_reader(watches_output, chunk_bytes);
        Self::Thread { chunks, spent, waits }
    }

    /// Lets threads read the lines before they are worked on.
    fn read_ahead(self, readers: Vec<Box<dyn Reader>>) -> Self {
        match self {
            Self::Thread { chunks, spent, waits } if !readers.is_empty() => {
                Self::Ahead { readers: Readers::start(readers, chunks), spent, waits }
            }
            other => other,
        }
    }

    /// Gives the next chunk to `work`, with what was read of it before, or no chunk after the timeout (or, in one loop that waits
    /// for its output too, when that has room); false at the end of the input.
    fn next(
        &mut self,
        timeout: Option<Duration>,
        what: Doing,
        work: impl FnOnce(Option<&[u8]>, Option<Box<dyn Any + Send>>) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let (received, lines, spent) = match self {
            Self::Here { input, buffer } => {
                buffer.grow(input.chunk_bytes());
                return match input.read_while(what, buffer, timeout)? {
                    Read::Bytes(n) => work(Some(&buffer[..n]), None).map(|()| true),
                    Read::TimedOut => work(None, None).map(|()| true),
                    Read::End => Ok(false),
                };
            }
            Self::Thread { chunks, spent, waits } => (waits.for_input(|| receive(chunks, timeout)), None, spent),
            Self::Ahead { readers, spent, waits } => match waits.for_input(|| receive(readers.channel(), timeout)) {
                Ok((chunk, lines)) => {
                    readers.taken();
                    (Ok(chunk), lines, spent)
                }
                Err(error) => (Err(error), None, spent),
            },
        };
        match received {
            Ok(Incoming::Bytes(buffer, n)) => {
                work(Some(&buffer[..n]), lines)?;
                let _ = spent.try_send(buffer);
                Ok(true)
            }
            Ok(Incoming::End) => Ok(false),
            Ok(Incoming::Failed(fault)) => Err(fault),
            Err(RecvTimeoutError::Timeout) => work(None, None).map(|()| true),
            Err(RecvTimeoutError::Disconnected) => Err(Error::temporary("a reading thread died").into()),
        }
    }

    /// Whether the next chunk is not there yet.
    fn is_dry(&self) -> Result<bool, Fault> {
        match self {
            Self::Here { input, .. } => input.is_dry(),
            Self::Thread { chunks, .. } => Ok(chunks.is_empty()),
            Self::Ahead { readers, .. } => Ok(readers.channel().is_empty()),
        }
    }
}

/// Reads standard input in a thread of its own. Buffers that were worked off go back to it.
fn spawn_reader(watches_output: bool, chunk_bytes: usize) -> (Receiver<Incoming>, Sender<ReadBuffer>) {
    // What this thread waits for is not what the loop waits for.
    let mut input = Input::new(watches_output, chunk_bytes, Waits::default());
    let (full, chunks) = bounded(CHANNEL_CHUNKS);
    let (spent, empty) = bounded::<ReadBuffer>(CHANNEL_CHUNKS + 2);
    // Not joined: it may sit in a read for ever, and the process ends without it.
    thread::spawn(move || {
        loop {
            let mut buffer = empty.try_recv().unwrap_or_default();
            buffer.grow(input.chunk_bytes());
            let incoming = match input.read(&mut buffer, None) {
                Ok(Read::Bytes(n)) => Incoming::Bytes(buffer, n),
                Ok(Read::TimedOut) => continue,
                Ok(Read::End) => Incoming::End,
                Err(fault) => Incoming::Failed(fault),
            };
            let over = !matches!(incoming, Incoming::Bytes(..));
            if full.send(incoming).is_err() || over {
                return;
            }
        }
    });
    (chunks, spent)
}

fn receive<T>(chunks: &Receiver<T>, timeout: Option<Duration>) -> Result<T, RecvTimeoutError> {
    match timeout {
        Some(timeout) => chunks.recv_timeout(timeout),
        None => chunks.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}
