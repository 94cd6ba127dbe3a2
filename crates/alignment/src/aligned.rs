//! Several streams as one, in the order in which their lines arrive: a stage.

use std::io::{self, BufRead, Write};

use json_fields::{FieldPath, Scanner, splice_front, without_members, write_string};
use millpipe::{Error, Fault, Mark, Merge, Out, Stage, Stateful, lines_of};

use crate::{Alignment, Kin};

/// A member that says which stream a line is from.
pub struct Tags {
    field: String,
    /// For each stream.
    members: Vec<Vec<u8>>,
    scanner: Scanner,
    stripped: Vec<u8>,
}

impl Tags {
    /// The member `field` with the stream's name. A member of that name that a line had is replaced.
    pub fn new(field: &str, names: &[String]) -> Self {
        let member = |name: &String| {
            let mut member = Vec::new();
            write_string(field, &mut member);
            member.push(b':');
            write_string(name, &mut member);
            member
        };
        let scanner = Scanner::new(&[FieldPath::key(field)]);
        Self { field: field.to_owned(), members: names.iter().map(member).collect(), scanner, stripped: Vec::new() }
    }

    /// Appends the line with its member.
    ///
    /// # Errors
    /// `Fault::Bad` when it is no object.
    pub fn write(&mut self, stream: usize, line: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let members = &self.members[stream];
        let fields = self.scanner.scan(line).map_err(Fault::bad)?;
        if fields.object().is_none() {
            return Err(Fault::bad("not an object, so it has no member for --tag"));
        }
        if fields.get(0).is_none() {
            splice_front(line, &fields, members, out);
            return Ok(());
        }
        self.stripped.clear();
        without_members(line, &[&self.field], &mut self.stripped);
        let fields = self.scanner.scan(&self.stripped).map_err(Fault::bad)?;
        splice_front(&self.stripped, &fields, members, out);
        Ok(())
    }
}

/// What is done with a line.
enum Lines {
    /// It is known to be one.
    Trusted,
    Checked(Scanner),
    Tagged(Tags),
}

/// The stage.
pub struct Aligned {
    alignment: Alignment,
    lines: Lines,
    stream: usize,
    flags: String,
}

impl Aligned {
    /// For streams whose lines have been checked.
    pub fn trusted(names: Vec<String>, kin: Kin) -> Self {
        Self { alignment: Alignment::new(names, kin, false), lines: Lines::Trusted, stream: 0, flags: String::new() }
    }

    /// For streams of anybody. With `marks`, each stream is a partition. A snapshot is of use with the same `flags` only.
    pub fn checked(names: Vec<String>, tags: Option<Tags>, marks: bool, flags: String) -> Self {
        let lines = tags.map_or_else(|| Lines::Checked(Scanner::new(&[])), Lines::Tagged);
        Self { alignment: Alignment::new(names, Kin::Strangers, marks), lines, stream: 0, flags }
    }
}

impl Merge for Aligned {
    fn at_input(&mut self, input: usize) {
        self.stream = input;
    }

    fn lines(&mut self, block: &[u8], count: u64, out: &mut Out) -> Result<(), Fault> {
        if !matches!(self.lines, Lines::Trusted) {
            return lines_of(block).try_for_each(|line| self.line(line, out));
        }
        self.alignment.before_line(self.stream, out)?;
        out.block(block, count);
        Ok(())
    }

    fn input_ended(&mut self, input: usize, out: &mut Out) -> Result<(), Fault> {
        Ok(self.alignment.ended(input, out)?)
    }
}

impl Stage for Aligned {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.alignment.start(out);
        Ok(())
    }

    #[inline]
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        match &mut self.lines {
            Lines::Trusted => {}
            Lines::Checked(scanner) => drop(scanner.scan(line).map_err(Fault::bad)?),
            Lines::Tagged(tags) => {
                // Before the mark: a bad line leaves no trace.
                let mut tagged = Vec::with_capacity(line.len() + 64);
                tags.write(self.stream, line, &mut tagged)?;
                self.alignment.before_line(self.stream, out)?;
                out.line(&tagged);
                return Ok(());
            }
        }
        self.alignment.before_line(self.stream, out)?;
        out.line(line);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        Ok(self.alignment.mark(self.stream, mark, out)?)
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Aligned {
    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "{}", self.alignment.snapshot())
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let damaged = || Error::data("the snapshot is damaged, or not of merge");
        let value = serde_json::from_reader(from).map_err(|_| damaged())?;
        self.alignment.restore(&value).ok_or_else(damaged)
    }
}
