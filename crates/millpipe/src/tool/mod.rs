//! The frame of every tool's `main`: arguments, messages, exit codes.

mod help;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Parser};
use stream::{Error, Exit, Fault};

use crate::messages::{keep_error, print_error};
use crate::pipes::stdio::{must_have_input, must_have_output};
use crate::running::publisher;
use crate::signals::{die_of_sigpipe, outlive_file_size_limit};
use crate::tool::help::{for_terminal, shown};

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
    outlive_file_size_limit();
    let mut command = for_terminal(C::command());
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    let parsed = parsed.and_then(|mut matches| C::from_arg_matches_mut(&mut matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return explain(&command, reads, &error.format(&mut command.clone())),
    };
    if reads == Reads::Stdin && io::stdin().is_terminal() {
        let _ = write!(io::stderr(), "{}", shown(&command.render_help().to_string()));
        return code(Exit::Usage);
    }
    let has_what_it_needs = match reads {
        Reads::Stdin => must_have_input(),
        Reads::Nothing => must_have_output(),
    };
    match has_what_it_needs.map_err(Fault::from).and_then(|()| run(cli)) {
        Ok(()) => {
            publisher::end(Exit::Done as u8);
            code(Exit::Done)
        }
        Err(fault) => end_with(&command, fault),
    }
}

/// The exit code of a program that a signal for a closed pipe has ended.
const READER_GONE: u8 = 141;

fn end_with(command: &Command, fault: Fault) -> ExitCode {
    let error = match fault {
        Fault::Stop(error) => error,
        Fault::Bad(why) => Error::data(why),
        Fault::ReaderGone => {
            publisher::end(READER_GONE);
            die_of_sigpipe();
            return ExitCode::from(READER_GONE);
        }
    };
    print_error(command.get_name(), &error);
    tell_watchers(command, error.exit);
    code(error.exit)
}

/// Those who watch the pipeline see that a stage has failed, also when its run has not begun.
fn tell_watchers(command: &Command, exit: Exit) {
    if publisher::end(exit as u8) {
        return;
    }
    if let Some(dir) = metrics_dir(command).filter(|dir| !dir.as_os_str().is_empty()) {
        publisher::end_of_no_run(dir, command.get_name().to_owned(), exit as u8);
    }
}

/// Returns the folder of `--metrics` or of its variable. The other flags may be wrong, so they are not read.
fn metrics_dir(command: &Command) -> Option<PathBuf> {
    let flag = command.get_arguments().find(|argument| argument.get_id() == "metrics")?;
    let words: Vec<OsString> = std::env::args_os().collect();
    let after = words.iter().position(|word| word == "--metrics").and_then(|at| words.get(at + 1)).cloned();
    let joined = || words.iter().find_map(|word| Some(OsString::from(word.to_str()?.strip_prefix("--metrics=")?)));
    let dir = after.or_else(joined).or_else(|| std::env::var_os(flag.get_env()?));
    dir.map(PathBuf::from)
}

/// clap's own messages, with the tool's name: in a pipe of five it must be clear who complains.
fn explain(command: &Command, reads: Reads, error: &clap::Error) -> ExitCode {
    let name = command.get_name();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        if let Err(error) = must_have_output() {
            return end_with(command, error.into());
        }
        let written = write!(io::stdout(), "{}", shown(&error.render().ansi_if_terminal()));
        return code(if written.is_ok() { Exit::Done } else { Exit::Temporary });
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let text = without_wrong_tip(text);
    let _ = write!(io::stderr(), "{name}: {text}");
    keep_error(text.lines().next().unwrap_or_default());
    if let Some(file) = misplaced_file(error).filter(|_| reads == Reads::Stdin) {
        let table = if has_flag(command, "table") { format!("a table is --table {file}; ") } else { String::new() };
        let _ = writeln!(io::stderr(), "{name}: hint: {table}lines are read from standard input: {name} … < {file}");
    }
    if let Some(hint) = invalid_flag(error).and_then(|flag| known_elsewhere(command, flag)) {
        let _ = writeln!(io::stderr(), "{name}: hint: {hint}");
    }
    tell_watchers(command, Exit::Usage);
    code(Exit::Usage)
}

/// No tool takes a value that looks like a flag: clap's way to give one helps nobody.
fn without_wrong_tip(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("tip: to pass '")).collect();
    lines.join("\n").replace("\n\n\n", "\n\n") + "\n"
}

fn has_flag(command: &Command, long: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(long))
}

fn invalid_flag(error: &clap::Error) -> Option<&str> {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if error.kind() == ErrorKind::UnknownArgument => Some(flag),
        _ => None,
    }
}

/// What flags of programs that people know are called here, if this tool has something of the kind.
const ELSEWHERE: [(&str, &str, &str); 12] = [
    ("-f", "follow", "--follow reads on when a file grows"),
    ("-F", "follow", "--follow reads on when a file grows"),
    ("--tail", "from", "-o -10 begins with the last ten lines"),
    ("-n", "count", "-c N ends after N lines, -o -N begins with the last N"),
    ("-g", "by", "--by FIELDS makes groups"),
    ("--group-by", "by", "--by FIELDS makes groups"),
    ("--group", "by", "--by FIELDS makes groups"),
    ("-k", "by", "--by FIELDS says what the key is"),
    ("--key", "by", "--by FIELDS says what the key is"),
    ("--sort-by", "order", "--order FIELDS says by what lines are ranked"),
    ("--brokers", "brokers", "-b HOST:PORT"),
    ("--bootstrap-server", "brokers", "-b HOST:PORT"),
];

fn known_elsewhere(command: &Command, flag: &str) -> Option<&'static str> {
    let known = ELSEWHERE.iter().find(|(theirs, ours, _)| *theirs == flag && has_flag(command, ours))?;
    Some(known.2)
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
