//! A program in the middle of the pipe that knows nothing of the contract: it reads lines and writes lines.

use std::sync::Arc;

use stream::{Fault, Mark, PREFIX};

use crate::broken::Broken;
use crate::pipe::{Pipe, Read};
use crate::process::Process;

/// Passes lines on, as `jq -c .` does; or less well.
pub struct ForeignProgram {
    pub process: Arc<Process>,
    pub input: Arc<Pipe>,
    pub output: Arc<Pipe>,
    pub broken: Option<Broken>,
    /// Of the two, what a lossy program does.
    pub drops: bool,
}

impl ForeignProgram {
    /// Reads to the end of its input, as any Unix filter.
    ///
    /// # Errors
    /// `ReaderGone`.
    pub fn run(self) -> Result<(), Fault> {
        let (mut held, mut epoch_lines) = (Vec::new(), 0);
        loop {
            match self.input.read(&self.process, None, None)? {
                Read::Bytes(bytes) => held.extend(bytes),
                Read::TimedOut => {}
                Read::End => return Ok(()),
            }
            let whole = held.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let mut out = Vec::new();
            for line in held[..whole].split_inclusive(|byte| *byte == b'\n') {
                self.line(line, &mut epoch_lines, &mut out);
            }
            held.drain(..whole);
            self.output.write(&self.process, &out)?;
        }
    }

    fn line(&self, line: &[u8], epoch_lines: &mut u64, out: &mut Vec<u8>) {
        if line.starts_with(PREFIX) {
            return self.mark(line, epoch_lines, out);
        }
        let is_lossy = self.broken.is_some_and(Broken::is_a_program);
        let strikes = is_lossy && self.process.world.dice().one_in(40);
        // One that does both between two barriers is beyond any count.
        let drops = self.drops;
        let copies = match (strikes, drops) {
            (false, _) => 1,
            (true, true) => 0,
            (true, false) => 2,
        };
        for _ in 0..copies {
            out.extend(line);
        }
        *epoch_lines += copies;
    }

    fn mark(&self, line: &[u8], epoch_lines: &mut u64, out: &mut Vec<u8>) {
        let counted = Mark::parse(line).ok().filter(|mark| mark.number("lines").is_some());
        match counted {
            Some(mut mark) if self.broken == Some(Broken::MendedCounts) => {
                mark.set("lines", std::mem::take(epoch_lines));
                mark.write(out);
                out.push(b'\n');
            }
            _ => out.extend(line),
        }
    }
}
