//! What is not as it should be.

use std::fmt;

/// Where lines come out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// All of a topic, or one of its partitions.
    Topic(String, Option<i32>),
    File(String),
    Stdout,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(topic, None) => write!(f, "topic {topic}"),
            Self::Topic(topic, Some(number)) => write!(f, "topic {topic}, partition {number}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Stdout => f.write_str("stdout"),
        }
    }
}

/// Returns how many lines of this kind there are, in words.
#[must_use]
pub fn lines(count: u64, kind: &str) -> String {
    let noun = if count == 1 { "line" } else { "lines" };
    format!("{count} {kind}{noun}")
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    pub what: String,
    /// For people: a difference, or what was said.
    pub shown: Vec<String>,
    /// The stage that it is of, if that is known.
    pub stage: Option<String>,
    /// What came in place of what was expected, so that the expectation can be renewed.
    pub came: Option<(Place, Vec<String>)>,
}

impl Problem {
    #[must_use]
    pub fn new(what: impl fmt::Display) -> Self {
        Self { what: what.to_string(), ..Self::default() }
    }

    #[must_use]
    pub fn of_stage(stage: &str, what: impl fmt::Display) -> Self {
        Self { what: format!("{stage}: {what}"), stage: Some(stage.to_owned()), ..Self::default() }
    }

    #[must_use]
    pub fn with_shown(self, shown: Vec<String>) -> Self {
        Self { shown, ..self }
    }
}
