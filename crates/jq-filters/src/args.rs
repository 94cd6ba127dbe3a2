//! The flags with which a tool takes a filter.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::arguments::Arguments;
use crate::failure::Wrong;
use crate::numbers::Numbers;
use crate::program::Program;

/// What goes with a FILTER on the command line.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "With FILTER")]
pub struct FilterArgs {
    /// Read the filter from FILE
    #[arg(short, long, value_name = "FILE")]
    pub from_file: Option<PathBuf>,

    /// Make $NAME the string VALUE in the filter
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"])]
    pub arg: Vec<String>,

    /// Make $NAME the JSON value JSON in the filter
    #[arg(long, num_args = 2, value_names = ["NAME", "JSON"])]
    pub argjson: Vec<String>,

    /// Compute with decimals, not with doubles: +, -, *, %, comparisons, add, floor, ceil, round and trunc are exact
    /// (0.1 + 0.2 is 0.3), and / has 34 significant digits, rounded half to even. Results are written without an exponent
    /// and without zeros at the end of a fraction. Division by zero is an error. sort, group_by, min and other functions
    /// take numbers as doubles, as ever
    #[arg(long)]
    pub decimal: bool,
}

/// Why there is no program.
#[derive(Debug, Error)]
pub enum NoProgram {
    /// Neither a filter nor a file with one was given.
    #[error("no FILTER")]
    Nothing,
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    #[error(transparent)]
    Wrong(#[from] Wrong),
}

impl FilterArgs {
    /// The program of the filter, or of the file.
    ///
    /// # Errors
    /// Why there is none.
    pub fn program(&self, filter: Option<&str>) -> Result<Program, NoProgram> {
        let code = match (filter, &self.from_file) {
            (Some(filter), _) => filter.to_owned(),
            (None, Some(file)) => std::fs::read_to_string(file).map_err(|e| NoProgram::File(file.clone(), e))?,
            (None, None) => return Err(NoProgram::Nothing),
        };
        let numbers = if self.decimal { Numbers::Decimals } else { Numbers::Doubles };
        Ok(Program::with_numbers(&code, self.arguments()?, numbers)?)
    }

    fn arguments(&self) -> Result<Arguments, Wrong> {
        let mut arguments = Arguments::default();
        for pair in self.arg.chunks_exact(2) {
            arguments.push_text(&pair[0], &pair[1]);
        }
        for pair in self.argjson.chunks_exact(2) {
            arguments.push_json(&pair[0], &pair[1])?;
        }
        Ok(arguments)
    }
}
