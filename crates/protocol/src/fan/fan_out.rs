//! One stream divided: each line goes to one shard, each mark to all of them.
//!
//! To the protocol it is a stage. What the protocol itself writes (hello, barriers, end, rejects) stands in its `Out`, which
//! nobody drains: it goes to the shards before the next line does. Memory: what waits for each shard, at most about
//! [`WAITING_BYTES_MAX`] and a chunk, as the input is not read meanwhile.

use std::io;

use stream::{Error, Fault, Mark, MarkKind};

use crate::fan::turns::Turns;
use crate::out::Out;
use crate::stage::{Stage, Stateful};

/// With more waiting for one shard, the input is not read.
pub const WAITING_BYTES_MAX: usize = 256 << 10;

/// Says where lines go.
pub trait Route {
    /// The number of a line's shard, from 0.
    ///
    /// # Errors
    /// `Fault::Bad` when the line has none.
    fn shard(&mut self, line: &[u8]) -> Result<usize, Fault>;

    /// What the state of the shards depends on, as flags.
    fn flags(&self) -> String;

    /// As [`Stage::remark`].
    fn remark(&self) -> Option<String> {
        None
    }
}

/// What waits for one shard.
#[derive(Default)]
pub struct Port {
    bytes: Vec<u8>,
    written: usize,
    /// Data lines since the last barrier.
    epoch_lines: u64,
    /// It takes nothing any more: what is for it is dropped, as of a program that reads no more.
    pub is_closed: bool,
}

/// The stage.
pub struct FanOut<R> {
    route: R,
    pub ports: Vec<Port>,
    /// In which order lines are to come back, if that matters.
    pub turns: Option<Turns>,
    /// Rejects go to the shards in turn.
    rejects: usize,
    /// The first partition that came.
    part: Option<String>,
    warned_of_parts: bool,
}

impl Port {
    /// What waits.
    pub fn waiting(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// So much of it was written.
    pub fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.written = 0;
        } else if self.written >= WAITING_BYTES_MAX {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// It takes nothing any more.
    pub fn close(&mut self) {
        self.is_closed = true;
        self.bytes = Vec::new();
        self.written = 0;
    }

    #[inline]
    fn line(&mut self, line: &[u8]) {
        self.epoch_lines += 1;
        self.raw(line);
    }

    #[inline]
    fn raw(&mut self, line: &[u8]) {
        if !self.is_closed {
            self.bytes.extend_from_slice(line);
            self.bytes.push(b'\n');
        }
    }
}

impl<R: Route> FanOut<R> {
    pub fn new(route: R, shards: usize, turns: Option<Turns>) -> Self {
        let ports = std::iter::repeat_with(Port::default).take(shards).collect();
        Self { route, ports, turns, rejects: 0, part: None, warned_of_parts: false }
    }

    /// Sends on what the protocol has written.
    ///
    /// # Errors
    /// None that the protocol's own marks can lead to.
    #[inline]
    pub fn send_marks(&mut self, out: &mut Out) -> Result<(), Fault> {
        if out.buffer().is_empty() { Ok(()) } else { self.send_written(out) }
    }

    /// Out of line: most lines come without a mark before them.
    #[inline(never)]
    fn send_written(&mut self, out: &mut Out) -> Result<(), Fault> {
        let marks = std::mem::take(out.buffer());
        for line in marks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.send(&mut Mark::parse(line)?);
        }
        Ok(())
    }

    fn send(&mut self, mark: &mut Mark) {
        match mark.kind() {
            MarkKind::Reject => {
                self.rejects = (self.rejects + 1) % self.ports.len();
                self.ports[self.rejects].raw(mark.to_string().as_bytes());
                self.turn(Some(self.rejects));
            }
            MarkKind::Hello => {
                let outer = mark.text("shard").map(|outer| format!("{outer}.")).unwrap_or_default();
                self.send_to_all(mark, |number, _, mark| mark.set("shard", format!("{outer}{number}")));
            }
            MarkKind::Barrier | MarkKind::End => {
                self.send_to_all(mark, |_, port, mark| mark.set("lines", std::mem::take(&mut port.epoch_lines)));
            }
            _ => self.send_to_all(mark, |_, _, _| {}),
        }
    }

    fn send_to_all(&mut self, mark: &mut Mark, change: impl Fn(usize, &mut Port, &mut Mark)) {
        for (number, port) in self.ports.iter_mut().enumerate() {
            change(number, port, mark);
            port.raw(mark.to_string().as_bytes());
        }
        self.turn(None);
    }

    #[inline]
    fn turn(&mut self, shard: Option<usize>) {
        if let Some(turns) = &mut self.turns {
            turns.push(shard);
        }
    }

    /// Partitions are kept apart by whoever makes time: a shard that never sees a line of one waits for it.
    fn warn_of_parts(&mut self, part: &str, out: &mut Out) {
        let is_another = self.part.get_or_insert_with(|| part.to_owned()) != part;
        if is_another && !self.warned_of_parts && self.ports.len() > 1 {
            self.warned_of_parts = true;
            out.warn(
                "lines of several partitions come in: a shard that makes time itself waits for partitions of which it gets no line\n\
                 hint: make time before the lines are divided: watermark --time FIELD --lateness DURATION | shard …",
            );
        }
    }
}

impl<R: Route> Stage for FanOut<R> {
    #[inline]
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let shard = self.route.shard(line)?;
        self.send_marks(out)?;
        self.ports[shard].line(line);
        self.turn(Some(shard));
        out.settle(1);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.send_marks(out)?;
        if mark.kind() == MarkKind::From {
            self.warn_of_parts(mark.text("part").unwrap_or_default(), out);
        }
        self.send(&mut mark.clone());
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.route.remark()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl<R: Route> Stateful for FanOut<R> {
    fn flags(&self) -> String {
        self.route.flags()
    }

    /// Nothing but that there were so many shards, which is in the flags.
    fn snapshot(&self, to: &mut dyn io::Write) -> io::Result<()> {
        writeln!(to, "{{\"shards\":{}}}", self.ports.len())
    }

    fn restore(&mut self, _from: &mut dyn io::BufRead) -> Result<(), Error> {
        Ok(())
    }
}
