//! What a thread runs on its lines.

use crate::failure::Failure;
use crate::interpreter::Interpreter;
use crate::raw::Raw;
use crate::results::Results;
use crate::truth::Truth;

/// A filter with the buffers that one thread needs.
///
/// ```
/// use jq_filters::{Arguments, Program};
///
/// let program = Program::new("select(.n > 1) | {n, twice: (.n * 2)}", Arguments::default())?;
/// let mut filter = program.filter(1 << 20);
/// let results = filter.run(br#"{"n":1.50}"#)?;
/// assert_eq!(results.iter().collect::<Vec<_>>(), [br#"{"n":1.50,"twice":3}"#]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Filter {
    raw: Option<Raw>,
    interpreter: Interpreter,
    results: Results,
}

impl Filter {
    /// Without a raw way jaq does every line.
    pub(crate) fn new(raw: Option<Raw>, interpreter: Interpreter, output_bytes_max: usize) -> Filter {
        Filter { raw, interpreter, results: Results::new(output_bytes_max) }
    }

    /// Lets functions that call themselves use so much of the thread's stack, which must have more: 4 MiB otherwise.
    #[must_use]
    pub fn with_stack(mut self, bytes: usize) -> Filter {
        self.interpreter.stack_bytes_max = bytes;
        self
    }

    /// The results of a line, given without its newline. They do not depend on the lines before.
    ///
    /// # Errors
    /// Why the line is bad, or that the filter has halted.
    #[inline]
    pub fn run(&mut self, line: &[u8]) -> Result<&Results, Failure> {
        self.results.clear();
        let answer = match &mut self.raw {
            Some(raw) => raw.run(line, &mut self.results)?,
            None => None,
        };
        if answer.is_none() {
            self.results.clear();
            self.interpreter.run(line, &mut self.results)?;
        }
        Ok(&self.results)
    }

    /// Whether one of the results is true for jq, which all are but `false` and `null`: `select(FILTER)` would let
    /// the line pass.
    ///
    /// # Errors
    /// As [`Filter::run`]; the line must not fail behind a true result either.
    pub fn passes(&mut self, line: &[u8]) -> Result<bool, Failure> {
        Ok(self.truth(line)?.passes)
    }

    /// The same, with what kind of results there were.
    ///
    /// # Errors
    /// As [`Filter::run`].
    #[inline]
    pub fn truth(&mut self, line: &[u8]) -> Result<Truth, Failure> {
        let known = match &mut self.raw {
            Some(raw) => raw.passes(line)?,
            None => None,
        };
        match known {
            Some(truth) => Ok(truth),
            None => self.interpreter.passes(line),
        }
    }
}
