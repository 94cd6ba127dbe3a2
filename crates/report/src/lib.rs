//! `report`: pictures of the numbers that flow by, in files, in the terminal, on a page, in a mail.
//!
//! **A line** goes on as it came, to the byte, and so do marks: `report` may stand anywhere in a pipe, also in an exactly-once one. Only
//! where standard output is a terminal and the panels are drawn on it, lines are left out.
//!
//! **What is drawn**: each line gives its key (`--by`), its x, and the values of the panels. A series is a value of a key. What
//! cannot be drawn (no x, no number) goes on all the same, and is counted. Null is a gap. With `op` (`aggregate --changes`) a row takes the
//! place of the one with its key and x, or is taken away.
//!
//! **What is kept**: [`panels`] is a store within limits (keys, points for each series), which [`points`] thins so that peaks
//! stay. It is no state of the stream: after a restart pictures begin anew. A viewer takes a copy of the numbers of its view
//! ([`picture`]) under a lock and works on that, in a thread of its own; so a line waits for no drawing, no disk and no network.
//!
//! | part | is | knows |
//! |---|---|---|
//! | [`spec`], [`panel_file`], [`record`], [`points`], [`rows`], [`panels`], [`picture`], [`scale`] | the numbers | no pipe, no clock, no colour |
//! | [`draw`], [`theme`], [`png`], [`html`], [`mail`], [`terminal`] | a picture as SVG, PNG, HTML, mail, text | a picture |
//! | [`shared`], [`files`], [`live`], [`server`], [`viewers`] | what runs beside the stage | all of it |
//!
//! **Bad lines**: what is not JSON, and a line on which an expression of a flag fails.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
pub mod draw;
pub mod escape;
pub mod files;
pub mod html;
pub mod live;
pub mod mail;
pub mod panel_file;
pub mod panels;
pub mod picture;
pub mod png;
pub mod points;
pub mod record;
pub mod rows;
pub mod scale;
pub mod server;
pub mod shared;
pub mod spec;
pub mod terminal;
pub mod theme;
pub mod viewers;

use std::sync::Arc;

use millpipe::{Fault, Mark, Out, Stage, Stateful};

use record::RecordReader;
use shared::Shared;
use spec::Settings;

/// The operator: it passes lines and marks, and takes their numbers.
pub struct Report {
    reader: RecordReader,
    shared: Arc<Shared>,
    /// False where the panels are drawn on standard output.
    passes: bool,
}

impl Report {
    /// Takes what the settings want into a store.
    #[must_use]
    pub fn new(settings: &Settings, shared: Arc<Shared>, passes: bool) -> Self {
        Self { reader: RecordReader::new(settings), shared, passes }
    }

    fn go_on(&self, line: &[u8], out: &mut Out) {
        match self.passes {
            true => out.line(line),
            false => out.leave_out(1),
        }
    }
}

impl Stage for Report {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.shared.take(self.reader.read(line)?);
        self.go_on(line, out);
        Ok(())
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.go_on(line, out);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        if self.passes {
            out.mark(mark);
        }
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        None
    }
}

#[cfg(test)]
mod tests;
