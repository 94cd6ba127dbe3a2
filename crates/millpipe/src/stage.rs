//! The four traits that tools implement. None of them touches a pipe, a thread or a clock.

use std::any::Any;
use std::io::{self, BufRead, Write};

use checkpoint::Changes;
use serde_json::Value;

use crate::fault::{Error, Fault};
use crate::hello::{Barrier, Hello, Positions, Truth};
use crate::mark::Mark;
use crate::out::Out;

/// An operator that remembers something: a pure state machine over lines and marks.
///
/// The runtime calls `start` once, then `line` and `mark` in the order of the stream, then `end` when
/// the input is finished and open state is to be flushed. Barriers never reach a stage: the runtime
/// takes the snapshot between two calls.
pub trait Stage {
    /// Before the first line of this run, after a restore: marks to announce.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn start(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// One data line, without its newline. Not yet checked to be JSON.
    ///
    /// # Errors
    /// `Fault::Bad` sends the line the way of `--on-error`; it must have left no trace.
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault>;

    /// A data line that the stage's `--where` does not select: it goes out unchanged, in its place. A stage may look at
    /// it all the same, for its time; what it cannot read there is no fault of the line.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    #[inline]
    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        Ok(())
    }

    /// So many readers, for as many threads: they read lines before those come to the stage, which then knows what is in
    /// them. Empty for a stage that does not read much of a line.
    fn readers(&self, _threads: usize) -> Vec<Box<dyn ReadAhead>> {
        Vec::new()
    }

    /// What a reader made of the chunk whose lines come next: not of all of them, and others may come between. None when
    /// the lines have come.
    fn take_read(&mut self, _lines: Option<Box<dyn Any + Send>>) {}

    /// One mark that is not the runtime's own (hello, barrier, reject, end never come here).
    /// A stage passes on what it does not know, which is the default for all.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        out.mark(mark);
        Ok(())
    }

    /// The input is finished: flush what is open.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn end(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Only a sink has something to do here: a stream with checkpoints begins. Take the lock or fence older runs,
    /// then say what the target has committed.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn open(&mut self, _hello: &Hello, _out: &mut Out) -> Result<Truth, Fault> {
        Ok(Truth::default())
    }

    /// The stream has checkpoints: `snapshot` and `changes` will be called. Before a restore.
    ///
    /// # Errors
    /// `Fault::Stop` when the stage's flags do not allow that.
    fn begin_checkpoints(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Only a sink has something to do here: all lines before the barrier have been given, all snapshots are safe.
    ///
    /// # Errors
    /// `Fault::Stop`: the epoch is not committed.
    fn commit(&mut self, _barrier: &Barrier, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Where a sink's truth is kept, in one word.
    fn target(&self) -> &'static str {
        ""
    }

    /// The runtime is about to write into the stream itself, or to count what is in it. Only a stage that works
    /// ahead of its output has something to do: bring the output up to date.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn catch_up(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// All of one chunk of input has been given, and more may not come for a long time.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn chunk_over(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Only a sink is told this: all input that there is has been given, and the next read will wait.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn rest(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// The run ends with an error. What was taken before it may still be delivered; this must not take long.
    fn give_up(&mut self, _out: &mut Out) {}

    /// True for the last stage of a pipe, which writes nothing.
    fn is_sink(&self) -> bool {
        false
    }

    /// When (milliseconds of the epoch, processing time) `wake` wants to be called if no line comes first.
    fn wake_at(&self) -> Option<i64> {
        None
    }

    /// The same in microseconds, for a stage that needs it finer.
    fn wake_at_us(&self) -> Option<i64> {
        self.wake_at().map(|at_ms| at_ms.saturating_mul(1000))
    }

    /// The clock has reached `wake_at`, or was set back; `out.now_ms()` says what it is. For a stage with a queue also:
    /// there is room in the output again.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn wake(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// True for a stage that keeps lines of its own accord, and goes on reading while the program behind it does not
    /// read: before it writes, it asks [`Out::has_room`].
    fn has_queue(&self) -> bool {
        false
    }

    /// True while the stage can take nothing more: no line and no mark is given to it, and none is read for it, until
    /// `wake` has made room. After `end`: what it holds takes time, and what follows in the stream waits for it.
    #[inline]
    fn is_full(&self) -> bool {
        false
    }

    /// What people should know at the end of a run, as a warning: a field that a flag names and no line had. Lines of it that
    /// begin with `hint: ` say what to do.
    fn remark(&self) -> Option<String> {
        None
    }

    /// How many input lines are in the state, neither written nor settled (see [`Out::settle`]).
    fn held(&self) -> u64 {
        0
    }

    /// False for a stage that remembers nothing: it has no folder in the state folder.
    fn has_state(&self) -> bool {
        true
    }

    /// The flags that a snapshot depends on, as a user would write them: it can be restored with the same only.
    fn flags(&self) -> String {
        String::new()
    }

    /// Writes the state as text lines (NDJSON): all of it, but for what `changes` gives. A stage restored from both
    /// behaves the same. It stops the stream, so what grows with the number of keys belongs into `changes`.
    ///
    /// One line of JSON with a member `divides` says how `state reshard` may divide the entries by their keys, and join the
    /// heads of shards: `{"by":[".user"],"behind":"|","max":["/sequence"],"min":[],"sum":["/groups"],"any":[]}`.
    ///
    /// # Errors
    /// Those of the writer.
    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()>;

    /// Takes what `snapshot` wrote, into a stage made with the same flags.
    ///
    /// # Errors
    /// When the snapshot is damaged or of another kind.
    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error>;

    /// Gives the entries that changed since the last call, and the keys that are gone: at the first call all there
    /// are, after a restore those that changed since. The sum of all calls is the state.
    fn changes(&mut self, _to: &mut Changes) {}

    /// Takes one entry of the sum of all `changes`; after `restore`, in the order of keys.
    ///
    /// # Errors
    /// When it is damaged or of another kind.
    fn restore_entry(&mut self, _key: &str, _value: &[u8]) -> Result<(), Error> {
        Err(Error::data("this stage keeps no entries"))
    }
}

/// Reads lines in another thread, before they come to the stage, and changes nothing there.
pub trait ReadAhead: Send {
    /// A data line. The stage sees it where it stands now. What cannot be read is left to the stage.
    fn line(&mut self, line: &[u8]);

    /// What was read since the last call, for [`Stage::take_read`].
    fn take(&mut self) -> Box<dyn Any + Send>;
}

/// An operator that remembers nothing: each of many threads makes one for itself.
pub trait Map {
    /// One data line: write none, one or many, and settle it. What concerns the stream rather than the line (marks,
    /// late lines, warnings) is not for a map.
    ///
    /// # Errors
    /// As [`Stage::line`].
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault>;
}

/// What one call of [`Source::poll`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// There may be more at once.
    More,
    /// Nothing to read now. The source has waited itself (at most as long as it was told).
    Nothing,
    /// Nothing before this time (milliseconds of the epoch): the runtime waits.
    WaitUntil(i64),
    /// The end: nothing will ever come again.
    Done,
}

/// The first stage of a pipe.
pub trait Source {
    /// Before the first poll: open connections, announce partitions.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn start(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Writes what there is to `out`, up to about 64 KiB, or waits up to `wait_ms` for something to come.
    /// A value that cannot be a line goes to [`Out::bad`] with its place.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool, after what was written before it has gone into the pipe.
    fn poll(&mut self, wait_ms: u64, out: &mut Out) -> Result<Polled, Fault>;

    /// Everything that `poll` gave so far has been written to the pipe.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn written(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// The stream ends here, by a signal or because `poll` said `Done`, and all lines are written: close
    /// connections, commit what is to be committed.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn stop(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Where the source is, as one line of JSON: what `seek` takes to go on from here.
    fn position(&self) -> String;

    /// Goes on from a `position` of an earlier run; called before `start`.
    ///
    /// # Errors
    /// When the text is not a position of this kind of source.
    fn seek(&mut self, position: &str) -> Result<(), Error>;

    /// The flags that a position depends on, as a user would write them: it can be gone on from with the same only.
    fn flags(&self) -> String {
        String::new()
    }

    /// What is committed, where the source can see it by itself (Kafka: the group's offsets); called before `seek`.
    /// It may wait as long as `--broker-timeout` says.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn truth(&mut self) -> Result<Option<Truth>, Fault> {
        Ok(None)
    }

    /// The position by partition, for a sink that commits it and for whoever watches the marks. Empty where only
    /// the snapshot says it.
    fn positions(&self) -> Positions {
        Positions::new()
    }

    /// A barrier is to be written, for all that was read since the last one. False: it must wait, ask again soon.
    ///
    /// # Errors
    /// `Fault::Stop` when what was read must not be committed.
    fn may_commit(&mut self, _now_ms: i64) -> Result<bool, Fault> {
        Ok(true)
    }

    /// The state folder knows a commit that the target (see [`Source::truth`]) does not, at this position: why, if the
    /// source can tell.
    ///
    /// # Errors
    /// As [`Source::truth`].
    fn why_forgotten(&mut self, _position: &str) -> Result<Option<Error>, Fault> {
        Ok(None)
    }

    /// What the sink must be told (`sink` of the hello mark).
    fn for_sink(&self) -> Value {
        Value::Null
    }

    /// The barrier at which [`Source::positions`] were these is committed.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn committed(&mut self, _positions: &Positions) -> Result<(), Fault> {
        Ok(())
    }
}

/// The last stage of a pipe.
pub trait Sink {
    /// Finds the target, and whether it takes anything at all; that may take its time. Called before all else, when something
    /// has come, or two seconds after the start if nothing has: a source wants to know soon that its hello has come to a sink.
    ///
    /// # Errors
    /// `Fault::Stop` when there is no such target, or it cannot be asked.
    fn connect(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// One data line to deliver; may be delivered later, but in order where the target keeps one. The sink
    /// calls [`Out::settle`] for each line once it is acknowledged.
    ///
    /// # Errors
    /// `Fault::Bad` when this line can never be delivered, `Fault::Stop` when nothing can.
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault>;

    /// All of one chunk of input has been given, and more may not come for a long time: what was only gathered goes on
    /// its way.
    ///
    /// # Errors
    /// `Fault::Stop` as from `line`.
    fn chunk_over(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// All input that there is has been given, and the next read will wait: what waits for more to come need not. Must
    /// not take longer than a few milliseconds.
    ///
    /// # Errors
    /// `Fault::Stop` as from `line`.
    fn rest(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Called about ten times a second: serve callbacks, find errors early.
    ///
    /// # Errors
    /// As `line`.
    fn idle(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// The input is finished: returns when everything has been delivered. Not called where neither a hello nor a line nor a
    /// reject came: then nothing is to be changed.
    ///
    /// # Errors
    /// `Fault::Stop` says how much was not.
    fn finish(&mut self, out: &mut Out) -> Result<(), Fault>;

    /// The run ends with an error: deliver what was taken before it, as far as that goes within a few seconds.
    fn give_up(&mut self, _out: &mut Out) {}

    /// A stream with checkpoints begins (a plain one does not come here): take the lock or fence older runs, undo what
    /// is not committed, and say what is. Lines that follow become visible by `commit` only.
    ///
    /// # Errors
    /// `Fault::Stop` when the target cannot be asked, or another process holds it.
    fn open(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault>;

    /// Makes everything since the last commit visible in one atomic act, together with the barrier's id and
    /// positions. Also without any line since.
    ///
    /// # Errors
    /// `Fault::Stop`: the run is over, the epoch is not committed, or nobody knows.
    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault>;

    /// Where the truth is kept: `kafka`, `files`, `command`.
    fn target(&self) -> &'static str;

    /// A reject mark: a bad or late line from a stage before this one, to be kept in the same commit as all else.
    ///
    /// # Errors
    /// `Fault::Stop` when there is no place for it, which is the default.
    fn reject(&mut self, reject: &Mark, _out: &mut Out) -> Result<(), Fault> {
        Err(rejected(reject)
            .hint("no rejected line can be kept here: give that stage --on-error skip, --late drop")
            .into())
    }

    /// As [`Stage::remark`].
    fn remark(&self) -> Option<String> {
        None
    }

    /// How many lines were taken and not yet acknowledged.
    fn held(&self) -> u64 {
        0
    }
}

/// A line was rejected upstream, and the sink has a place for it that was not named.
pub fn no_dead_letter(reject: &Mark) -> Error {
    rejected(reject)
        .hint("--dead-letter keeps rejected lines, in the same commit; or give that stage --on-error skip, --late drop")
}

fn rejected(reject: &Mark) -> Error {
    let said = |field| reject.text(field).unwrap_or("?");
    Error::data(format_args!("{} rejected {}: {}", said("by"), said("at"), said("why")))
}
