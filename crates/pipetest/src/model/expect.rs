//! What is expected of the run: exit codes, counts, messages.

use regex::Regex;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// Words that must be said: a part of a line, or with slashes around it a regular expression that matches a part of one.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub written: String,
    regex: Option<Regex>,
}

impl Pattern {
    /// # Errors
    /// When there is no regular expression between the slashes.
    pub fn new(written: &str) -> Result<Self, String> {
        let between =
            written.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|between| !between.is_empty());
        let regex = between.map(Regex::new).transpose().map_err(|error| error.to_string())?;
        Ok(Self { written: written.to_owned(), regex })
    }

    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        match &self.regex {
            Some(regex) => regex.is_match(line),
            None => line.contains(&self.written),
        }
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// Of the whole run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The script's exit code.
    #[serde(default)]
    pub exit: i32,
    /// Late lines of all stages together; not said, as the stages' expectations say, else none.
    pub late: Option<u64>,
    /// Rejected lines likewise.
    pub rejected: Option<u64>,
    /// What somebody must say on stderr.
    #[serde(default)]
    pub messages: Vec<Pattern>,
}

/// Of one stage.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageExpect {
    pub exit: Option<i64>,
    #[serde(rename = "in")]
    pub lines_in: Option<u64>,
    #[serde(rename = "out")]
    pub lines_out: Option<u64>,
    pub late: Option<u64>,
    pub rejected: Option<u64>,
    #[serde(default)]
    pub messages: Vec<Pattern>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_part_of_a_line_or_a_regular_expression() {
        let matches = |pattern: &str, line: &str| Pattern::new(pattern).unwrap().matches(line);
        assert!(matches("1 late", "window: 1 late line"));
        assert!(!matches("2 late", "window: 1 late line"));
        assert!(matches("/[0-9]+ late/", "window: 17 late lines"));
        assert!(!matches("/^late/", "window: 17 late lines"));
        assert!(matches("a/b", "a/b") && matches("/", "a/b"));
        assert!(Pattern::new("/(/").is_err());
    }
}
