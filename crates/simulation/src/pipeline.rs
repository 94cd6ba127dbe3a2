//! A pipe that is simulated, and what it gives when nothing disturbs it.

use stream::{Fault, Mark, MarkKind, PREFIX};

use crate::judge::essence;
use crate::program::Program;
use crate::script::{Script, part_name};

/// A kind of pipe: what is between the source and the sink.
pub struct Pipeline {
    pub name: &'static str,
    pub programs: Vec<Program>,
    /// Lines without a time are bad lines.
    pub needs_time: bool,
    pub order: Order,
}

/// What of the order of lines decides on what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nothing: partitions may come in any order.
    Any,
    /// That of a key's lines: each key is in one partition.
    OfKeys,
    /// That of all: there is one partition.
    OfAll,
}

impl Pipeline {
    pub fn new(name: &'static str, order: Order, commands: &[&str]) -> Self {
        Self {
            name,
            programs: commands.iter().map(|command| Program::parse(command)).collect(),
            needs_time: commands.iter().any(|command| command.contains("--time t")),
            order,
        }
    }

    pub fn has_foreign(&self) -> bool {
        self.programs.iter().any(|program| matches!(program, Program::Foreign))
    }

    /// What an undisturbed run gives: lines and rejects.
    ///
    /// # Errors
    /// When the pipe does not run.
    pub fn undisturbed(&self, script: &Script) -> Result<(Vec<Vec<u8>>, Vec<String>), Fault> {
        let mut stream = whole_stream(script);
        for program in &self.programs {
            stream = program.play(&stream)?;
        }
        let (mut lines, mut rejects) = (Vec::new(), Vec::new());
        for line in stream.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if !line.starts_with(PREFIX) {
                lines.push(line.to_vec());
            } else if let Some(reject) = Mark::parse(line).ok().filter(|mark| mark.kind() == MarkKind::Reject) {
                rejects.push(essence(&reject));
            }
        }
        Ok((lines, rejects))
    }
}

/// The input as a source would write it, a line of each partition in turn, with nothing in the state folder.
fn whole_stream(script: &Script) -> Vec<u8> {
    let mut out = String::from("{\"$\":\"hello\",\"v\":1,\"run\":\"undisturbed\",\"hop\":1}\n");
    for part in 0..script.partitions.len() {
        out.push_str(&format!("{}\n", Mark::from_part(&part_name(part))));
    }
    let longest = script.partitions.iter().map(Vec::len).max().unwrap_or(0);
    for at in 0..longest {
        for (part, items) in script.partitions.iter().enumerate().filter(|(_, items)| at < items.len()) {
            let line = String::from_utf8_lossy(&items[at].line);
            out.push_str(&format!("{}\n{line}\n", Mark::from_part(&part_name(part))));
            if at + 1 == items.len() {
                out.push_str(&format!("{}\n", Mark::idle(&part_name(part), true)));
            }
        }
    }
    let end = Mark::new(MarkKind::End).with("lines", script.items().count()).with("drain", true);
    out.push_str(&format!("{end}\n"));
    out.into_bytes()
}
