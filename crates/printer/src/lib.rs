//! Where tools that are no stages write: `state`, `pipes`.
//!
//! Lines for programs go to stdout, words for people to stderr, with the name of the tool before them.
// The one place that does; the rest of a tool is given it.
#![allow(clippy::disallowed_methods)]

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};

use serde_json::Value;
use stream::{Error, Fault};

/// Lines for programs on stdout, words for people on stderr.
pub struct Printer {
    tool: &'static str,
    out: BufWriter<Stdout>,
}

impl Printer {
    /// A printer of the tool of this name.
    pub fn new(tool: &'static str) -> Self {
        Self { tool, out: BufWriter::new(io::stdout()) }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// `ReaderGone`, or the disk's.
    pub fn json(&mut self, line: &Value) -> Result<(), Fault> {
        self.bytes(format!("{line}\n").as_bytes())
    }

    /// Writes text.
    ///
    /// # Errors
    /// As `json`.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.out.write_all(bytes).map_err(|error| fault(&error))
    }

    /// Writes what is still in memory.
    ///
    /// # Errors
    /// As `json`.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.out.flush().map_err(|error| fault(&error))
    }

    /// What is written is shown on a terminal.
    pub fn is_terminal(&self) -> bool {
        self.out.get_ref().is_terminal()
    }

    /// Tells people something.
    pub fn note(&mut self, text: &str) {
        // Nobody who cannot hear it misses it.
        let _ = writeln!(io::stderr(), "{}: {text}", self.tool);
    }
}

fn fault(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::BrokenPipe => Fault::ReaderGone,
        _ => Error::io("stdout", error).into(),
    }
}
