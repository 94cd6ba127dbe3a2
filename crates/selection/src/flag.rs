//! The flag, and what it selects.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jq_filters::{Arguments, Failure, Filter, Program};
use millpipe::{Config, Error, Fault, LineSelection, LineSelector};

/// `--where`, the same in every tool.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct WhereArgs {
    /// Take the lines for which this jq filter is true, and pass the others through unchanged, in their place
    #[arg(long = "where", value_name = "FILTER", help_heading = "Lines of several kinds")]
    pub selection: Option<Selection>,
}

impl WhereArgs {
    /// Adds the selection to what the runtime needs to know.
    #[must_use]
    pub fn select(&self, config: Config) -> Config {
        let selection = self.selection.clone().map(|selection| Arc::new(selection) as Arc<dyn LineSelection>);
        Config { selection, ..config }
    }
}

/// A filter that selects lines, compiled.
#[derive(Clone)]
pub struct Selection {
    text: String,
    program: Program,
}

impl Selection {
    /// What a thread runs.
    #[must_use]
    pub fn selector(&self) -> Selector {
        Selector(self.program.filter(usize::MAX))
    }
}

impl LineSelection for Selection {
    fn selector(&self) -> Box<dyn LineSelector> {
        Box::new(Self::selector(self))
    }

    fn flag(&self) -> String {
        format!(" --where '{self}'")
    }
}

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Selection, String> {
        let program = Program::new(text, Arguments::default()).map_err(|wrong| match wrong.hint {
            Some(hint) => format!("{}\n{hint}", wrong.message),
            None => wrong.message,
        })?;
        Ok(Selection { text: text.to_owned(), program })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selection({:?})", self.text)
    }
}

/// Says of line after line whether it is selected.
pub struct Selector(Filter);

impl Selector {
    /// Returns true if the line is selected.
    ///
    /// # Errors
    /// `Bad` when the line is not JSON or the filter fails on it.
    #[inline]
    pub fn takes(&mut self, line: &[u8]) -> Result<bool, Fault> {
        self.0.passes(line).map_err(|failure| match failure {
            Failure::Line(why) => Fault::Bad(why),
            halt @ Failure::Halt(_) => Error::data(halt).into(),
        })
    }
}

impl LineSelector for Selector {
    fn takes(&mut self, line: &[u8]) -> Result<bool, Fault> {
        Self::takes(self, line)
    }
}
