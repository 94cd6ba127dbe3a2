//! Several streams as one: their lines in the order in which they are given, their hello, barrier and end marks aligned.
//!
//! An input that has come to such a mark is not read on until all others have come to theirs: the alignment of barriers of
//! Chandy and Lamport, as in Flink (Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows", 2015). All
//! inputs of a checked stream descend from one source, so every barrier comes to every input; nothing can wait for ever.
//!
//! Memory, for each input: its unfinished line, and behind a mark that waits, the rest of one chunk.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use serde_json::Value;
use stream::{Error, Fault, Mark, MarkKind, is_mark};

use crate::cut_short::{cut_short, is_hello};
use crate::last_words::LastWords;
use crate::line_count::check_count;
use crate::lines::{Piece, Splitter, is_blank, lines_of, ordinary_lines, without_byte_order_mark};
use crate::protocol::Life;

/// Where a line is from: the input's number, the line's number in it, and the byte that it begins at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub input: usize,
    pub line: u64,
    pub byte: u64,
}

/// What the inputs flow into.
pub trait Confluence {
    /// A data line, or a mark that is not aligned here.
    fn item(&mut self, from: Origin, line: &[u8]) -> Result<(), Fault>;

    /// So many data lines one after the other, none of them blank, each with its newline; `from` is the first one's place.
    fn lines(&mut self, mut from: Origin, block: &[u8], _count: u64) -> Result<(), Fault> {
        for line in lines_of(block) {
            self.item(from, line)?;
            from.line += 1;
            from.byte += line.len() as u64 + 1;
        }
        Ok(())
    }

    fn too_long(&mut self, from: Origin, shown: &[u8]) -> Result<(), Fault>;

    /// A hello, barrier or end that all inputs have come to, as one.
    fn aligned(&mut self, mark: Mark) -> Result<(), Fault>;

    /// Nothing more comes from this input.
    fn input_ended(&mut self, input: usize) -> Result<(), Fault>;
}

/// What an input gives, when it has to wait.
enum Item {
    Line(Vec<u8>),
    TooLong(Vec<u8>),
    /// The end of the file, and what was in its last line.
    Eof(Option<Vec<u8>>),
}

struct Input {
    splitter: Splitter,
    life: Life,
    /// The end of the file has been taken.
    is_over: bool,
    /// A mark that waits for the same of the others, and what stands behind it.
    waiting: Option<Mark>,
    rest: VecDeque<(Item, usize)>,
    lines: u64,
    bytes: u64,
    /// Data lines since the last barrier.
    epoch_lines: u64,
    last_words: LastWords,
}

/// The state machine.
pub struct FanIn {
    inputs: Vec<Input>,
    line_bytes_max: usize,
    /// The inputs as messages call them; empty for one that needs no name.
    names: Vec<String>,
    /// Who counts their lines.
    receiver: String,
    /// Whether the streams are checked, once the first has begun.
    checked: Option<bool>,
    /// What goes into the sub-pipes that are the inputs here is checked.
    gave_hello: bool,
}

const KEEP_MARKS: &str = "a program in the sub-pipe that takes marks out (grep, jq 'select(…)')? filter and parallel-map FILTER keep them, \
     and any other program can run inside parallel-map -- CMD";

impl FanIn {
    pub fn new(names: Vec<String>, receiver: &str, line_bytes_max: usize) -> Self {
        let input = |_: &String| Input {
            splitter: Splitter::new(line_bytes_max),
            life: Life::New,
            is_over: false,
            waiting: None,
            rest: VecDeque::new(),
            lines: 0,
            bytes: 0,
            epoch_lines: 0,
            last_words: LastWords::default(),
        };
        let inputs = names.iter().map(input).collect();
        Self { inputs, line_bytes_max, names, receiver: receiver.to_owned(), checked: None, gave_hello: false }
    }

    /// What goes into the sub-pipes is checked, and so must be what comes out of them.
    pub fn expect_checked(&mut self) {
        (self.checked, self.gave_hello) = (Some(true), true);
    }

    /// Whether this input can be read now: it has not ended, and waits for no other.
    pub fn wants(&self, input: usize) -> bool {
        let input = &self.inputs[input];
        !input.is_over && input.waiting.is_none() && input.rest.is_empty()
    }

    /// Whether all inputs are at their end.
    pub fn is_over(&self) -> bool {
        self.inputs.iter().all(|input| input.is_over)
    }

    /// True in a checked stream, from its first line on.
    pub fn is_checked(&self) -> bool {
        self.checked == Some(true)
    }

    /// Takes one chunk of an input, cut anywhere.
    ///
    /// # Errors
    /// What ends the run.
    pub fn feed(&mut self, input: usize, chunk: &[u8], to: &mut impl Confluence) -> Result<(), Fault> {
        let mut splitter = std::mem::replace(&mut self.inputs[input].splitter, Splitter::new(0));
        let mut rest = chunk;
        let mut result = Ok(());
        while !rest.is_empty() && result.is_ok() {
            let (lines, bytes) = match splitter.is_between_lines() && self.is_amid_lines(input) {
                true => ordinary_lines(rest, self.line_bytes_max),
                false => (0, 0),
            };
            let (block, behind) = rest.split_at(bytes);
            if lines > 0 {
                result = self.lines(input, block, lines, to);
                rest = behind;
                continue;
            }
            let one = splitter.feed(rest, |piece, bytes| {
                self.piece(input, piece, bytes, to)?;
                Ok(ControlFlow::Break(()))
            });
            result = one.map(|taken| rest = &rest[taken..]);
        }
        self.inputs[input].splitter = splitter;
        result
    }

    fn piece(&mut self, input: usize, piece: Piece<'_>, bytes: usize, to: &mut impl Confluence) -> Result<(), Fault> {
        match piece {
            Piece::Line(line) => self.line(input, line, bytes, to),
            Piece::TooLong(shown) if self.wants(input) => self.too_long(input, shown, bytes, to),
            Piece::TooLong(shown) => {
                self.inputs[input].rest.push_back((Item::TooLong(shown.to_vec()), bytes));
                Ok(())
            }
        }
    }

    /// Whether a data line that comes next is nothing but that.
    fn is_amid_lines(&self, input: usize) -> bool {
        self.wants(input) && matches!(self.inputs[input].life, Life::Plain | Life::Checked)
    }

    fn lines(&mut self, input: usize, block: &[u8], count: u64, to: &mut impl Confluence) -> Result<(), Fault> {
        let from = self.next_place(input, count, block.len());
        self.inputs[input].epoch_lines += count;
        to.lines(from, block, count)
    }

    /// Takes one line of an input; `bytes` with its newline.
    ///
    /// # Errors
    /// What ends the run.
    pub fn line(&mut self, input: usize, line: &[u8], bytes: usize, to: &mut impl Confluence) -> Result<(), Fault> {
        if !self.wants(input) {
            self.inputs[input].rest.push_back((Item::Line(line.to_vec()), bytes));
            return Ok(());
        }
        self.take_line(input, line, bytes, to)?;
        self.align(to)
    }

    /// The end of an input's file.
    ///
    /// # Errors
    /// In a checked stream: when it was cut short.
    pub fn finish(&mut self, input: usize, to: &mut impl Confluence) -> Result<(), Fault> {
        let torn = self.inputs[input].splitter.torn();
        self.inputs[input].rest.push_back((Item::Eof(torn), 0));
        if self.inputs[input].waiting.is_none() {
            self.take_rest(input, to)?;
        }
        self.align(to)
    }

    fn too_long(&mut self, input: usize, shown: &[u8], bytes: usize, to: &mut impl Confluence) -> Result<(), Fault> {
        let from = self.next_place(input, 1, bytes);
        match self.inputs[input].life {
            Life::Ended => return Err(self.follows_the_end(from)),
            Life::New => self.begins_plain(input)?,
            Life::Plain | Life::Checked => {}
        }
        self.inputs[input].epoch_lines += 1;
        to.too_long(from, shown)
    }

    fn take_line(&mut self, input: usize, line: &[u8], bytes: usize, to: &mut impl Confluence) -> Result<(), Fault> {
        let from = self.next_place(input, 1, bytes);
        if !is_mark(line) && matches!(self.inputs[input].life, Life::Plain | Life::Checked) {
            self.inputs[input].epoch_lines += u64::from(!is_blank(line));
            return to.item(from, line);
        }
        if is_blank(line) {
            return Ok(());
        }
        if self.inputs[input].life == Life::Ended {
            return Err(self.follows_the_end(from));
        }
        if !is_mark(line) {
            self.begins_plain(input)?;
            return to.item(from, without_byte_order_mark(line));
        }
        let mark = Mark::parse(line).map_err(|error| self.told(from, error))?;
        self.take_mark(from, mark, line, to)
    }

    fn take_mark(&mut self, from: Origin, mark: Mark, line: &[u8], to: &mut impl Confluence) -> Result<(), Fault> {
        let at = from.input;
        match (mark.kind(), self.inputs[at].life) {
            (MarkKind::Hello, Life::New) => {
                self.begins(at, true)?;
                self.inputs[at].life = Life::Checked;
                self.inputs[at].waiting = Some(mark);
            }
            (MarkKind::Hello, _) => return Err(self.told(from, Error::data("a hello mark in the middle")).into()),
            (_, Life::New) => {
                self.begins_plain(at)?;
                to.item(from, line)?;
            }
            (MarkKind::Barrier | MarkKind::End, Life::Checked) => {
                let arrived = std::mem::take(&mut self.inputs[at].epoch_lines);
                check_count(&mark, arrived, &self.receiver).map_err(|error| self.told(from, error.into()))?;
                self.inputs[at].waiting = Some(mark);
            }
            (_, life) => {
                if life == Life::Checked {
                    self.inputs[at].last_words.take(&mark);
                }
                to.item(from, line)?;
            }
        }
        Ok(())
    }

    fn take_rest(&mut self, input: usize, to: &mut impl Confluence) -> Result<(), Fault> {
        while self.inputs[input].waiting.is_none() {
            let Some((item, bytes)) = self.inputs[input].rest.pop_front() else { break };
            match item {
                Item::Line(line) => self.take_line(input, &line, bytes, to)?,
                Item::TooLong(shown) => self.too_long(input, &shown, bytes, to)?,
                Item::Eof(torn) => self.eof(input, torn, to)?,
            }
        }
        Ok(())
    }

    fn eof(&mut self, input: usize, torn: Option<Vec<u8>>, to: &mut impl Confluence) -> Result<(), Fault> {
        let LastWords { failed, died } = &self.inputs[input].last_words;
        let short = |what| Err(self.named(input, cut_short(what, failed.as_deref(), died.as_deref())).into());
        match (self.inputs[input].life, &torn) {
            (Life::Ended, _) => {}
            (Life::Checked, None) => return short("without an end mark"),
            (Life::Checked, Some(_)) => return short("in the middle of a line"),
            (Life::New, Some(line)) if is_hello(line) => return short("in its first line"),
            (Life::New, None) if self.checked == Some(true) => return short("before its first line"),
            (Life::New, None) => {}
            (Life::New | Life::Plain, Some(line)) => self.take_line(input, line, line.len(), to)?,
            (Life::Plain, None) => {}
        }
        self.inputs[input].is_over = true;
        // Behind the common end nothing may be written any more, whatever this one held back.
        if self.inputs[input].life == Life::Ended { Ok(()) } else { to.input_ended(input) }
    }

    /// Sends on what all inputs have come to, and goes on with what stands behind it.
    fn align(&mut self, to: &mut impl Confluence) -> Result<(), Fault> {
        while self.checked == Some(true) && self.inputs.iter().all(|input| input.waiting.is_some()) {
            let marks: Vec<Mark> = self.inputs.iter_mut().filter_map(|input| input.waiting.take()).collect();
            let mark = self.one_of(&marks)?;
            if mark.kind() == MarkKind::End {
                self.inputs.iter_mut().for_each(|input| input.life = Life::Ended);
            }
            to.aligned(mark)?;
            for input in 0..self.inputs.len() {
                self.take_rest(input, to)?;
            }
        }
        // An empty plain input may have ended before the others turned out to be checked.
        let early = self.inputs.iter().position(|input| input.is_over && input.life == Life::New);
        match early.filter(|_| self.is_checked()) {
            Some(input) => Err(self.named(input, cut_short("before its first line", None, None)).into()),
            None => Ok(()),
        }
    }

    /// One mark for those of all inputs.
    fn one_of(&self, marks: &[Mark]) -> Result<Mark, Error> {
        let Some(first) = marks.first() else { return Err(Error::data("no input")) };
        let mut one = first.clone();
        for (input, mark) in marks.iter().enumerate() {
            self.must_agree(first, input, mark)?;
            if mark.number("hop") > one.number("hop") {
                one.set("hop", mark.number("hop"));
            }
        }
        if first.kind() != MarkKind::Hello {
            one.set("lines", marks.iter().filter_map(|mark| mark.number("lines")).sum::<u64>());
        }
        for list in ["hops", "snapshots"] {
            if first.get(list).is_some() {
                one.set(list, union(marks, list));
            }
        }
        Ok(one)
    }

    fn must_agree(&self, first: &Mark, input: usize, mark: &Mark) -> Result<(), Error> {
        let (a, b) = (self.called(0), self.called(input));
        if first.kind() != mark.kind()
            || first.text("id") != mark.text("id")
            || first.flag("drain") != mark.flag("drain")
        {
            return Err(Error::data(format_args!("{a} is at {first}, {b} at {mark}: they are not of one source")));
        }
        if first.text("run") == mark.text("run") {
            return Ok(());
        }
        let (one, other) = (first.text("run").unwrap_or("?"), mark.text("run").unwrap_or("?"));
        Err(Error::data(format_args!(
            "{a} is of run {one}, {b} of run {other}: two sources that keep checkpoints cannot be in one pipeline"
        ))
        .hint("one source must begin the pipe: give it all topics or files; shard splits and merges within one pipe"))
    }

    fn begins_plain(&mut self, input: usize) -> Result<(), Error> {
        self.begins(input, false)?;
        self.inputs[input].life = Life::Plain;
        Ok(())
    }

    fn begins(&mut self, input: usize, checked: bool) -> Result<(), Error> {
        if *self.checked.get_or_insert(checked) == checked {
            return Ok(());
        }
        let name = self.called(input);
        if self.gave_hello {
            return Err(
                Error::data(format_args!("{name} gives lines without the hello mark that it got")).hint(KEEP_MARKS)
            );
        }
        let word =
            if checked { "is a checked stream, and the others are not" } else { "is no checked stream, as others are" };
        Err(Error::data(format_args!("{name} {word}"))
            .hint("exactly-once is of a whole pipeline: one source with --exactly-once must begin all inputs"))
    }

    /// Where the next lines begin, so many with so many bytes.
    fn next_place(&mut self, input: usize, lines: u64, bytes: usize) -> Origin {
        let at = &mut self.inputs[input];
        let from = Origin { input, line: at.lines + 1, byte: at.bytes };
        at.lines += lines;
        at.bytes += bytes as u64;
        from
    }

    fn follows_the_end(&self, from: Origin) -> Fault {
        self.told(from, Error::data("something follows the end mark")).into()
    }

    fn told(&self, from: Origin, error: Error) -> Error {
        let error = Error { message: format!("line {}: {}", from.line, error.message), ..error };
        self.named(from.input, error)
    }

    fn named(&self, input: usize, error: Error) -> Error {
        let name = &self.names[input];
        if name.is_empty() { error } else { Error { message: format!("{name}: {}", error.message), ..error } }
    }

    fn called(&self, input: usize) -> String {
        let name = &self.names[input];
        if name.is_empty() { format!("input {}", input + 1) } else { name.clone() }
    }
}

/// What stands in the lists of any of the marks, each once, in the order of the inputs.
fn union(marks: &[Mark], list: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for value in marks.iter().filter_map(|mark| mark.get(list).and_then(Value::as_array)).flatten() {
        if !all.contains(value) {
            all.push(value.clone());
        }
    }
    all
}
