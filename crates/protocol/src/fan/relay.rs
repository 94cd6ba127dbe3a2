//! What comes out of sub-pipes, on its way to the next stage: part of a stage whose input side has done the rest.

use stream::{Fault, Mark, MarkKind, is_mark};

use crate::fan::fan_in::{Confluence, Origin};
use crate::fan::merging::Merge;
use crate::lines::is_blank;
use crate::out::Out;

/// Keeps the counts of what goes out; barriers are signed and states saved by the input side.
pub struct Relay<S> {
    pub stage: S,
    pub out: Out,
    pub has_said_hello: bool,
}

impl<S: Merge> Confluence for Relay<S> {
    fn item(&mut self, from: Origin, line: &[u8]) -> Result<(), Fault> {
        self.stage.at_input(from.input);
        if is_mark(line) {
            let mark = Mark::parse(line)?;
            if mark.kind() == MarkKind::Reject {
                self.out.mark(&mark);
            } else {
                self.stage.mark(&mark, &mut self.out)?;
            }
        } else if is_blank(line) {
            return Ok(());
        } else {
            self.stage.line(line, &mut self.out)?;
        }
        self.out.check()
    }

    fn lines(&mut self, from: Origin, block: &[u8], count: u64) -> Result<(), Fault> {
        self.stage.at_input(from.input);
        self.stage.lines(block, count, &mut self.out)?;
        self.out.check()
    }

    fn too_long(&mut self, from: Origin, _shown: &[u8]) -> Result<(), Fault> {
        Err(stream::Error::data(format_args!("shard {} has written a line longer than --max-line", from.input)).into())
    }

    fn aligned(&mut self, mut mark: Mark) -> Result<(), Fault> {
        if mark.kind() == MarkKind::Hello {
            leave_shard(&mut mark);
            self.has_said_hello = true;
        } else {
            mark.set("lines", std::mem::take(&mut self.out.epoch_lines));
        }
        self.out.mark(&mark);
        self.out.flush();
        self.out.check()
    }

    fn input_ended(&mut self, input: usize) -> Result<(), Fault> {
        self.stage.input_ended(input, &mut self.out)?;
        self.out.check()
    }
}

/// A hello behind the shards is of no shard, or of the one around them.
fn leave_shard(hello: &mut Mark) {
    let outer = hello.text("shard").and_then(|shard| shard.rsplit_once('.')).map(|(outer, _)| outer.to_owned());
    match outer {
        Some(outer) => hello.set("shard", outer),
        None => hello.remove("shard"),
    }
}
