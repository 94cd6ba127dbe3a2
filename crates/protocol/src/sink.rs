//! The trait of the last stage of a pipe.

use stream::{Error, Fault, Mark};

use crate::figures::Facts;
use crate::hello::{Barrier, Hello, Truth};
use crate::out::Out;

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

    /// Names what keeps the truth, in one word: `kafka`, `files`, `command`.
    fn target(&self) -> &'static str;

    /// Returns true if the truth is kept in the state folder itself: then the folder cannot be an older one than the output.
    fn is_in_state_folder(&self) -> bool {
        false
    }

    /// A reject mark: a bad or late line from a stage before this one, to be kept in the same commit as all else.
    ///
    /// # Errors
    /// `Fault::Stop` when there is no place for it, which is the default.
    fn reject(&mut self, reject: &Mark, _out: &mut Out) -> Result<(), Fault> {
        Err(rejected(reject)
            .hint("no rejected line can be kept here: give that stage --on-error skip, --late drop")
            .into())
    }

    /// As [`crate::Stage::remark`].
    fn remark(&self) -> Option<String> {
        None
    }

    /// Says, for those who watch the run, what is under way. About once a second.
    fn facts(&self, _to: &mut Facts) {}

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
