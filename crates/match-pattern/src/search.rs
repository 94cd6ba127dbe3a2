//! What the matchers of all keys share: the program, the conditions, and the scratch.

use millpipe::Error;

use crate::definitions::Definitions;
use crate::nodes::Label;
use crate::program::Program;
use crate::seen::Seen;
use crate::thread::Thread;
use crate::variables::Mask;

/// Where the next match may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterMatch {
    PastLastRow,
    NextRow,
    First(Mask),
    Last(Mask),
}

impl AfterMatch {
    /// Returns the row at which the next match may begin, after one that begins at `start` and has these rows.
    ///
    /// # Errors
    /// When no row has the variable, or it is the first one: the same match would come again.
    pub fn next(self, start: u64, labels: &[Label]) -> Result<u64, Error> {
        let is_of = |variables: Mask| move |label: &Label| variables >> label.variable & 1 == 1;
        let row = match self {
            AfterMatch::PastLastRow => return Ok(start + labels.len().max(1) as u64),
            _ if labels.is_empty() => return Ok(start + 1),
            AfterMatch::NextRow => return Ok(start + 1),
            AfterMatch::First(variables) => labels.iter().position(is_of(variables)),
            AfterMatch::Last(variables) => labels.iter().rposition(is_of(variables)),
        };
        match row {
            None => Err(Error::data("--after-match: pattern variable is not present in match")
                .hint("name one that every match has, or a --subset of several")),
            Some(0) => Err(Error::data("--after-match: cannot skip to first row of match")
                .hint("the same match would be found for ever: --after-match next-row goes on one row later")),
            Some(row) => Ok(start + row as u64),
        }
    }
}

/// What to look for.
pub struct Search {
    pub program: Program,
    pub definitions: Definitions,
    /// The last row of a match comes less than this after its first.
    pub within_ms: Option<i64>,
    pub after: AfterMatch,
    /// So many rows before those of a match are looked at.
    pub history: u64,
    /// So many rows after those of a match are looked at.
    pub lookahead: u64,
    pub partial_max: usize,
    pub seen: Seen,
    /// Buffers.
    pub threads: Vec<Thread>,
    pub steps: Vec<(u32, u64)>,
}

impl Search {
    #[cold]
    pub fn too_many(&self) -> Error {
        Error::data(format_args!("more than {} partial matches of one key", self.partial_max))
            .hint("--max-partial N allows more, --within ends old ones, and so do conditions that fewer rows fulfil")
    }
}
