//! Where this tool writes.
// The one file that does; the rest is given it.
#![allow(clippy::disallowed_methods)]

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};

use millpipe::{Error, Fault};
use serde_json::Value;

/// Lines for programs on stdout, words for people on stderr.
pub struct Printer {
    out: BufWriter<Stdout>,
}

impl Printer {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { out: BufWriter::new(io::stdout()) }
    }

    /// # Errors
    /// `ReaderGone`, or the disk's.
    pub fn json(&mut self, line: &Value) -> Result<(), Fault> {
        self.bytes(format!("{line}\n").as_bytes())
    }

    /// # Errors
    /// As `json`.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.out.write_all(bytes).map_err(|error| fault(&error))
    }

    /// # Errors
    /// As `json`.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.out.flush().map_err(|error| fault(&error))
    }

    /// What is written is shown on a terminal.
    pub fn is_terminal(&self) -> bool {
        self.out.get_ref().is_terminal()
    }

    pub fn note(&mut self, text: &str) {
        // Nobody who cannot hear it misses it.
        let _ = writeln!(io::stderr(), "pipes: {text}");
    }
}

fn fault(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::BrokenPipe => Fault::ReaderGone,
        _ => Error::io("stdout", error).into(),
    }
}
