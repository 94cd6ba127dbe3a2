//! Passes every Nth line of each key.
//!
//! **A line** is a JSON value with a key, made of `--by`.
//!
//! **What comes out**: of the lines of a key the first, and after it every Nth; as they came, in their order. The others
//! are left out. Marks pass.
//!
//! **Bad** is a line that is not JSON, and one from which an expression of `--by` gives no single value.
//!
//! **What is kept**: for each key how many of its lines came since the last that passed; at most `--max-keys` keys.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;

use std::io::{self, BufRead, Write};
use std::num::NonZeroU64;

use keyed_state::{KeyLimit, Keyed, hash};
use line_values::{Expression, LineValues};
use millpipe::{Changes, Divides, Error, Fault, Head, Out, Stage, StateFlags, Stateful};
use values::state_text::write_number;

/// The operator.
pub struct Thin {
    n: NonZeroU64,
    by: Vec<Expression>,
    values: LineValues,
    /// The key of the current line.
    key: Vec<u8>,
    /// For each key the lines since the last that passed, that one counted; 0 when the next one passes.
    counts: Keyed<u64>,
    flags: StateFlags,
}

impl Thin {
    /// Passes one of `n` lines of each key.
    #[must_use]
    pub fn new(n: NonZeroU64, by: Vec<Expression>, keys: KeyLimit, flags: StateFlags) -> Self {
        let values = LineValues::new(&by).watching(by.len());
        Self { n, by, values, key: Vec::new(), counts: Keyed::new(keys), flags }
    }
}

impl Stage for Thin {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.key.clear();
        self.values.read(line).map_err(Fault::bad)?.write_key(0..self.by.len(), &mut self.key);
        let hash = hash(&self.key);
        let id = match self.counts.find(&self.key, hash) {
            Some(id) => id,
            None => self.counts.insert(&self.key, hash, 0)?,
        };
        let count = self.counts.change(id);
        let passes = *count == 0;
        *count = (*count + 1) % self.n;
        if passes {
            out.line(line);
        } else {
            out.leave_out(1);
        }
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.values.remark("lines")
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Thin {
    fn flags(&self) -> String {
        self.flags.to_string()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        Head::new().divided(Divides::by(self.by.iter().map(ToString::to_string))).write(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        Head::read(from, "thin").map(drop)
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.counts.save(to, |count, out| write_number(*count, out));
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.counts.load(key, value, |from| from.number()).map(drop)
    }
}

#[cfg(test)]
mod tests;
