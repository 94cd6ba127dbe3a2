//! The worker that gives each batch of lines to a process.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use protocol::{Done, is_blank, lines_of};
use stream::{Error, Fault, is_mark, push_as_data};

use crate::pool::Worker;
use crate::pool::batch::{Batch, Failure, Product};
use crate::programs::child::{Child, Limits, Trouble, Until};
use crate::programs::processes::Processes;

/// A program that takes lines on stdin and writes lines to stdout.
#[derive(Clone, Debug)]
pub struct Command {
    pub program: OsString,
    pub args: Vec<OsString>,
    /// Keep a process for each worker, which answers every line with one line. Otherwise each batch has a new one.
    pub persistent: bool,
    /// How often a batch is given to a new process when one has failed with it.
    pub retries: u32,
    /// The most that may be written for one batch.
    pub output_bytes_max: usize,
    /// The longest that one batch may take; with `persistent`, the longest pause between two lines of answer.
    pub timeout: Option<Duration>,
    /// Says why a line cannot be given to the program at all.
    pub check: Option<LineCheck>,
}

/// `Err` is the reason why a line is bad.
pub type LineCheck = fn(&[u8]) -> Result<(), String>;

impl Command {
    /// How messages call it: as a shell would, without the folder.
    fn name(&self) -> String {
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        name.to_string_lossy().into_owned()
    }

    fn limits(&self) -> Limits {
        Limits { output_bytes: self.output_bytes_max, time: self.timeout }
    }
}

/// Runs the program for one batch after the other.
pub(crate) struct CommandWorker {
    command: Command,
    /// `--on-error` says that lines go aside, whatever their process has ended by.
    diverts: bool,
    processes: Processes,
    /// The process that is kept.
    child: Option<Child>,
    /// What the last process said before it failed.
    said: String,
}

impl CommandWorker {
    pub fn new(command: Command, diverts: bool, processes: Processes) -> Self {
        Self { command, diverts, processes, child: None, said: String::new() }
    }

    /// Tries until it succeeds or `--retries` are used up.
    fn try_batch(&mut self, input: &[u8], lines: usize) -> Result<Vec<u8>, Trouble> {
        let mut tries_left = self.command.retries;
        loop {
            let mut out = Vec::new();
            let result = if self.command.persistent {
                self.ask_child(input, lines, &mut out)
            } else {
                self.ask_new_child(input, &mut out)
            };
            match result {
                Ok(()) => return Ok(out),
                Err(trouble @ (Trouble::Start(_) | Trouble::Over)) => return Err(trouble),
                Err(trouble) if tries_left == 0 => return Err(trouble),
                Err(_) => tries_left -= 1,
            }
        }
    }

    fn ask_new_child(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
        let mut child = Child::start(&self.command.program, &self.command.args, &self.processes)?;
        let result = child.exchange(input, Until::End, out, self.command.limits());
        child.end();
        self.said = child.said.take();
        result
    }

    fn ask_child(&mut self, input: &[u8], lines: usize, out: &mut Vec<u8>) -> Result<(), Trouble> {
        let mut child = match self.child.take() {
            Some(child) => child,
            None => Child::start(&self.command.program, &self.command.args, &self.processes)?,
        };
        let result = self.exchange_lines(&mut child, input, lines, out);
        if result.is_ok() {
            self.child = Some(child);
        } else {
            child.end();
            self.said = child.said.take();
        }
        result
    }

    fn exchange_lines(&self, child: &mut Child, input: &[u8], lines: usize, out: &mut Vec<u8>) -> Result<(), Trouble> {
        if child.has_spoken() {
            // A line too many, or its end: between two batches both are wrong.
            child.exchange(&[], Until::Lines(0), &mut Vec::new(), self.command.limits())?;
        }
        child.exchange(input, Until::Lines(lines), out, self.command.limits())
    }

    fn describe(&mut self, trouble: &Trouble) -> String {
        let name = self.command.name();
        let said = std::mem::take(&mut self.said);
        let tries = match self.command.retries {
            0 => String::new(),
            retries => format!(", tried {} times", retries + 1),
        };
        let separator = if said.is_empty() { "" } else { ": " };
        let detail = match trouble {
            Trouble::Ended(status) if status.success() => " before it had answered every line",
            Trouble::TooSlow(_) if self.command.persistent => "; does it wait for more input, or hold its output back?",
            _ => "",
        };
        format!("{name} {trouble}{detail}{tries}{separator}{said}")
    }

    fn failure(&mut self, trouble: &Trouble, lines: usize) -> Failure {
        match trouble {
            Trouble::Over => Failure::Stop(Fault::ReaderGone),
            Trouble::Start(_) => {
                let program = self.command.program.to_string_lossy();
                Failure::Stop(Error::data(format_args!("cannot start {program:?}: {trouble}")).into())
            }
            _ if trouble.is_temporary() && !self.diverts => {
                let hint = "start the pipeline again; --retries 3 gives the lines to a new process before that, --on-error reject keeps them aside";
                Failure::Stop(Error::temporary(self.describe(trouble)).hint(hint).into())
            }
            _ => Failure::Lines(lines, self.describe(trouble)),
        }
    }
}

impl Worker for CommandWorker {
    fn work(&mut self, batch: &Batch, product: &mut Product) {
        let checked = Checked::new(batch, self.command.check, product);
        if checked.lines == 0 {
            return;
        }
        match self.try_batch(checked.input(batch), checked.lines) {
            Ok(out) => {
                let lines_out;
                (product.out, lines_out) = as_data_lines(out);
                product.done = done(checked.lines as u64, lines_out);
                if batch.stops_on_error {
                    // The lines before the bad one come out before it ends the run.
                    for bad in &mut product.bad {
                        (bad.out_bytes, bad.done) = (product.out.len(), product.done);
                    }
                }
            }
            Err(trouble) => product.failure = Some(self.failure(&trouble, checked.tried)),
        }
    }

    /// The processes that were kept get the end of their input; there is nothing left to say for them.
    fn end(&mut self) -> Result<(), Fault> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let mut out = Vec::new();
        let result = child.exchange(&[], Until::End, &mut out, self.command.limits());
        child.end();
        self.said = child.said.take();
        let name = self.command.name();
        match result {
            Ok(()) if out.is_empty() => Ok(()),
            Ok(()) => Err(Error::data(format_args!("{name} wrote more lines than it got, at the end")).into()),
            Err(Trouble::Over) => Err(Fault::ReaderGone),
            Err(trouble) => Err(Error::data(format_args!("{}, at the end", self.describe(&trouble))).into()),
        }
    }
}

/// What a program made of so many lines. Which of them it has left out nobody knows: as many as it wrote less.
fn done(lines: u64, lines_out: u64) -> Done {
    let left_out = lines.saturating_sub(lines_out);
    Done { lines_out, settled: lines - left_out, left_out }
}

/// The lines of a batch that can be given to a program.
struct Checked {
    /// The good lines, where they are not simply the first bytes of the batch.
    copy: Option<Vec<u8>>,
    prefix: usize,
    lines: usize,
    /// How many lines of the batch have been looked at.
    tried: usize,
}

impl Checked {
    fn new(batch: &Batch, check: Option<LineCheck>, product: &mut Product) -> Self {
        let mut checked = Self { copy: None, prefix: 0, lines: 0, tried: 0 };
        for (index, line) in batch.iter().enumerate() {
            if let Err(why) = check.map_or(Ok(()), |check| check(line)) {
                product.bad(index, why, 0);
                if batch.stops_on_error {
                    return checked;
                }
                checked.copy.get_or_insert_with(|| batch.bytes[..checked.prefix].to_vec());
            } else if let Some(copy) = &mut checked.copy {
                copy.extend_from_slice(line);
                copy.push(b'\n');
                checked.lines += 1;
            } else {
                checked.prefix += line.len() + 1;
                checked.lines += 1;
            }
            checked.tried += 1;
        }
        checked
    }

    fn input<'a>(&'a self, batch: &'a Batch) -> &'a [u8] {
        self.copy.as_deref().unwrap_or(&batch.bytes[..self.prefix])
    }
}

/// Makes what a program wrote whole lines of data, and counts them: the last one has its newline, none looks like a mark, and
/// blank ones are none.
fn as_data_lines(mut out: Vec<u8>) -> (Vec<u8>, u64) {
    if out.last().is_some_and(|last| *last != b'\n') {
        out.push(b'\n');
    }
    let mut lines = 0;
    let mut all_are_data = true;
    for line in lines_of(&out) {
        lines += 1;
        all_are_data &= !is_mark(line) && !is_blank(line);
    }
    if all_are_data { (out, lines) } else { only_data_lines(&out) }
}

fn only_data_lines(out: &[u8]) -> (Vec<u8>, u64) {
    let (mut data, mut lines) = (Vec::with_capacity(out.len()), 0);
    for line in lines_of(out).filter(|line| !is_blank(line)) {
        push_as_data(line, &mut data);
        data.push(b'\n');
        lines += 1;
    }
    (data, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_looks_like_a_mark_gets_a_space() {
        let (out, lines) = as_data_lines(b"{\"$\":1}\n{\"a\":{\"$\":2}}\n{\"$\":3}".to_vec());
        assert_eq!(out, b"{ \"$\":1}\n{\"a\":{\"$\":2}}\n{ \"$\":3}\n");
        assert_eq!(lines, 3);
    }

    #[test]
    fn blank_lines_of_a_program_are_no_lines() {
        for blank in ["\n", "1\n\n2\n", " \t\r\n1\n2\n\n\n", "1\n\n2", "1\r\n2\n \n  "] {
            let (out, lines) = as_data_lines(blank.as_bytes().to_vec());
            let text = String::from_utf8(out).unwrap();
            let expected: Vec<&str> = blank.split('\n').filter(|line| !line.trim().is_empty()).collect();
            assert_eq!(
                (text.split_terminator('\n').collect::<Vec<_>>(), lines),
                (expected.clone(), expected.len() as u64)
            );
        }
        assert_eq!(as_data_lines(Vec::new()), (Vec::new(), 0));
    }
}
