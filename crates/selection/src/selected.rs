//! A stage that takes selected lines only.

use std::any::Any;
use std::io::{self, BufRead, Write};

use millpipe::{Barrier, Changes, Error, Fault, Hello, Mark, Out, ReadAhead, Stage, Truth};

use crate::flag::{Selector, WhereArgs};

/// The stage, given what `--where` selects: all lines without the flag.
pub struct Selected<S> {
    pub stage: S,
    selector: Option<Selector>,
    flag: String,
}

impl<S> Selected<S> {
    pub fn new(stage: S, args: &WhereArgs) -> Self {
        let selector = args.selection.as_ref().map(|selection| selection.selector());
        Self { stage, selector, flag: args.for_snapshot() }
    }
}

impl<S: Stage> Stage for Selected<S> {
    #[inline]
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if let Some(selector) = &mut self.selector
            && !selector.takes(line)?
        {
            return self.stage.pass(line, out);
        }
        self.stage.line(line, out)
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.stage.pass(line, out)
    }

    fn readers(&self, threads: usize) -> Vec<Box<dyn ReadAhead>> {
        // What was read of lines that do not come to the stage would be in its way.
        if self.selector.is_some() { Vec::new() } else { self.stage.readers(threads) }
    }

    fn flags(&self) -> String {
        format!("{}{}", self.stage.flags(), self.flag)
    }

    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.stage.start(out)
    }

    fn take_read(&mut self, lines: Option<Box<dyn Any + Send>>) {
        self.stage.take_read(lines);
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.stage.mark(mark, out)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.stage.end(out)
    }

    fn open(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault> {
        self.stage.open(hello, out)
    }

    fn begin_checkpoints(&mut self) -> Result<(), Fault> {
        self.stage.begin_checkpoints()
    }

    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        self.stage.commit(barrier, out)
    }

    fn target(&self) -> &'static str {
        self.stage.target()
    }

    fn catch_up(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.stage.catch_up(out)
    }

    fn chunk_over(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.stage.chunk_over(out)
    }

    fn rest(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.stage.rest(out)
    }

    fn give_up(&mut self, out: &mut Out) {
        self.stage.give_up(out);
    }

    fn is_sink(&self) -> bool {
        self.stage.is_sink()
    }

    fn wake_at(&self) -> Option<i64> {
        self.stage.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.stage.wake(out)
    }

    fn wake_at_us(&self) -> Option<i64> {
        self.stage.wake_at_us()
    }

    fn has_queue(&self) -> bool {
        self.stage.has_queue()
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.stage.is_full()
    }

    fn remark(&self) -> Option<String> {
        self.stage.remark()
    }

    fn held(&self) -> u64 {
        self.stage.held()
    }

    fn has_state(&self) -> bool {
        self.stage.has_state()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        self.stage.snapshot(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        self.stage.restore(from)
    }

    fn changes(&mut self, to: &mut Changes) {
        self.stage.changes(to);
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.stage.restore_entry(key, value)
    }
}

#[cfg(test)]
mod tests;
