//! What people see: warnings and rejects on standard error.

use std::io::{self, Write};

use protocol::{Audience, Config, Rejects};
use stream::{Error, Fault};

use crate::messages::warn;
use crate::pipes::stdio::must_have_stderr;

/// Opens the way of a tool's rejects and warnings.
///
/// # Errors
/// When the file of `--rejects` cannot be opened.
pub(crate) fn open_rejects(config: &Config) -> Result<Rejects, Error> {
    Rejects::open(&config.name, &config.policy, Box::new(People(config.name.clone())))
}

/// Those who read the standard error of the tool with this name.
struct People(String);

impl Audience for People {
    fn warn(&mut self, text: &str) {
        warn(&self.0, text);
    }

    fn reject(&mut self, object: &str) -> Result<(), Fault> {
        must_have_stderr()?;
        let _ = writeln!(io::stderr(), "{object}");
        Ok(())
    }
}
