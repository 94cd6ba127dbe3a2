//! What the driver drives: a stage, a sink, or a pool of workers.

use stream::{Fault, Mark};

use crate::figures::Facts;
use crate::hello::{Barrier, Hello, Truth};
use crate::out::Out;
use crate::stage::{Queue, ReadAhead, Stage, Stateful};

/// The place of a program in its pipe, seen from the protocol: a [`Stage`] is one as it stands; sinks and pools, which do more
/// than an operator may, have stations of their own.
///
/// The methods that a stage has too mean the same as there.
#[expect(clippy::missing_errors_doc, reason = "as in Stage: Fault::Stop ends the tool")]
pub trait Station {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault>;

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault>;

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault>;

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault>;

    fn end(&mut self, out: &mut Out) -> Result<(), Fault>;

    fn wake_at_us(&self) -> Option<i64>;

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault>;

    fn held(&self) -> u64;

    fn remark(&self) -> Option<String>;

    fn state(&mut self) -> Option<&mut dyn Stateful>;

    fn queue(&self) -> Option<&dyn Queue> {
        None
    }

    fn read_ahead(&mut self) -> Option<&mut dyn ReadAhead> {
        None
    }

    /// Returns itself if it is the last of the pipe, which writes nothing.
    fn target(&mut self) -> Option<&mut dyn Target> {
        None
    }

    /// Brings the output up to date: the protocol is about to write into the stream itself, or to count what is in it.
    fn catch_up(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Runs when all of one chunk of input has been given, and more may not come for a long time.
    fn chunk_over(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    /// Runs when the run ends with an error. What was taken before it may still be delivered; this must not take long.
    fn give_up(&mut self, _out: &mut Out) {}
}

/// What only the last of a pipe does.
pub trait Target {
    /// As [`crate::Sink::open`].
    fn open(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault>;

    /// As [`crate::Sink::commit`].
    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault>;

    /// As [`crate::Sink::target`].
    fn name(&self) -> &'static str;

    /// As [`crate::Sink::is_in_state_folder`].
    fn is_in_state_folder(&self) -> bool;

    /// As [`crate::Sink::rest`].
    fn rest(&mut self, out: &mut Out) -> Result<(), Fault>;

    /// As [`crate::Sink::facts`].
    fn facts(&self, to: &mut Facts);
}

impl<S: Stage> Station for S {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        Stage::start(self, out)
    }

    #[inline(always)]
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        Stage::line(self, line, out)
    }

    #[inline(always)]
    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        Stage::pass(self, line, out)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        Stage::mark(self, mark, out)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        Stage::end(self, out)
    }

    fn wake_at_us(&self) -> Option<i64> {
        match Stage::queue(self) {
            Some(queue) => queue.wake_at_us(),
            None => Stage::wake_at(self).map(|at_ms| at_ms.saturating_mul(1000)),
        }
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        Stage::wake(self, out)
    }

    fn held(&self) -> u64 {
        Stage::held(self)
    }

    fn remark(&self) -> Option<String> {
        Stage::remark(self)
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Stage::state(self)
    }

    #[inline(always)]
    fn queue(&self) -> Option<&dyn Queue> {
        Stage::queue(self)
    }

    fn read_ahead(&mut self) -> Option<&mut dyn ReadAhead> {
        Stage::read_ahead(self)
    }
}

/// Returns true while a station can take nothing more.
#[inline(always)]
pub fn is_full(station: &impl Station) -> bool {
    station.queue().is_some_and(Queue::is_full)
}
