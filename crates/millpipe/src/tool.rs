//! The frame of every tool's `main`: arguments, messages, exit codes.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use crate::fault::{Error, Exit, Fault};
use crate::help::for_terminal;
use crate::signals::die_of_sigpipe;
use crate::stdio::{must_have_input, must_have_output};

/// What a tool reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Lines on stdin: on a terminal the help is shown instead of waiting for somebody to type JSON.
    Stdin,
    /// It begins with what it finds elsewhere, and writes to stdout.
    Nothing,
}

/// Parses the arguments, runs, and turns the result into messages and the exit code.
pub fn main<C: Parser + CommandFactory>(reads: Reads, run: impl FnOnce(C) -> Result<(), Fault>) -> ExitCode {
    let mut command = for_terminal(C::command());
    let name = command.get_name().to_owned();
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    let parsed = parsed.and_then(|mut matches| C::from_arg_matches_mut(&mut matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return explain(&name, reads, &error.format(&mut command)),
    };
    if reads == Reads::Stdin && io::stdin().is_terminal() {
        let _ = write!(io::stderr(), "{}", command.render_help());
        return code(Exit::Usage);
    }
    let has_what_it_needs = match reads {
        Reads::Stdin => must_have_input(),
        Reads::Nothing => must_have_output(),
    };
    match has_what_it_needs.map_err(Fault::from).and_then(|()| run(cli)) {
        Ok(()) => code(Exit::Done),
        Err(fault) => end_with(&name, fault),
    }
}

fn end_with(name: &str, fault: Fault) -> ExitCode {
    let error = match fault {
        Fault::Stop(error) => error,
        Fault::Bad(why) => Error::data(why),
        Fault::ReaderGone => {
            die_of_sigpipe();
            return ExitCode::from(141);
        }
    };
    print_error(name, &error);
    code(error.exit)
}

fn print_error(name: &str, error: &Error) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{name}: {}", error.message);
    for hint in error.hint.iter().flat_map(|h| h.lines()) {
        let _ = writeln!(stderr, "{name}: hint: {hint}");
    }
}

/// clap's own messages, with the tool's name: in a pipe of five it must be clear who complains.
fn explain(name: &str, reads: Reads, error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        if let Err(error) = must_have_output() {
            return end_with(name, error.into());
        }
        let shown = write!(io::stdout(), "{}", error.render().ansi_if_terminal());
        return code(if shown.is_ok() { Exit::Done } else { Exit::Temporary });
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let _ = write!(io::stderr(), "{name}: {text}");
    if let Some(file) = misplaced_file(error).filter(|_| reads == Reads::Stdin) {
        let _ = writeln!(io::stderr(), "{name}: hint: lines are read from standard input: {name} … < {file}");
    }
    code(Exit::Usage)
}

/// A file that was given as other programs take it.
fn misplaced_file(error: &clap::Error) -> Option<&str> {
    let wrong = match error.kind() {
        ErrorKind::UnknownArgument => error.get(ContextKind::InvalidArg),
        ErrorKind::ValueValidation => error.get(ContextKind::InvalidValue),
        _ => None,
    };
    let Some(ContextValue::String(word)) = wrong else { return None };
    (!word.starts_with('-') && Path::new(word).is_file()).then_some(word)
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}

trait Render {
    fn ansi_if_terminal(&self) -> String;
}

impl Render for clap::builder::StyledStr {
    fn ansi_if_terminal(&self) -> String {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        if colour { self.ansi().to_string() } else { self.to_string() }
    }
}
