//! What came of a test.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::check::Problem;
use crate::stages::Stage;

/// The way in which a test was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Plain,
    /// The number of the cutting, and its seed.
    Cut(u32, u64),
    Shuffled(u64),
    Sharded(u16),
    Killed(u64),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("as it is"),
            Self::Cut(number, seed) => write!(f, "cut {number} (--seed {seed})"),
            Self::Shuffled(seed) => write!(f, "shuffled (--seed {seed})"),
            Self::Sharded(shards) => write!(f, "run with {shards} shards"),
            Self::Killed(seed) => write!(f, "killed (--seed {seed})"),
        }
    }
}

/// A way in which a test did not pass.
#[derive(Clone, Debug)]
pub struct Failure {
    pub way: Way,
    pub problems: Vec<Problem>,
    /// Which stage first went wrong, as far as is known.
    pub first_stage: Vec<String>,
    pub stages: Vec<Stage>,
}

/// What came of one test.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub file: PathBuf,
    pub line: usize,
    pub name: String,
    /// Its place in the file.
    pub index: usize,
    /// One at most: the other ways are not tried once one has failed.
    pub failure: Option<Failure>,
    pub took: Duration,
    /// How often the pipeline was started.
    pub runs: u32,
    /// Where all of it is, if it was kept.
    pub kept: Option<PathBuf>,
}

impl Outcome {
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failure.is_none()
    }
}
