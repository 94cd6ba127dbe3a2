//! A sink, driven as a stage that writes nothing: one runtime serves both.

use std::io;

use crate::fault::{Error, Fault};
use crate::hello::{Barrier, Hello, Truth};
use crate::mark::Mark;
use crate::out::Out;
use crate::stage::{Sink, Stage};

/// How often a sink may serve its callbacks.
const IDLE_EVERY_MS: i64 = 100;

/// The stage that a sink is to the runtime.
pub struct SinkStage<S> {
    sink: S,
    idle_at_ms: i64,
}

impl<S> SinkStage<S> {
    pub(crate) fn new(sink: S) -> Self {
        Self { sink, idle_at_ms: 0 }
    }
}

impl<S: Sink> Stage for SinkStage<S> {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.sink.line(line, out)
    }

    /// Marks end at the sink.
    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        if mark.kind() == "reject" { self.sink.reject(mark, out) } else { Ok(()) }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.sink.finish(out)
    }

    fn open(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault> {
        self.sink.open(hello, out)
    }

    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        self.sink.commit(barrier, out)
    }

    fn target(&self) -> &'static str {
        self.sink.target()
    }

    fn has_state(&self) -> bool {
        false
    }

    fn chunk_over(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.sink.chunk_over(out)
    }

    fn rest(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.sink.rest(out)
    }

    fn give_up(&mut self, out: &mut Out) {
        self.sink.give_up(out);
    }

    fn is_sink(&self) -> bool {
        true
    }

    fn wake_at(&self) -> Option<i64> {
        Some(self.idle_at_ms)
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.idle_at_ms = out.now_ms() + IDLE_EVERY_MS;
        self.sink.idle(out)
    }

    fn held(&self) -> u64 {
        self.sink.held()
    }

    /// A sink's state is what its target says is committed.
    fn snapshot(&self, _to: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    fn restore(&mut self, _from: &mut dyn io::BufRead) -> Result<(), Error> {
        Ok(())
    }
}
