//! The traits of an operator. None of them touches a pipe, a thread or a clock.
//!
//! [`Stage`] is what every operator implements. What only some operators have stands in small traits of its own, and a stage
//! says by a method that it has it: [`Stateful`] for state in checkpoints, [`Queue`], [`ReadAhead`]. [`Map`] is a simpler
//! trait for an operator that remembers nothing.

use std::any::Any;
use std::io::{self, BufRead, Write};

use checkpoint::Changes;
use stream::{Error, Fault, Mark};

use crate::figures::Facts;
use crate::out::Out;

/// An operator: a pure state machine over lines and marks.
///
/// The runtime calls `start` once, then `line` and `mark` in the order of the stream, then `end` when the input is finished
/// and open state is to be flushed. A stage never sees a barrier: the runtime takes the snapshot between two calls.
///
/// `start`, `pass`, `mark`, `end` and `wake` return `Fault::Stop` to end the tool.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Stage {
    /// Runs before the first line of this run, after a restore: writes marks that announce something.
    fn start(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Takes one data line, without its newline. Nobody has checked yet that it is JSON.
    ///
    /// # Errors
    /// `Fault::Bad` sends the line the way of `--on-error`; it must have left no trace.
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault>;

    /// Takes a data line that `--where` does not select: it goes out unchanged, in its place. A stage may look at the time of
    /// such a line; what it cannot read there is no fault of the line.
    #[inline]
    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        Ok(())
    }

    /// Takes one mark that is not the runtime's own (a stage sees no hello, barrier, reject or end). A stage passes on what it
    /// does not know, which is the default for all.
    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        out.mark(mark);
        Ok(())
    }

    /// Flushes what is open: the input is finished.
    fn end(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Says when (milliseconds of the epoch, processing time) the runtime is to call `wake` if no line comes first.
    fn wake_at(&self) -> Option<i64> {
        None
    }

    /// Runs when the clock has reached `wake_at`, or was set back; `out.now_ms()` says what it is. For a [`Queue`] also: there
    /// is room in the output again.
    fn wake(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Counts the input lines in the state, neither written nor settled (see [`Out::settle`]).
    fn held(&self) -> u64 {
        0
    }

    /// Returns a warning for the end of a run that went well: a field that a flag names and no line had. Lines of it that
    /// begin with `hint: ` say what to do.
    fn remark(&self) -> Option<String> {
        None
    }

    /// Returns itself if it remembers something from line to line; without state it has no folder in the state folder.
    fn state(&mut self) -> Option<&mut dyn Stateful>;

    /// Returns itself if it keeps lines of its own accord, and goes on reading while its reader does not.
    #[inline]
    fn queue(&self) -> Option<&dyn Queue> {
        None
    }

    /// Returns itself if other threads can read its lines before it does.
    fn read_ahead(&mut self) -> Option<&mut dyn ReadAhead> {
        None
    }
}

/// The state of a stage, as it goes into a checkpoint and comes back.
pub trait Stateful {
    /// Returns the flags that a snapshot depends on, as a user would write them: it can be restored with the same only.
    fn flags(&self) -> String {
        String::new()
    }

    /// Runs before a restore, when the stream has checkpoints: `snapshot` and `changes` will be called.
    ///
    /// # Errors
    /// `Fault::Stop` when the stage's flags do not allow that.
    fn begin_checkpoints(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Writes the state as text lines (NDJSON): all of it, but for what `changes` gives. A stage restored from both
    /// behaves the same. It stops the stream, so what grows with the number of keys belongs into `changes`.
    ///
    /// [`crate::Head`] writes one line, and [`crate::Divides`] in it says how `state reshard` may divide the state.
    ///
    /// # Errors
    /// Those of the writer.
    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()>;

    /// Takes what `snapshot` wrote, into a stage made with the same flags.
    ///
    /// # Errors
    /// When the snapshot is damaged or of another kind.
    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error>;

    /// Says, for those who watch the run, what the state is: how many keys it has, which windows are open. About once a second.
    fn facts(&self, _to: &mut Facts) {}

    /// Gives the entries that changed since the last call, and the keys that are gone: at the first call all there
    /// are, after a restore those that changed since. The sum of all calls is the state.
    ///
    /// # Errors
    /// When state that is on disk cannot be read; the run ends.
    fn changes(&mut self, _to: &mut Changes) -> Result<(), Error> {
        Ok(())
    }

    /// Takes one entry of the sum of all `changes`; after `restore`, in the order of keys.
    ///
    /// # Errors
    /// When it is damaged or of another kind.
    fn restore_entry(&mut self, _key: &str, _value: &[u8]) -> Result<(), Error> {
        Err(Error::data("this stage keeps no entries"))
    }
}

/// A stage with a queue: before it writes, it asks [`Out::has_room`].
pub trait Queue {
    /// Returns true while the stage can take nothing more: no line and no mark is given to it, and none is read for it, until
    /// `wake` has made room. After `end`: what it holds takes time, and what follows in the stream waits for it.
    fn is_full(&self) -> bool;

    /// Says when to wake it, in microseconds of the epoch; asked in place of [`Stage::wake_at`].
    fn wake_at_us(&self) -> Option<i64>;
}

/// A stage whose lines can be read in other threads before they come to it.
pub trait ReadAhead {
    /// Makes a reader for each thread; none where the flags do not allow it.
    fn readers(&self, threads: usize) -> Vec<Box<dyn Reader>>;

    /// Takes what a reader has read of the chunk whose lines come next: not of all of them, and others may come between. None
    /// when those lines have come.
    fn take_read(&mut self, lines: Option<Box<dyn Any + Send>>);
}

/// Reads lines in another thread, before they come to the stage, and changes nothing there.
pub trait Reader: Send {
    /// Reads a data line. The stage sees it later at the same address. What cannot be read is left to the stage.
    fn line(&mut self, line: &[u8]);

    /// Returns what it read since the last call, for [`ReadAhead::take_read`].
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
