//! A source and its side of the protocol, as a state machine: the loop around it only writes, waits and asks the
//! clock.

use std::path::PathBuf;

use checkpoint::{Changes, CheckpointId, Committed, Part, Snapshot};
use stream::{Error, Fault, Mark, MarkKind};
use time_text::format_rfc3339;

use crate::hello::{Hello, Positions, Truth};
use crate::keeper::{Keeper, folder_name};
use crate::out::Out;
use crate::recovery;
use crate::saving::Watch;
use crate::source::{Polled, Source};
use crate::waits::Doing;

/// The first barrier comes early: a new run shows soon that all of the pipe works, and frees what the run before it
/// left open.
const FIRST_BARRIER_MS: i64 = 100;
/// How often the source looks for a commit that it waits for.
const LOOK_MS: i64 = 2;
/// How soon a source is asked again that does not know yet whether its lines may be committed.
const ASK_AGAIN_MS: i64 = 20;
/// While a commit is waited for, a mark goes through the pipe so often: what writes into a pipe that nobody reads dies,
/// also a program that would not look.
const PROBE_EVERY_MS: i64 = 1_000;
/// A sink gives up earlier, with a reason.
const COMMIT_WAIT_MS: i64 = 300_000;
/// After so many probes it is asked where the commit is. They are counted, as a clock may jump.
const PROBES_BEFORE_DOUBT: u32 = 10;

/// What makes a stream checked.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    /// The state folder, an absolute path.
    pub state: PathBuf,
    pub interval_ms: i64,
    /// This life of the pipe: never used before, later ones sort behind earlier ones.
    pub run: String,
    /// Whether the end of the input flushes what is open.
    pub drains: bool,
}

/// What one turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Go on at once.
    More,
    /// Nothing to do now; the source has waited itself.
    Waited,
    /// Nothing to do before this time (milliseconds of the epoch), and what is waited for.
    WaitUntil(i64, Doing),
    /// The stream has ended well.
    Over,
}

/// A source with everything the contract asks of it.
pub struct SourceDriver<S> {
    pub source: S,
    pub out: Out,
    name: String,
    epochs: Option<Epochs>,
    ending: Option<Ending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// A barrier is still to be written.
    Barrier {
        drain: bool,
    },
    /// It is written; its commit is waited for.
    Commit {
        drain: bool,
    },
    Over,
}

/// The barriers of a checked stream.
struct Epochs {
    keeper: Keeper,
    checkpoints: Checkpoints,
    folder: String,
    flags: String,
    seq: u64,
    next_at_ms: i64,
    looked_at_ms: i64,
    in_flight: Option<InFlight>,
}

struct InFlight {
    id: CheckpointId,
    positions: Positions,
    since_ms: i64,
    probe_at_ms: i64,
    probes: u32,
    /// The hello has come to a sink. A stale sink of an older run could take the sign away again.
    has_sink: bool,
}

impl<S: Source> SourceDriver<S> {
    /// A source of a plain stream, or with `checkpoints` of a checked one.
    pub fn new(source: S, name: &str, out: Out, checkpoints: Option<Checkpoints>, keeper: Keeper) -> Self {
        let epochs = checkpoints.map(|checkpoints| Epochs {
            keeper,
            checkpoints,
            folder: String::new(),
            flags: source.flags(),
            seq: 0,
            next_at_ms: 0,
            looked_at_ms: 0,
            in_flight: None,
        });
        Self { source, out, name: name.to_owned(), epochs, ending: None }
    }

    /// Finds out where to go on, says hello, and starts the source.
    ///
    /// # Errors
    /// What the source says; a state folder that does not fit.
    pub fn begin(&mut self) -> Result<(), Fault> {
        if let Some(epochs) = &mut self.epochs {
            let hello = epochs.restore(&mut self.source, &self.name)?;
            self.out.figures().hello(&hello.mark());
            self.out.mark(&hello.mark().with("hops", [self.name.as_str()].as_slice()));
            epochs.next_at_ms = self.out.now_ms() + epochs.checkpoints.interval_ms.min(FIRST_BARRIER_MS);
        }
        self.source.start(&mut self.out)
    }

    /// The stream is checked, and those behind know it.
    pub fn has_said_hello(&self) -> bool {
        self.epochs.as_ref().is_some_and(|epochs| epochs.next_at_ms > 0)
    }

    /// Writes a barrier if one is due, and polls the source once. All that was written before it has gone into the
    /// pipe.
    ///
    /// # Errors
    /// What ends the run.
    pub fn turn(&mut self, wait_ms: u64) -> Result<Turn, Fault> {
        let now_ms = self.out.now_ms();
        let mut wait_ms = wait_ms;
        if let Some(epochs) = &mut self.epochs {
            epochs.look(&mut self.source, &mut self.out)?;
            if self.ending.is_none() && epochs.in_flight.is_none() && epochs.next_at_ms <= now_ms {
                if self.source.may_commit(now_ms)? {
                    epochs.barrier(&self.source, &self.name, &mut self.out, None)?;
                } else {
                    epochs.next_at_ms = now_ms + ASK_AGAIN_MS;
                }
            }
            wait_ms = wait_ms.min(epochs.wait_ms(now_ms));
        }
        if let Some(ending) = self.ending {
            return self.go_on_ending(ending);
        }
        let polled = self.source.poll(wait_ms, &mut self.out)?;
        let latest_ms = now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX));
        Ok(match polled {
            Polled::More => Turn::More,
            Polled::Nothing => Turn::Waited,
            Polled::WaitUntil(at_ms) => Turn::WaitUntil(at_ms.min(latest_ms), Doing::WaitForInput),
            Polled::PaceUntil(at_ms) => Turn::WaitUntil(at_ms.min(latest_ms), Doing::Pace),
            Polled::Done => {
                let drain = self.epochs.as_ref().is_none_or(|epochs| epochs.checkpoints.drains);
                self.ending = Some(Ending::Barrier { drain });
                Turn::More
            }
        })
    }

    /// The stream is to end: by a signal, as `Polled::Done` ends it by itself.
    pub fn stop(&mut self) {
        self.ending.get_or_insert(Ending::Barrier { drain: false });
    }

    fn go_on_ending(&mut self, ending: Ending) -> Result<Turn, Fault> {
        let Some(epochs) = &mut self.epochs else {
            self.ending = Some(Ending::Over);
            self.source.stop(&mut self.out)?;
            return Ok(Turn::Over);
        };
        let look_again = Turn::WaitUntil(self.out.now_ms() + LOOK_MS, Doing::Commit);
        match ending {
            _ if epochs.in_flight.is_some() => Ok(look_again),
            Ending::Barrier { .. } if !self.source.may_commit(self.out.now_ms())? => {
                Ok(Turn::WaitUntil(self.out.now_ms() + ASK_AGAIN_MS, Doing::Commit))
            }
            Ending::Barrier { drain } => {
                epochs.barrier(&self.source, &self.name, &mut self.out, Some(drain))?;
                self.ending = Some(Ending::Commit { drain });
                Ok(look_again)
            }
            Ending::Commit { drain } => {
                self.source.stop(&mut self.out)?;
                self.out.mark(&Mark::new(MarkKind::End).with("lines", self.out.epoch_lines).with("drain", drain));
                epochs.keeper.finish()?;
                self.ending = Some(Ending::Over);
                Ok(Turn::Over)
            }
            Ending::Over => Ok(Turn::Over),
        }
    }
}

impl Epochs {
    /// Reads the truth as far as it can be seen, and puts the source where that says.
    fn restore<S: Source>(&mut self, source: &mut S, name: &str) -> Result<Hello, Fault> {
        let Checkpoints { state, run, interval_ms, .. } = &self.checkpoints;
        self.keeper.open(state, run, None)?;
        self.keeper.begin()?;
        let copy = self.keeper.committed()?;
        let seen = source.truth()?;
        let sink = source.for_sink();
        let mut hello = Hello {
            run: run.clone(),
            hop: 1,
            state: state.clone(),
            restore: Truth::default(),
            sink,
            interval_ms: u64::try_from(*interval_ms).unwrap_or(0),
            shard: String::new(),
        };
        self.folder = folder_name(&hello, name, None);
        self.keeper.open(state, run, Some(&self.folder))?;
        hello.restore =
            match recovery::decide(seen, copy.as_ref(), |sink| source.sees(sink), hello.group().unwrap_or_default()) {
                Ok(restore) => restore,
                Err(error) => return Err(self.why_forgotten(source, hello, name, copy)?.unwrap_or(error).into()),
            };
        if hello.restore.id.is_some() {
            source.seek(&self.position(&hello, name)?)?;
        }
        Ok(hello)
    }

    /// The source's own word on a commit that the folder knows and the target does not.
    fn why_forgotten<S: Source>(
        &self,
        source: &mut S,
        mut hello: Hello,
        name: &str,
        copy: Option<Committed>,
    ) -> Result<Option<Error>, Fault> {
        hello.restore.id = copy.map(|copy| copy.id);
        match self.position(&hello, name) {
            Ok(position) => source.why_forgotten(&position),
            // Without its position the source knows no more than we do.
            Err(_) => Ok(None),
        }
    }

    /// The source's position in the checkpoint that the run goes on from.
    fn position(&self, hello: &Hello, name: &str) -> Result<String, Error> {
        let mut position = String::new();
        self.keeper.load(hello, name, &self.flags, &mut |part| {
            if let Part::Head(head) = part {
                position = String::from_utf8_lossy(head).trim_end().to_owned();
            }
            Ok(())
        })?;
        Ok(position)
    }

    /// The source's position of now, under a new id. `end`: it is the last barrier, and so is the stream to end.
    fn barrier<S: Source>(&mut self, source: &S, name: &str, out: &mut Out, end: Option<bool>) -> Result<(), Fault> {
        self.seq += 1;
        let id = CheckpointId::new(&self.checkpoints.run, self.seq);
        let positions = source.positions();
        let mut head = source.position().into_bytes();
        head.push(b'\n');
        self.keeper.save(
            Snapshot {
                id: id.clone(),
                stage: name.to_owned(),
                flags: self.flags.clone(),
                head,
                changes: Changes::default(),
            },
            Watch::new(out),
        )?;
        let mut mark = Mark::new(MarkKind::Barrier)
            .with("id", id.to_string())
            .with("lines", out.epoch_lines)
            .with("positions", positions.clone())
            .with("hops", [name].as_slice())
            .with("snapshots", [self.folder.as_str()].as_slice())
            .with("at", format_rfc3339(out.now_ms()));
        if let Some(drain) = end {
            mark.set("last", true);
            if drain {
                mark.set("drain", true);
            }
        }
        out.mark(&mark);
        out.figures().barrier(&mark, out.now_ms());
        out.epoch_lines = 0;
        self.next_at_ms = out.now_ms() + self.checkpoints.interval_ms;
        let since_ms = out.now_ms();
        let probe_at_ms = since_ms + PROBE_EVERY_MS;
        self.in_flight = Some(InFlight { id, positions, since_ms, probe_at_ms, probes: 0, has_sink: self.seq > 1 });
        Ok(())
    }

    /// Is the barrier in flight committed?
    fn look<S: Source>(&mut self, source: &mut S, out: &mut Out) -> Result<(), Fault> {
        let Some(in_flight) = &mut self.in_flight else { return Ok(()) };
        let now_ms = out.now_ms();
        if (self.looked_at_ms..self.looked_at_ms + LOOK_MS).contains(&now_ms) {
            return Ok(());
        }
        self.looked_at_ms = now_ms;
        self.keeper.check()?;
        if let Some(committed) = self.keeper.committed()? {
            if committed.id == in_flight.id {
                out.figures().commit(&committed.id, now_ms, now_ms.saturating_sub(in_flight.since_ms));
                if !source.sees(&committed.sink) {
                    source.committed(&in_flight.positions)?;
                }
                self.in_flight = None;
                return Ok(());
            }
            if committed.id.run > self.checkpoints.run {
                let id = committed.id;
                return Err(Error::temporary(format_args!("another run of this pipeline has committed {id}")).into());
            }
        }
        in_flight.wait(now_ms, &self.keeper, out)
    }

    /// How long the source may wait for its input.
    fn wait_ms(&self, now_ms: i64) -> u64 {
        let due_ms = if self.in_flight.is_some() { LOOK_MS } else { self.next_at_ms - now_ms };
        u64::try_from(due_ms).unwrap_or(0)
    }
}

impl InFlight {
    fn wait(&mut self, now_ms: i64, keeper: &Keeper, out: &mut Out) -> Result<(), Fault> {
        let waited_ms = now_ms - self.since_ms;
        if now_ms >= self.probe_at_ms {
            self.probe_at_ms = now_ms + PROBE_EVERY_MS;
            self.probes += 1;
            self.has_sink = self.has_sink || keeper.has_sink()?;
            out.mark(&Mark::new(MarkKind::Waiting).with("for", self.id.to_string()));
            if self.probes >= PROBES_BEFORE_DOUBT {
                self.doubt(out)?;
            }
        }
        if waited_ms >= COMMIT_WAIT_MS {
            let seconds = waited_ms / 1000;
            let error = Error::temporary(format_args!("no commit of {} in {seconds} s", self.id));
            return Err(error.hint(self.hint()).into());
        }
        Ok(())
    }

    /// A sink that has taken the hello is slow. One that has not, in such a time, is none: what reads the lines then is not
    /// exactly-once, and must not go on.
    fn doubt(&mut self, out: &mut Out) -> Result<(), Fault> {
        if !self.has_sink && out.counts.lines_out > 0 {
            return Err(Error::data(format_args!(
                "no sink has taken the hello mark within {PROBES_BEFORE_DOUBT} s, and lines go on: what reads them is not exactly-once"
            ))
            .hint(NO_SINK)
            .into());
        }
        if self.probes == PROBES_BEFORE_DOUBT {
            let what = match self.has_sink {
                true => format!(
                    "waiting for the sink to commit {} since {} s; lines go on, the next barrier waits",
                    self.id, self.probes
                ),
                false => format!("no sink has taken the hello mark within {PROBES_BEFORE_DOUBT} s"),
            };
            out.warn(self.hint().lines().fold(what, |text, line| text + "\nhint: " + line));
        }
        Ok(())
    }

    fn hint(&self) -> &'static str {
        if self.has_sink { SLOW_SINK } else { NO_SINK }
    }
}

const NO_SINK: &str = "is there a sink at the end of the pipe (its name ends with -cat-out)? A > in a filter needs \
    quotes, or it makes a file\n\
    a program between that takes marks out (grep, jq 'select(…)')? filter and parallel-map FILTER keep them, any other program \
    can run inside parallel-map -- CMD; with --exactly-once at the sink it says so at the first line";
const SLOW_SINK: &str = "a sink or stage that needs so long, or a program between that keeps its output back (jq --unbuffered, \
    grep --line-buffered)?";
