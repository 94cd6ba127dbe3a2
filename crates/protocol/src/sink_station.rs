//! A sink, driven as a stage that writes nothing: one runtime serves both.

use stream::{Fault, Mark, MarkKind};

use crate::figures::Facts;
use crate::hello::{Barrier, Hello, Truth};
use crate::out::Out;
use crate::sink::Sink;
use crate::stage::Stateful;
use crate::station::{Station, Target};

/// How often a sink may serve its callbacks.
const IDLE_EVERY_MS: i64 = 100;
/// How long a sink waits for something to come before it looks for its target.
const CONNECT_AFTER_MS: i64 = 2_000;

/// The station of a sink.
pub struct SinkStation<S> {
    sink: S,
    idle_at_ms: i64,
    is_connected: bool,
    /// When it is connected at the latest; 0 before the clock is known.
    connect_at_ms: i64,
    /// A hello, a line or a reject has come. A start that gets none of them, as its source has failed, changes nothing.
    has_begun: bool,
}

impl<S> SinkStation<S> {
    pub fn new(sink: S) -> Self {
        Self { sink, idle_at_ms: 0, is_connected: false, connect_at_ms: 0, has_begun: false }
    }
}

impl<S: Sink> SinkStation<S> {
    #[cold]
    fn begin(&mut self) -> Result<(), Fault> {
        self.has_begun = true;
        self.connect()
    }

    fn connect(&mut self) -> Result<(), Fault> {
        if std::mem::replace(&mut self.is_connected, true) { Ok(()) } else { self.sink.connect() }
    }
}

impl<S: Sink> Station for SinkStation<S> {
    fn start(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if !self.has_begun {
            self.begin()?;
        }
        self.sink.line(line, out)
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.line(line, out)
    }

    /// Marks end at the sink.
    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        if mark.kind() != MarkKind::Reject {
            return Ok(());
        }
        self.begin()?;
        self.sink.reject(mark, out)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.connect()?;
        if self.has_begun { self.sink.finish(out) } else { Ok(()) }
    }

    fn chunk_over(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.sink.chunk_over(out)
    }

    fn give_up(&mut self, out: &mut Out) {
        self.sink.give_up(out);
    }

    fn wake_at_us(&self) -> Option<i64> {
        Some(self.idle_at_ms.saturating_mul(1000))
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.idle_at_ms = out.now_ms() + IDLE_EVERY_MS;
        if self.connect_at_ms == 0 {
            self.connect_at_ms = out.now_ms() + CONNECT_AFTER_MS;
        }
        if !self.is_connected && out.now_ms() < self.connect_at_ms {
            return Ok(());
        }
        self.connect()?;
        self.sink.idle(out)
    }

    fn remark(&self) -> Option<String> {
        self.sink.remark()
    }

    fn held(&self) -> u64 {
        self.sink.held()
    }

    /// A sink's state is what its target says is committed.
    fn state(&mut self) -> Option<&mut dyn Stateful> {
        None
    }

    fn target(&mut self) -> Option<&mut dyn Target> {
        Some(self)
    }
}

impl<S: Sink> Target for SinkStation<S> {
    fn open(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault> {
        self.begin()?;
        self.sink.open(hello, out)
    }

    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        self.sink.commit(barrier, out)
    }

    fn name(&self) -> &'static str {
        self.sink.target()
    }

    fn is_in_state_folder(&self) -> bool {
        self.sink.is_in_state_folder()
    }

    fn rest(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.sink.rest(out)
    }

    fn facts(&self, to: &mut Facts) {
        self.sink.facts(to);
    }
}
