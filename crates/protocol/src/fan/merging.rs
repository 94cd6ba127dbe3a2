//! A stage that reads several inputs, with the protocol around it.

use stream::{Error, Fault, Mark};

use crate::driver::Driver;
use crate::fan::fan_in::{Confluence, Origin};
use crate::lines::lines_of;
use crate::out::Out;
use crate::stage::Stage;

/// A stage that is told which of its inputs a line or a mark is from.
pub trait Merge: Stage {
    /// The lines and marks that follow are from this input, counted from 0.
    fn at_input(&mut self, input: usize);

    /// So many lines one after the other, each with its newline.
    ///
    /// # Errors
    /// As `line`.
    fn lines(&mut self, block: &[u8], _count: u64, out: &mut Out) -> Result<(), Fault> {
        lines_of(block).try_for_each(|line| self.line(line, out))
    }

    /// Nothing more comes from this input.
    ///
    /// # Errors
    /// `Fault::Stop` ends the tool.
    fn input_ended(&mut self, input: usize, out: &mut Out) -> Result<(), Fault>;

    /// False while it keeps as much of this input as it may: then that is not read.
    fn has_room(&self, _input: usize) -> bool {
        true
    }

    /// Every input that could be read is one without room. Why that can be, and what to do.
    fn is_stuck(&self) -> Error {
        Error::data("every input waits for another one")
    }
}

impl<S: Merge> Confluence for Driver<S> {
    fn item(&mut self, from: Origin, line: &[u8]) -> Result<(), Fault> {
        self.stands_at(from);
        self.protocol.item(&mut self.stage, &mut self.out, line)
    }

    fn too_long(&mut self, from: Origin, shown: &[u8]) -> Result<(), Fault> {
        self.stands_at(from);
        self.protocol.too_long(&mut self.stage, &mut self.out, shown)
    }

    fn aligned(&mut self, mark: Mark) -> Result<(), Fault> {
        self.protocol.item(&mut self.stage, &mut self.out, mark.to_string().as_bytes())
    }

    fn input_ended(&mut self, input: usize) -> Result<(), Fault> {
        if self.protocol.is_over() || self.protocol.waits_for_hello() {
            return Ok(());
        }
        self.protocol.begin(&mut self.stage, &mut self.out)?;
        self.stage.input_ended(input, &mut self.out)?;
        self.out.check()
    }
}

impl<S: Merge> Driver<S> {
    fn stands_at(&mut self, from: Origin) {
        self.protocol.stands_at(from.line, from.byte);
        self.out.at_input(from.input);
        self.stage.at_input(from.input);
    }
}
