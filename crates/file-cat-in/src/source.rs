//! The source: what it keeps, and its turns.

use std::collections::HashSet;

use millpipe::{Error, Fault, Out, Polled, Source};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::argument::Argument;
use crate::bookmark::trace_at;
use crate::cli::{Cli, From, Missing, Order, Parts};
use crate::content::{Content, Limits};
use crate::failure;
use crate::last_lines::{Counted, last_lines};
use crate::line_writer::LineWriter;
use crate::part::{Idle, Part};
use crate::piece::{Ending, Gave, Piece};
use crate::position::{Entry, Position};
use crate::unwhole::Unwhole;

/// What the flags said.
pub(crate) struct Settings {
    pub follow: bool,
    pub exactly_once: bool,
    pub from: From,
    pub order: Order,
    pub parts: Parts,
    pub missing: Missing,
    pub limits: Limits,
    /// The next run goes on where this one ends.
    pub goes_on: bool,
    flags: String,
}

/// The first stage of a pipe: reads files.
pub struct FileSource {
    pub(crate) settings: Settings,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) parts: Vec<Part>,
    /// The part that is read next.
    pub(crate) turn: usize,
    pub(crate) writer: LineWriter,
    pub(crate) was_restored: bool,
    /// To be said when there is somebody to say it to.
    pub(crate) warnings: Vec<String>,
    /// Arguments that mean no file yet, which was said.
    pub(crate) waited_for: HashSet<usize>,
    /// That a file has several names was said.
    pub(crate) said_named_twice: bool,
    /// A file was not taken yet, as those before it were not read to their ends.
    pub(crate) looks_again: bool,
    /// Compressed files that are waited for.
    pub(crate) unwhole: Unwhole,
    /// When open files are looked at next.
    pub(crate) watch_at_ms: i64,
    /// When folders are looked through next.
    pub(crate) look_at_ms: i64,
}

impl FileSource {
    /// Checks the flags; no file is looked at yet.
    ///
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli) -> Result<Self, Error> {
        cli.check()?;
        let arguments = cli.files.iter().map(|file| Argument::new(file)).collect::<Result<Vec<_>, _>>()?;
        let parts = match (cli.parts(), &cli.files[..]) {
            (Parts::Files, _) => Vec::new(),
            (Parts::One, [file]) => vec![Part::new(file)],
            (Parts::One, _) => vec![Part::new("files")],
            (Parts::Arguments, files) => files.iter().map(|file| Part::new(file)).collect(),
        };
        Ok(Self {
            settings: Settings {
                follow: cli.follow,
                exactly_once: cli.exactly_once.exactly_once,
                from: cli.from,
                order: cli.order,
                parts: cli.parts(),
                missing: cli.missing,
                limits: cli.limits(),
                goes_on: cli.exactly_once.no_drain,
                flags: cli.flags(),
            },
            arguments,
            parts,
            turn: 0,
            writer: LineWriter::new(cli),
            was_restored: false,
            warnings: Vec::new(),
            waited_for: HashSet::new(),
            said_named_twice: false,
            looks_again: false,
            unwhole: Unwhole::default(),
            watch_at_ms: i64::MIN,
            look_at_ms: i64::MIN,
        })
    }

    /// What becomes of a file at its end.
    pub(crate) fn ending(&self) -> Ending {
        match (self.settings.follow, self.settings.goes_on) {
            (true, _) => Ending::Wait,
            (false, true) => Ending::Leave,
            (false, false) => Ending::Take,
        }
    }

    /// Puts every file where --from says.
    fn go_to_start(&mut self) -> Result<(), Error> {
        let From::Last(lines) = self.settings.from else { return Ok(()) };
        let counted = Counted { blank: self.writer.takes_blank_lines() };
        for piece in self.parts.iter_mut().flat_map(|part| &mut part.pieces) {
            start_at_last_lines(piece, lines, counted, &self.settings)?;
        }
        Ok(())
    }

    /// Makes partitions known before their first line; those that an earlier run has finished need not be.
    fn announce(&mut self, out: &mut Out) {
        for part in &mut self.parts {
            if part.idle == Idle::Finally && part.is_at_end() && !self.settings.follow {
                continue;
            }
            part.idle = Idle::No;
            self.writer.announce(&part.name, out);
        }
    }

    /// One turn of each part, until one has lines.
    fn take_turns(&mut self, out: &mut Out) -> Result<Gave, Fault> {
        let mut gave = Gave::End;
        let ending = self.ending();
        for _ in 0..self.parts.len() {
            let part = &mut self.parts[self.turn];
            self.turn += 1;
            match part.give(&mut self.writer, ending, out)? {
                Gave::Lines => gave = Gave::Lines,
                Gave::NotNow => {
                    part.rest(Idle::Now, &mut self.writer, out);
                    gave = Gave::NotNow;
                }
                Gave::End if self.settings.follow => part.rest(Idle::Now, &mut self.writer, out),
                Gave::End => part.rest(Idle::Finally, &mut self.writer, out),
            }
            if self.turn == self.parts.len() {
                self.turn = 0;
            }
            if gave == Gave::Lines {
                break;
            }
        }
        Ok(gave)
    }

    /// Waits for one of the pipes that are read now.
    fn wait(&self, wait_ms: u64) -> Result<(), Error> {
        let waiting = self.parts.iter().filter_map(Part::current).find(|piece| piece.is_open());
        if let Some(piece) = waiting {
            piece.wait(wait_ms).map_err(|error| failure::error(&piece.path, &error))?;
        }
        Ok(())
    }
}

impl Source for FileSource {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.warnings.drain(..).for_each(|warning| out.warn(warning));
        allow_many_files();
        self.look_around(out)?;
        if !self.was_restored {
            self.go_to_start()?;
        }
        self.announce(out);
        Ok(())
    }

    fn poll(&mut self, wait_ms: u64, out: &mut Out) -> Result<Polled, Fault> {
        if self.settings.follow {
            self.watch(out)?;
        }
        let gave = self.take_turns(out)?;
        if self.writer.is_done() {
            return Ok(Polled::Done);
        }
        match gave {
            Gave::Lines => Ok(Polled::More),
            Gave::End if !self.settings.follow && std::mem::take(&mut self.looks_again) => {
                self.look_around(out)?;
                self.parts.iter_mut().for_each(Part::look_again);
                Ok(Polled::More)
            }
            Gave::End if !self.settings.follow => Ok(Polled::Done),
            Gave::End => Ok(Polled::WaitUntil(self.watch_at_ms)),
            Gave::NotNow => {
                self.wait(wait_ms)?;
                Ok(Polled::Nothing)
            }
        }
    }

    fn stop(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.say_what_waits(out);
        self.unwhole.report(out);
        Ok(())
    }

    fn position(&self) -> String {
        let entries = |part: &Part| part.pieces.iter().map(|piece| Entry::of(&part.name, piece)).collect::<Vec<_>>();
        let turn = self.parts.get(self.turn).map(|part| part.name.clone()).unwrap_or_default();
        let position = Position { turn, files: self.parts.iter().flat_map(entries).collect() };
        // Text and numbers: it cannot fail.
        serde_json::to_string(&position).unwrap_or_default()
    }

    fn seek(&mut self, position: &str) -> Result<(), Error> {
        let position = serde_json::from_str(position)
            .map_err(|error| Error::data(format_args!("not a position of file-cat-in: {error}: {position}")))?;
        self.restore(position)
    }

    fn flags(&self) -> String {
        self.settings.flags.clone()
    }
}

fn start_at_last_lines(piece: &mut Piece, lines: u64, counted: Counted, settings: &Settings) -> Result<(), Error> {
    let failed = |error: std::io::Error| failure::error(&piece.path, &error);
    let mut content = Content::open(&piece.path, settings.follow, settings.limits).map_err(failed)?;
    if content.is_stream() {
        return Err(Error::usage(format_args!("{}: is read from its beginning only", piece.name())));
    }
    let offset = last_lines(&mut content, lines, counted).map_err(failed)?;
    content.restart();
    let trace = trace_at(&mut content, offset).map_err(failed)?;
    // Truncated in this very moment: it is read from its start.
    if let Some(trace) = trace {
        piece.start_at(content, trace);
    }
    Ok(())
}

/// Followed files stay open: as many as the system lets us have.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    // Without it there are fewer; the one too many will say so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn what_is_no_position_is_an_error() {
        let mut source = FileSource::new(&Cli::try_parse_from(["file-cat-in", "a"]).unwrap()).unwrap();
        assert!(source.seek("17").unwrap_err().message.starts_with("not a position of file-cat-in: "));
        assert_eq!(source.position(), "{\"turn\":\"a\",\"files\":[]}");
        assert_eq!(source.flags(), "--parts one [\"a\"]");
    }
}
