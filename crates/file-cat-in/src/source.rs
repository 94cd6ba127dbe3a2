//! The source: files of partitions, and what watches them.

use millpipe::{Error, Facts, Fault, Goal, Out, Polled, Source};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::cli::{Cli, From};
use crate::file_lines::Gave;
use crate::part_list::PartList;
use crate::restore::restore;
use crate::settings::Settings;
use crate::watcher::Watcher;

/// The first stage of a pipe: reads files.
pub struct FileSource {
    settings: Settings,
    flags: String,
    parts: PartList,
    watcher: Watcher,
    /// To be said when there is somebody to say it to.
    warnings: Vec<String>,
}

impl FileSource {
    /// Checks the flags; no file is looked at yet.
    ///
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli) -> Result<Self, Error> {
        cli.check()?;
        Ok(Self {
            settings: Settings::new(cli),
            flags: cli.flags(),
            watcher: Watcher::new(cli)?,
            parts: PartList::new(cli),
            warnings: Vec::new(),
        })
    }
}

impl Source for FileSource {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.warnings.drain(..).for_each(|warning| out.warn(warning));
        allow_many_files();
        self.watcher.look_around(&mut self.parts, out)?;
        if let From::Last(lines) = self.settings.from
            && !self.parts.is_restored()
        {
            self.parts.start_at_last(lines)?;
        }
        self.parts.announce(out);
        Ok(())
    }

    fn poll(&mut self, wait_ms: u64, out: &mut Out) -> Result<Polled, Fault> {
        let follow = self.settings.follow;
        if follow {
            self.watcher.watch(&mut self.parts, out)?;
        }
        let gave = self.parts.take_turns(out)?;
        if self.parts.is_done() {
            return Ok(Polled::Done);
        }
        match gave {
            Gave::Lines => Ok(Polled::More),
            Gave::End if !follow && self.watcher.take_looks_again() => {
                self.watcher.look_around(&mut self.parts, out)?;
                self.parts.look_again();
                Ok(Polled::More)
            }
            Gave::End if !follow => Ok(Polled::Done),
            Gave::End => Ok(Polled::WaitUntil(self.watcher.watch_at_ms())),
            Gave::NotNow => {
                out.waits().for_input(|| self.parts.wait(wait_ms))?;
                Ok(Polled::Nothing)
            }
        }
    }

    fn stop(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.parts.report_waiting(out);
        self.watcher.report_waiting(out);
        Ok(())
    }

    /// None for what may grow, has no size, or has another size inside.
    fn goal(&mut self) -> Option<Goal> {
        if self.settings.follow || self.parts.pieces().any(|piece| piece.lines().cursor().is_compressed()) {
            return None;
        }
        let (mut done, mut total) = (0, 0);
        for piece in self.parts.pieces().filter(|piece| !piece.is_copy()) {
            let file = std::fs::metadata(piece.path()).ok().filter(std::fs::Metadata::is_file)?;
            done += piece.offset();
            total += file.len().max(piece.offset());
        }
        Some(Goal { done, total, of: Goal::BYTES })
    }

    fn facts(&mut self, _now_ms: i64, to: &mut Facts) {
        let (count, read_bytes) =
            self.parts.pieces().fold((0_u64, 0), |(count, bytes), piece| (count + 1, bytes + piece.offset()));
        let total_bytes = self.goal().map(|goal| goal.total);
        to.insert("files".to_owned(), json!({ "count": count, "read_bytes": read_bytes, "total_bytes": total_bytes }));
    }

    fn position(&self) -> String {
        // Text and numbers: it cannot fail.
        serde_json::to_string(&self.parts.position()).unwrap_or_default()
    }

    fn seek(&mut self, position: &str) -> Result<(), Error> {
        let position = serde_json::from_str(position)
            .map_err(|error| Error::data(format_args!("not a position of file-cat-in: {error}: {position}")))?;
        self.warnings = restore(&position, self.settings, &mut self.parts)?;
        Ok(())
    }

    fn flags(&self) -> String {
        self.flags.clone()
    }
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
