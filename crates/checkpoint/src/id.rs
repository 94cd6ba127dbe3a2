//! Names of checkpoints.

use std::fmt;
use std::str::FromStr;

/// `RUN.SEQ`: the run that made it, and the number of its barrier in that run.
///
/// The run is part of it, so that a stale run can never overwrite the snapshot of a live one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckpointId {
    pub run: String,
    pub seq: u64,
}

impl CheckpointId {
    pub fn new(run: &str, seq: u64) -> Self {
        Self { run: run.to_owned(), seq }
    }
}

impl fmt::Display for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.run, self.seq)
    }
}

impl FromStr for CheckpointId {
    type Err = String;

    /// It becomes a file's name, so nothing else than letters, digits and `-` may be in it.
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('.').and_then(|(run, seq)| {
            let is_name = !run.is_empty() && run.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            let is_number = !seq.is_empty() && seq.bytes().all(|b| b.is_ascii_digit());
            (is_name && is_number).then(|| Some(Self::new(run, seq.parse().ok()?))).flatten()
        });
        parsed.ok_or_else(|| format!("\"{text}\" is no checkpoint id (RUN.SEQ)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_it_was_read() {
        let id: CheckpointId = "19a2b3c4-7f.12".parse().unwrap();
        assert_eq!(id, CheckpointId::new("19a2b3c4-7f", 12));
        assert_eq!(id.to_string(), "19a2b3c4-7f.12");
    }

    #[test]
    fn what_could_name_another_file_is_no_id() {
        for text in ["", "a", ".1", "a.", "a.b", "../x.1", "a/b.1", "a.1.2", "a.-1", "a.99999999999999999999"] {
            assert!(text.parse::<CheckpointId>().is_err(), "{text}");
        }
    }
}
