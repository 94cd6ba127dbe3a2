//! Writing results.

use millpipe::{Error, Fault, Out};

use crate::bodies::{write_object, write_without};
use crate::job::{Bound, Job};
use crate::pairings::{Names, Pairings};
use crate::side::Side;
use crate::span::Span;
use crate::window_text::WindowText;

/// Writes pairs, and lines alone; in a join by windows each with its window in front.
pub struct ResultWriter {
    /// None where no pair can have a name twice.
    pairings: Option<Pairings>,
    has_windows: bool,
    window: WindowText,
}

impl ResultWriter {
    /// # Errors
    /// `Usage` where pairs would have a name twice.
    pub fn new(job: &Job) -> Result<ResultWriter, Error> {
        let has_windows = job.bound == Bound::Window;
        Ok(ResultWriter { pairings: Pairings::new(job)?, has_windows, window: WindowText::default() })
    }

    /// Returns true if the names of a line's members matter to the pairs that it is in.
    pub fn needs_names(&self) -> bool {
        self.pairings.is_some()
    }

    /// Returns the names of a line's members, if they matter.
    #[inline]
    pub fn names(&mut self, side: Side, body: &[u8]) -> Names {
        match &mut self.pairings {
            Some(pairings) => pairings.names(side, body),
            None => Names::UNKNOWN,
        }
    }

    /// Writes a pair, each line with the names of its members.
    ///
    /// # Errors
    /// `Stop` when both lines have a member that may not be left out.
    pub fn write_pair(
        &mut self,
        left: (Names, &[u8]),
        right: (Names, &[u8]),
        span: Span,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let mut right_rest = Vec::new();
        let mut right_body = right.1;
        if let Some(pairings) = &mut self.pairings {
            let without: Vec<&str> = pairings.without(left, right)?.iter().map(String::as_str).collect();
            if !without.is_empty() {
                write_without(right.1, &without, &mut right_rest);
                right_body = &right_rest;
            }
        }
        if self.has_windows {
            write_object(&[self.window.of(span), left.1, right_body], out.buffer());
        } else {
            write_object(&[left.1, right_body], out.buffer());
        }
        out.end_result();
        Ok(())
    }

    /// Writes a line without a partner, or that of a semi-join.
    pub fn write_alone(&mut self, body: &[u8], span: Span, out: &mut Out) {
        if self.has_windows {
            write_object(&[self.window.of(span), body], out.buffer());
        } else {
            write_object(&[body], out.buffer());
        }
        out.end_result();
    }
}
