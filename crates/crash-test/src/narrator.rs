//! What is told on stderr while the test runs.

use std::fmt;
use std::io::{Write, stderr};
use std::time::Instant;

/// Silent, or with `--verbose` a line for each thing that happens.
pub struct Narrator {
    began: Instant,
    verbose: bool,
}

impl Narrator {
    pub fn new(verbose: bool) -> Self {
        Self { began: Instant::now(), verbose }
    }

    pub fn began(&self) -> Instant {
        self.began
    }

    pub fn tell(&self, what: fmt::Arguments<'_>) {
        if self.verbose {
            let seconds = self.began.elapsed().as_secs_f64();
            let _ = writeln!(stderr(), "crash-test: {seconds:.2} s: {what}");
        }
    }

    /// What is told in any case.
    pub fn show(&self, line: &str) {
        let _ = writeln!(stderr(), "crash-test: {line}");
    }
}
