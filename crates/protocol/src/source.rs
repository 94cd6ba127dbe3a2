//! The trait of the first stage of a pipe.

use serde_json::Value;
use stream::{Error, Fault};

use crate::figures::Facts;
use crate::hello::{Positions, Truth};
use crate::out::Out;

/// What one call of [`Source::poll`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// There may be more at once.
    More,
    /// Nothing to read now. The source has waited itself (at most as long as it was told).
    Nothing,
    /// Nothing to read before this time (milliseconds of the epoch): the runtime waits.
    WaitUntil(i64),
    /// There is more, but the source goes at its own pace: the next line is due at this time (milliseconds of the epoch).
    PaceUntil(i64),
    /// The end: nothing will ever come again.
    Done,
}

/// How far a source is that knows its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    pub done: u64,
    /// It may grow while it is read.
    pub total: u64,
    /// What is counted: [`Goal::BYTES`], `lines`, `messages`.
    pub of: &'static str,
}

impl Goal {
    pub const BYTES: &str = "bytes";
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

    /// Returns true if [`Source::truth`] is what a sink of this target has committed (see [`crate::Sink::target`]).
    fn sees(&self, _target: &str) -> bool {
        false
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

    /// Says, for those who watch the run, where the source is and how much is before it. About once a second: it must not wait.
    fn facts(&mut self, _now_ms: i64, _to: &mut Facts) {}

    /// Says how far it is, where it knows its end; asked about once a second, where people look.
    fn goal(&mut self) -> Option<Goal> {
        None
    }

    /// The barrier at which [`Source::positions`] were these is committed.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn committed(&mut self, _positions: &Positions) -> Result<(), Fault> {
        Ok(())
    }
}
